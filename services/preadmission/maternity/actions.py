"""Asking for a place, and answering. A place is kept from the offer on, and never given twice.

Each gesture takes the request alone (an advisory lock), then the places: two people act one after the other.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from auth import records
from portal import audit, calendar, db, kpi
from portal.db import session
from portal.establishments import Site
from services.preadmission.actions import traces
from services.preadmission.answers import Maternity
from services.preadmission.maternity import queries, states
from services.preadmission.maternity.models import OPEN, MaternityPlaces, MaternityRequest, MaternityWish
from services.preadmission.models import Preadmission


class NothingToAsk(Exception):
    """The file is not of a birth, or the patient has not said when it is expected."""


class AlreadyAsked(Exception):
    """A place was asked for with this file."""


class NoPlacesHere(Exception):
    """The site takes no birth of that month at that level."""


class Full(Exception):
    """Every place of that month and level is kept."""


class OfferedElsewhere(Exception):
    """Another site keeps a place for this birth."""


class OthersWait(Exception):
    """Somebody has been waiting for that place for longer."""


class OfferOver(Exception):
    """The last day to answer is over."""


class TooFew(Exception):
    """More places than that are kept already; `taken` says how many."""

    def __init__(self, taken: int) -> None:
        super().__init__(taken)
        self.taken = taken


# -- the patient ---------------------------------------------------------------------------------------------------


def ask(file: Preadmission, told: Maternity | None, sites: Sequence[Site]) -> MaternityRequest:
    """Ask these sites for a place, the first wished first. Raises NothingToAsk, AlreadyAsked."""
    if file.stay_kind != "maternity" or told is None or not sites:
        raise NothingToAsk
    _alone(file.id)
    if queries.of_file(file.id) is not None:
        raise AlreadyAsked
    made = MaternityRequest(
        id=uuid4(), preadmission_id=file.id, patient_id=file.patient_id, account_id=db.current_actor().account_id,
        due_on=told.due_on, multiple=told.multiple, follow_up=told.follow_up,
    )  # fmt: skip
    session.add(made)
    session.flush()
    for rank, site in enumerate(sites, 1):
        records.open_record(file.patient_id, site.establishment_id)
        wish = MaternityWish(
            id=uuid4(), request_id=made.id, preadmission_id=file.id, patient_id=file.patient_id,
            establishment_id=site.establishment_id, site_id=site.id, rank=rank, state="",
        )  # fmt: skip
        row = states.change(wish, "received", db.current_actor())
        session.add(wish)
        session.flush()
        session.add(row)
        _tell(wish)
    session.flush()
    return made


def accept(wish: MaternityWish) -> None:
    """Take the place that is kept: the other sites are told no more. Raises WishTransitionRefused, OfferOver."""
    _hold(wish)
    if wish.state == "offered" and wish.answer_by is not None and wish.answer_by < _today(wish):
        raise OfferOver
    _move(wish, "confirmed")
    for other in queries.others(wish):
        _move(other, "cancelled", "elsewhere")


def decline(wish: MaternityWish) -> None:
    """Give the place back: the other sites may still offer one. Raises WishTransitionRefused."""
    _hold(wish)
    if wish.state != "offered":
        raise states.WishTransitionRefused(wish.state, "cancelled")
    _move(wish, "cancelled", "declined")


def withdraw(request: MaternityRequest, *, born: bool = False) -> None:
    """No place is needed any more. born: the birth took place, elsewhere. Raises WishTransitionRefused."""
    _alone(request.preadmission_id)
    session.refresh(request, ["wishes"])
    left = [wish for wish in request.wishes if wish.state in OPEN]
    if not left:
        raise states.WishTransitionRefused("", "cancelled")
    for wish in left:
        session.refresh(wish)
        _move(wish, "born_elsewhere" if born else "cancelled", "withdrawn")


# -- the unit ------------------------------------------------------------------------------------------------------


def look(wish: MaternityWish) -> None:
    """An agent opens the request: written down."""
    _record("maternity_request.opened", wish)


def study(wish: MaternityWish) -> None:
    """Raises WishTransitionRefused."""
    _hold(wish)
    _move(wish, "studied")


def offer(wish: MaternityWish, level: str, answer_by: date, words: str = "") -> None:
    """Keep a place until that day, and tell the patient.

    Raises WishTransitionRefused, NoPlacesHere, Full, OthersWait, OfferedElsewhere.
    """
    _hold(wish)
    places = _places(wish, level)
    first = queries.first_waiting(places.id)
    if first not in (None, wish.id):
        raise OthersWait
    if queries.taken(places.id) >= places.places:
        raise Full
    wish.places_id, wish.answer_by, wish.words, wish.listed_at = places.id, answer_by, words, None
    try:
        with session.begin_nested():
            _move(wish, "offered")
    except IntegrityError as error:
        raise OfferedElsewhere from error
    _notify(wish)


def put_on_list(wish: MaternityWish, level: str, words: str = "") -> None:
    """At the end of the list of that month and level. Raises WishTransitionRefused, NoPlacesHere."""
    _hold(wish)
    places = _places(wish, level)
    wish.places_id, wish.listed_at, wish.words, wish.answer_by = places.id, db.now(), words, None
    _move(wish, "waiting_list")
    _notify(wish)


def refuse(wish: MaternityWish, words: str) -> None:
    """No place here. words: where else to ask. Raises WishTransitionRefused."""
    _hold(wish)
    wish.words, wish.places_id, wish.listed_at = words, None, None
    _move(wish, "refused")
    _notify(wish)


def end(wish: MaternityWish, to_state: str, words: str = "") -> None:
    """The hospital closes it. to_state: `cancelled` or `born_elsewhere`. Raises WishTransitionRefused."""
    _hold(wish)
    wish.words = words
    _move(wish, to_state, "by_hospital")
    if to_state == "cancelled":
        _notify(wish)


def expire(wish: MaternityWish) -> None:
    """No answer came in time: the place is free again, and the person waits for another at the end of the list."""
    _hold(wish)
    if wish.state != "offered":
        return
    wish.listed_at = db.now()
    _move(wish, "waiting_list", "no_answer")
    _notify(wish)


# -- places --------------------------------------------------------------------------------------------------------


def set_places(site: Site, month: date, level: str, number: int) -> MaternityPlaces:
    """How many births the site takes that month at that level. Raises TooFew (as many are kept already)."""
    found = queries.at(site.id, month, level)
    if found is None:
        found = MaternityPlaces(
            id=uuid4(), establishment_id=site.establishment_id, site_id=site.id, month=queries.first_day(month),
            level=level, places=number,
        )  # fmt: skip
        session.add(found)
        session.flush()
    _alone(found.id)
    if (held := _taken_there(found.id)) > number:
        raise TooFew(held)
    found.places = number
    audit.record(
        "maternity_places.changed", establishment_id=site.establishment_id, object_kind="maternity_places",
        object_id=found.id, places=number,
    )  # fmt: skip
    session.flush()
    return found


def _taken_there(places_id: UUID) -> int:
    """Whoever administers sees no request: counted as the system, which tells a number alone."""
    with records.as_system("maternity.count"):
        return queries.taken(places_id)


def _places(wish: MaternityWish, level: str) -> MaternityPlaces:
    due_on = wish.request.due_on
    found = queries.at(wish.site_id, due_on, level)
    if found is None:
        raise NoPlacesHere
    _alone(found.id)
    session.refresh(found)
    return found


# -- what every change leaves --------------------------------------------------------------------------------------


def _alone(key: UUID) -> None:
    session.flush()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"maternity {key}", 0))))


def _hold(wish: MaternityWish) -> None:
    _alone(wish.preadmission_id)
    session.refresh(wish, ["state", "places_id", "answer_by"])


def _today(wish: MaternityWish) -> date:
    return calendar.civil_day(db.now(), wish.establishment.tz)


def _move(wish: MaternityWish, to_state: str, reason: str = "") -> None:
    session.add(states.change(wish, to_state, db.current_actor(), reason))
    _tell(wish)
    session.flush()


def _tell(wish: MaternityWish) -> None:
    _record(f"maternity_request.{wish.state}", wish)
    kpi.count(f"maternity_{wish.state}", establishment_id=wish.establishment_id)


def _record(event: str, wish: MaternityWish) -> None:
    audit.record(
        event, patient_id=wish.patient_id, establishment_id=wish.establishment_id, object_kind="preadmission",
        object_id=wish.preadmission_id,
    )  # fmt: skip


def _notify(wish: MaternityWish) -> None:
    """As the system: the unit does not see the file of another hospital, nor a draft."""
    with records.as_system("maternity.tell"):
        traces.notify(session.get_one(Preadmission, wish.preadmission_id))
