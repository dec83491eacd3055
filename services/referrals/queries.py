"""What is read of referrals: what units take, a practitioner's requests, a hospital's tray, what concerns a patient."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, func, literal_column, or_, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from auth.models import Account, PatientRecord, StaffRight
from auth.records import as_system
from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.referrals import standing
from services.referrals.models import RIGHT, Referral, ReferralFile, ReferralMessage, ReferralOffer, ReferralTarget

PAGE: Final = 50
_MOST_SENT = 200
_PLACES = (
    joinedload(ReferralTarget.unit).joinedload(Unit.site),
    joinedload(ReferralTarget.establishment),
    joinedload(ReferralTarget.offer),
)


# -- what units take -----------------------------------------------------------------------------------------------


def _offers() -> Select[ReferralOffer]:
    return (
        select(ReferralOffer)
        .join(ReferralOffer.unit)
        .options(
            contains_eager(ReferralOffer.unit).joinedload(Unit.site),
            joinedload(ReferralOffer.establishment),
        )
        .order_by(Unit.name, ReferralOffer.position, ReferralOffer.name)
    )


def open_offers(kind: str = "", *, age: int | None = None) -> Sequence[ReferralOffer]:
    """What units of the group take now, of a kind, for somebody of that age (years)."""
    query = _offers().where(ReferralOffer.is_open)
    if kind:
        query = query.where(ReferralOffer.kind == kind)
    if age is not None:
        query = query.where(ReferralOffer.age_from <= age, ReferralOffer.age_to >= age)
    return session.scalars(query).all()


def offer(offer_id: UUID) -> ReferralOffer | None:
    return session.scalar(_offers().where(ReferralOffer.id == offer_id))


def offers_at(establishments: Collection[UUID]) -> Sequence[ReferralOffer]:
    """All that units of these hospitals take, closed ones too."""
    return session.scalars(_offers().where(ReferralOffer.establishment_id.in_(establishments))).all()


def offers_asking(establishment_id: UUID, questionnaire: str) -> Sequence[ReferralOffer]:
    """What units of a hospital take with the answers to a questionnaire (its code)."""
    ours = ReferralOffer.establishment_id == establishment_id
    return session.scalars(_offers().where(ours, ReferralOffer.questionnaire == questionnaire)).all()


def offer_at(establishments: Collection[UUID], offer_id: UUID) -> ReferralOffer | None:
    query = _offers().where(ReferralOffer.id == offer_id, ReferralOffer.establishment_id.in_(establishments))
    return session.scalar(query)


# -- a practitioner's ----------------------------------------------------------------------------------------------


def sent_by(professional_id: UUID) -> Sequence[Referral]:
    """A practitioner's requests, latest first, with what became of each at each unit."""
    query = (
        select(Referral)
        .where(Referral.professional_id == professional_id, Referral.birth_name != "")  # forgotten otherwise
        .options(selectinload(Referral.targets).options(*_PLACES))
        .order_by(Referral.sent_at.desc(), Referral.id)
        .limit(_MOST_SENT)
    )
    return session.scalars(query).all()


def to_do(professional_id: UUID) -> int:
    """How many of their requests wait for this practitioner."""
    target = ReferralTarget
    unread = or_(target.professional_seen_at.is_(None), target.professional_seen_at < target.changed_at)
    wanted = or_(target.state.in_(("asked", "redirected")), and_(target.state.in_(("refused", "lapsed")), unread))
    some = select(target.referral_id).where(target.professional_id == professional_id, wanted)
    rows = session.scalars(
        select(target).where(target.professional_id == professional_id, target.referral_id.in_(some))
    ).all()
    found: dict[UUID, list[ReferralTarget]] = {}
    for each in rows:
        found.setdefault(each.referral_id, []).append(each)
    return sum(standing.standing(each) == "to_do" for each in found.values())


def one_sent_by(professional_id: UUID, referral_id: UUID) -> Referral | None:
    """One of them, whole: threads and files of every unit."""
    return session.scalar(
        select(Referral)
        .where(Referral.id == referral_id, Referral.professional_id == professional_id)
        .options(
            joinedload(Referral.professional),
            selectinload(Referral.targets).options(
                *_PLACES,
                joinedload(ReferralTarget.proposed).joinedload(ReferralOffer.unit),
                selectinload(ReferralTarget.messages).selectinload(ReferralMessage.files).joinedload(ReferralFile.file),
                selectinload(ReferralTarget.changes),
            ),
            selectinload(Referral.files).joinedload(ReferralFile.file),
        )
    )


def target_sent_by(professional_id: UUID, target_id: UUID) -> ReferralTarget | None:
    query = select(ReferralTarget).where(
        ReferralTarget.id == target_id, ReferralTarget.professional_id == professional_id
    )
    return session.scalar(query.options(joinedload(ReferralTarget.referral), *_PLACES))


# -- a hospital's --------------------------------------------------------------------------------------------------

TRAYS: Final = ("to_answer", "late", "asked", "mine", "to_tell", "accepted", "ended")
MOST_COUNTED: Final = 500
"""A tray says how many it holds up to that many: a count must not read a hundred thousand lines."""


@dataclass(frozen=True)
class Sieve:
    """What an agent wants to see. tray: one of TRAYS. units: none means all. words: of the patient's birth name, or a
    reference; with words or a birth date, every tray is searched."""

    tray: str = "to_answer"
    units: frozenset[UUID] = frozenset()
    kind: str = ""
    words: str = ""
    born_on: date | None = None

    @property
    def is_search(self) -> bool:
        return bool(self.words or self.born_on)


def tray(establishments: Collection[UUID], sieve: Sieve, page: int = 1) -> Sequence[ReferralTarget]:
    """A page of requests, the most pressing first; one more than a page tells that there is another."""
    query = (
        _reached(establishments)
        .where(*_sieved(sieve))
        .order_by(*_order(sieve))
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    return session.scalars(query).all()


def counts(establishments: Collection[UUID], units: Collection[UUID] = ()) -> dict[str, int]:
    """How many requests the trays that press hold, MOST_COUNTED at most."""
    wanted = ("to_answer", "late", "asked", "mine", "to_tell")
    found = session.execute(select(*(_bounded(establishments, Sieve(name, frozenset(units))) for name in wanted))).one()
    return dict(zip(wanted, found, strict=True))


def _bounded(establishments: Collection[UUID], sieve: Sieve) -> ScalarSelect[int]:
    inside = select(ReferralTarget.id).where(*_at(establishments), *_sieved(sieve)).limit(MOST_COUNTED).subquery()
    return select(func.count()).select_from(inside).scalar_subquery()


def beside(
    establishments: Collection[UUID], target: ReferralTarget, units: Collection[UUID]
) -> tuple[UUID | None, UUID | None]:
    """The requests to answer before and after this one, in the order of the tray; when this one is answered, none
    and the first of them."""
    others, place = (
        _others_to_answer(establishments, target, units),
        tuple_(ReferralTarget.answer_by, ReferralTarget.id),
    )
    following = others.order_by(ReferralTarget.answer_by, ReferralTarget.id).limit(1)
    if target.state != "received" or target.answer_by is None:
        return None, session.scalar(following)
    here = (target.answer_by, target.id)
    preceding = others.where(place < here).order_by(ReferralTarget.answer_by.desc(), ReferralTarget.id.desc()).limit(1)
    both = select(preceding.scalar_subquery(), following.where(place > here).scalar_subquery())
    found = session.execute(both).one()
    return found[0], found[1]


def _others_to_answer(
    establishments: Collection[UUID], target: ReferralTarget, units: Collection[UUID]
) -> Select[UUID]:
    sieve = Sieve("to_answer", frozenset(units))
    return select(ReferralTarget.id).where(*_at(establishments), *_sieved(sieve), ReferralTarget.id != target.id)


def one_at(establishments: Collection[UUID], target_id: UUID) -> ReferralTarget | None:
    """One request as its unit reads it: its own thread, the files of the request, nothing of other units."""
    return session.scalar(
        _reached(establishments)
        .where(ReferralTarget.id == target_id)
        .options(
            joinedload(ReferralTarget.patient),
            joinedload(ReferralTarget.proposed).joinedload(ReferralOffer.unit),
            selectinload(ReferralTarget.messages).selectinload(ReferralMessage.files).joinedload(ReferralFile.file),
            selectinload(ReferralTarget.changes),
            contains_eager(ReferralTarget.referral).selectinload(Referral.files).joinedload(ReferralFile.file),
        )
    )


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Units that take or took requests, by hospital, then name."""
    asked = select(ReferralOffer.unit_id).where(ReferralOffer.establishment_id.in_(establishments))
    query = select(Unit).join(Unit.establishment).options(contains_eager(Unit.establishment), joinedload(Unit.site))
    return session.scalars(query.where(Unit.id.in_(asked)).order_by(Establishment.name, Unit.name)).all()


def colleagues(establishment_id: UUID) -> dict[UUID, str]:
    """Agents who answer requests at that hospital, by name. As the system: agents do not read one another's rights."""
    with as_system("referrals.colleagues"):
        rows = session.execute(
            select(Account.id, Account.name)
            .join(StaffRight, StaffRight.account_id == Account.id)
            .where(
                StaffRight.establishment_id == establishment_id, StaffRight.right == RIGHT, Account.closed_at.is_(None)
            )
            .order_by(Account.name, Account.id)
        ).all()
    return {each.id: each.name for each in rows}


def number_of(target: ReferralTarget) -> str:
    """The number under which the hospital knows whom it is about; "" while it is only a description."""
    wanted = (PatientRecord.patient_id == target.patient_id, PatientRecord.establishment_id == target.establishment_id)
    return session.scalar(select(PatientRecord.ipp).where(*wanted)) or ""


def _at(establishments: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return ReferralTarget.establishment_id.in_(establishments), ReferralTarget.received_at.is_not(None)


def _reached(establishments: Collection[UUID]) -> Select[ReferralTarget]:
    return (
        select(ReferralTarget)
        .join(ReferralTarget.referral)
        .where(*_at(establishments))
        .options(contains_eager(ReferralTarget.referral).joinedload(Referral.professional), *_PLACES)
    )


def _in_tray(name: str) -> ColumnElement[bool]:
    target = ReferralTarget
    found = {
        "to_answer": _state("received"),
        "late": and_(_state("received"), target.answer_by < db.now()),
        "asked": _state("asked"),
        "mine": and_(_state("received", "asked"), target.assigned_id == db.current_actor().account_id),
        "to_tell": and_(_state("accepted"), target.told_at.is_(None)),
        "accepted": _state("accepted"),
        "ended": _state("refused", "redirected", "completed", "withdrawn", "objected", "lapsed"),
    }
    return found[name]


def _state(*states: str) -> ColumnElement[bool]:
    """Written out in the statement: a partial index serves only what its condition is known to cover."""
    return ReferralTarget.state.in_([literal_column(f"'{state}'") for state in states])


def _order(sieve: Sieve) -> tuple[Any, ...]:
    target = ReferralTarget
    if sieve.is_search:
        return target.received_at.desc(), target.id
    if sieve.tray in ("accepted", "ended"):
        return target.changed_at.desc(), target.id
    if sieve.tray in ("asked", "to_tell"):
        return target.changed_at, target.id
    return target.answer_by.asc().nulls_last(), target.id


def _sieved(sieve: Sieve) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = [] if sieve.is_search else [_in_tray(sieve.tray)]
    if sieve.units:
        wanted.append(ReferralTarget.unit_id.in_(sieve.units))
    if sieve.kind:
        wanted.append(Referral.kind == sieve.kind)
    if sieve.born_on:
        wanted.append(Referral.birth_on == sieve.born_on)
    if sieve.words:
        words = sieve.words.strip().upper()
        wanted.append(or_(Referral.reference == words, Referral.birth_name == words))
    return wanted


def waiting_rows(now: datetime) -> Select[UUID, UUID, datetime | None, bool]:
    """What waits for each unit, as the digests of the day read it."""
    target = ReferralTarget
    is_late = target.answer_by < now
    return select(
        target.establishment_id, target.unit_id, target.received_at.label("since"), is_late.label("is_late")
    ).where(_state("received"), target.received_at.is_not(None))


# -- a patient's ---------------------------------------------------------------------------------------------------


def of_patient(patient_id: UUID) -> Sequence[ReferralTarget]:
    """Requests that concern somebody, latest first, one line for each unit that was reached."""
    query = (
        select(ReferralTarget)
        .join(ReferralTarget.referral)
        .where(ReferralTarget.patient_id == patient_id, ReferralTarget.received_at.is_not(None))
        .options(contains_eager(ReferralTarget.referral), *_PLACES)
        .order_by(ReferralTarget.received_at.desc())
        .limit(_MOST_SENT)
    )
    return session.scalars(query).all()


def one_of_patient(patient_id: UUID, target_id: UUID) -> ReferralTarget | None:
    """One of them, with the messages that are for the patient."""
    query = (
        select(ReferralTarget)
        .where(
            ReferralTarget.id == target_id,
            ReferralTarget.patient_id == patient_id,
            ReferralTarget.received_at.is_not(None),
        )
        .options(
            joinedload(ReferralTarget.referral),
            *_PLACES,
            selectinload(ReferralTarget.messages.and_(ReferralMessage.for_patient)),
            selectinload(ReferralTarget.changes),
        )
    )
    return session.scalar(query)


# -- files ---------------------------------------------------------------------------------------------------------


def file_of(target: ReferralTarget, file_id: UUID) -> ReferralFile | None:
    """A file of the request, or of a message of this target."""
    return session.scalar(
        select(ReferralFile)
        .outerjoin(ReferralMessage, ReferralMessage.id == ReferralFile.message_id)
        .where(
            ReferralFile.id == file_id,
            ReferralFile.referral_id == target.referral_id,
            or_(ReferralFile.message_id.is_(None), ReferralMessage.target_id == target.id),
        )
        .options(joinedload(ReferralFile.file))
    )
