"""Everything with a legal or promised date, from the rooms that keep it, in one list: late first.

Each source says what it is about, whose right answers it and where its own page is; adding one is adding a `Source`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    Text,
    Uuid,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from auth.account.models import DataRequest
from auth.account.states import CLOSED
from auth.oversight.models import AccessReview, SecurityIncident
from auth.oversight.queries import AUTHORITY_WITHIN
from portal import db
from portal.catalog.legal.models import REPORT_STATES, AccessibilityReport
from portal.db import session
from portal.establishments import Establishment
from services.documents.requests.models import RecordRequest
from services.satisfaction.models import Opinion, OpinionComment

PAGE_SIZE: Final = 50
SOON: Final = timedelta(days=7)
REPORT_WITHIN: Final = timedelta(days=30)
"""Reports about pages that cannot be used have no legal date: a month, as for other requests."""
Places = Mapping[str, frozenset[UUID]]
"""Right → the hospitals where the agent holds it."""


@dataclass(frozen=True)
class Source:
    """One kind of thing that has a date. rows: given the hospitals, a select of these columns in this order: kind, id,
    place (null: the group's), name (a reference or a title, never a patient's), what (a code of its own words),
    due_at, zone. endpoint, parameter: of its own page."""

    kind: str
    right: str
    endpoint: str
    parameter: str
    rows: Callable[[frozenset[UUID]], Select[*tuple[Any, ...]]]


@dataclass(frozen=True)
class Deadline:
    """One thing with a date. place: none for the group's. zone: of the hospital's clock."""

    kind: str
    id: UUID
    place: UUID | None
    name: str
    what: str
    due_at: datetime
    zone: str

    @property
    def source(self) -> Source:
        return SOURCES[self.kind]


@dataclass(frozen=True)
class Number:
    """How many of one kind, how many of them late, how many within a week."""

    everything: int = 0
    late: int = 0
    soon: int = 0


@dataclass(frozen=True)
class Wanted:
    """What the list shows. urgency: "" | late | soon."""

    kind: str = ""
    place: UUID | None = None
    urgency: str = ""
    page: int = 1


def sources(rights: Places) -> Sequence[Source]:
    """Those whose things this agent may answer."""
    return [each for each in SOURCES.values() if rights.get(each.right)]


def deadlines(rights: Places, wanted: Wanted) -> Sequence[Deadline]:
    """The most urgent first: a page and one more when there is a next one."""
    found = _together(rights, wanted.kind)
    if found is None:
        return []
    query = select(found).where(*_asked(found, wanted)).order_by(found.c.due_at, found.c.id)
    rows = session.execute(query.offset((wanted.page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1))
    return [Deadline(*tuple(row)) for row in rows]


def numbers(rights: Places, place: UUID | None = None) -> Mapping[str, Number]:
    """By kind, at all the agent's hospitals or at one; in one statement."""
    found = _together(rights)
    if found is None:
        return {}
    now = db.now()
    late, soon = found.c.due_at < now, found.c.due_at.between(now, now + SOON)
    query = select(found.c.kind, func.count(), func.count().filter(late), func.count().filter(soon))
    rows = session.execute(query.where(*_asked(found, Wanted(place=place))).group_by(found.c.kind))
    return {kind: Number(everything, is_late, is_soon) for kind, everything, is_late, is_soon in rows}


def late(rights: Places) -> Select[int] | None:
    """How many are late, for the first page of the staff; None for whoever answers nothing of it."""
    found = _together(rights)
    return None if found is None else select(func.count()).select_from(found).where(found.c.due_at < db.now())


def _together(rights: Places, kind: str = "") -> Subquery | None:
    selects = [each.rows(rights[each.right]) for each in sources(rights) if kind in ("", each.kind)]
    return union_all(*selects).subquery("deadlines") if selects else None


def _asked(found: Subquery, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    now = db.now()
    if wanted.place:
        conditions.append(found.c.place == wanted.place)
    if wanted.urgency == "late":
        conditions.append(found.c.due_at < now)
    elif wanted.urgency == "soon":
        conditions.append(found.c.due_at.between(now, now + SOON))
    return conditions


# -- the sources -------------------------------------------------------------------------------------------------


def _end_of(day: Any) -> ColumnElement[datetime]:
    """The moment at which a civil day of the hospital is over."""
    return func.timezone(Establishment.time_zone, cast(day + 1, DateTime()))


def _row(kind: str, id_: Any, place: Any, name: Any, what: Any, due_at: Any) -> Select[*tuple[Any, ...]]:
    zone = Establishment.time_zone if place is not None else literal("Europe/Paris")
    return select(
        literal(kind).label("kind"),
        id_.label("id"),
        (place if place is not None else cast(null(), Uuid)).label("place"),
        cast(name, Text).label("name"),
        cast(what, Text).label("what"),
        cast(due_at, DateTime(timezone=True)).label("due_at"),
        zone.label("zone"),
    )


def _requests_of(kind: str, desk: str) -> Callable[[frozenset[UUID]], Select[*tuple[Any, ...]]]:
    asked = RecordRequest

    def rows(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
        return (
            _row(kind, asked.id, asked.establishment_id, asked.reference, asked.kind, _end_of(asked.due_on))
            .join(Establishment, Establishment.id == asked.establishment_id)
            .where(asked.desk == desk, asked.establishment_id.in_(places), asked.due_on.is_not(None))
        )

    return rows


def _data_requests(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
    asked = DataRequest
    return (
        _row("data_request", asked.id, asked.establishment_id, asked.number, asked.kind, _end_of(asked.due_on))
        .join(Establishment, Establishment.id == asked.establishment_id)
        .where(asked.establishment_id.in_(places), asked.state.not_in(CLOSED))
    )


def _incidents(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
    """Those of which the CNIL must still be told."""
    known = SecurityIncident
    due_at = known.detected_at + AUTHORITY_WITHIN
    return (
        _row("incident", known.id, known.establishment_id, known.title, known.kind, due_at)
        .join(Establishment, Establishment.id == known.establishment_id)
        .where(
            known.establishment_id.in_(places),
            known.risk != "none",
            known.authority_told_at.is_(None),
            known.authority_why == "",
            known.closed_at.is_(None),
        )
    )


def _comments(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
    said = OpinionComment
    return (
        _row("comment", said.opinion_id, said.establishment_id, literal(""), Opinion.service, _end_of(said.due_on))
        .join(Opinion, Opinion.id == said.opinion_id)
        .join(Establishment, Establishment.id == said.establishment_id)
        .where(said.establishment_id.in_(places), said.decision == "")
    )


def _reviews(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
    review = AccessReview
    return (
        _row("review", review.id, review.establishment_id, literal(""), literal(""), _end_of(review.due_on))
        .join(Establishment, Establishment.id == review.establishment_id)
        .where(review.establishment_id.in_(places), review.closed_at.is_(None))
    )


def _reports(places: frozenset[UUID]) -> Select[*tuple[Any, ...]]:
    """For those who administer every hospital: nobody else answers what is of the whole group."""
    told = AccessibilityReport
    others = select(Establishment.id).where(Establishment.id.not_in(places)).exists()
    waiting = or_(*(told.state == state for state in REPORT_STATES[:-1]))
    due_at = told.created_at + REPORT_WITHIN
    return _row("accessibility", told.id, None, literal(""), told.state, due_at).where(waiting, ~others)


SOURCES: Final[Mapping[str, Source]] = {
    each.kind: each
    for each in (
        Source("incident", "audit", "admin_incidents.one", "incident_id", _incidents),
        Source(
            "record", "documents", "admin_record_requests.show", "request_id", _requests_of("record", "documents")
        ),
        Source(
            "complaint", "administration", "admin_user_requests.show", "request_id",
            _requests_of("complaint", "administration"),
        ),
        Source("data_request", "identity", "admin_data_requests.show", "request_id", _data_requests),
        Source("comment", "administration", "admin_opinions.show", "opinion_id", _comments),
        Source("accessibility", "administration", "admin_accessibility.report", "report_id", _reports),
        Source("review", "administration", "admin_access_reviews.one", "review_id", _reviews),
    )
}  # fmt: skip
"""In the order in which filters offer them."""
