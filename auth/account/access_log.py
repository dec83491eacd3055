"""Who opened one's file: the audit's lines about one person, as that person may read them (domain reference, 6.6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_

from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.establishments import Establishment, EstablishmentSetting

PAGE = 50
MOST_DOWNLOADED = 20_000
SHOW_NAMES = "show_agent_names"
"""A hospital's setting: "yes" lets patients read the names of its agents, and not only their function."""
GROUP_ZONE = ZoneInfo("Europe/Paris")
_KINDS_OF_SCOPE = {
    "medical": ("document", "exchange", "exchange_message", "parcel", "circle_member", "referral_target"),
    "payment": ("bill",),
    "administrative": ("appointment", "preadmission", "piece", "folder"),
}
_KINDS_OF_NO_SCOPE = ("", "account", "patient", "patient_access", "mandate", "data_request", "support_session")


@dataclass(frozen=True)
class Search:
    """patient_id: whose file. year: civil, of the group. others: only what others did. before: id of the last line of
    the page before."""

    patient_id: UUID
    year: int | None = None
    establishment_id: UUID | None = None
    others: bool = False
    before: int | None = None


@dataclass(frozen=True)
class Page:
    """The newest lines first; `older`: from where the next page goes on."""

    lines: Sequence[AuditEvent]
    older: int | None


@dataclass(frozen=True)
class Places:
    """The group's hospitals by id, and those that let their agents' names be read."""

    hospitals: dict[UUID, Establishment]
    naming: frozenset[UUID]


def lines(search: Search) -> Page:
    """One page."""
    rows = session.scalars(_query(search).limit(PAGE + 1)).all()
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return Page(rows[:PAGE], last.id if last else None)


def all_lines(search: Search) -> Iterator[AuditEvent]:
    """Every line, newest first, for the download."""
    return iter(session.scalars(_query(search).limit(MOST_DOWNLOADED)))


def first_year(patient_id: UUID) -> int | None:
    """The year of the file's first line; None when there is none."""
    first = session.scalar(select(func.min(AuditEvent.at)).where(AuditEvent.patient_id == patient_id))
    return first.astimezone(GROUP_ZONE).year if first else None


def places() -> Places:
    naming = EstablishmentSetting
    says_yes = (naming.establishment_id == Establishment.id) & (naming.key == SHOW_NAMES) & (naming.value == "yes")
    rows = session.execute(
        select(Establishment, naming.value).outerjoin(naming, says_yes).order_by(Establishment.name)
    ).all()
    return Places({each.id: each for each, _shown in rows}, frozenset(each.id for each, shown in rows if shown))


def _query(search: Search) -> Select[AuditEvent]:
    query = select(AuditEvent).where(AuditEvent.patient_id == search.patient_id, *_conditions(search))
    return query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())


def _conditions(search: Search) -> Iterator[ColumnElement[bool]]:
    if search.year is not None:
        yield AuditEvent.at >= datetime(search.year, 1, 1, tzinfo=GROUP_ZONE)
        yield AuditEvent.at < datetime(search.year + 1, 1, 1, tzinfo=GROUP_ZONE)
    if search.establishment_id is not None:
        yield AuditEvent.establishment_id == search.establishment_id
    if search.others:
        yield AuditEvent.actor != db.current_actor().label
    if search.before is not None:
        # Several lines may share a moment: the page goes on from the pair, which the index holds in this order.
        moment = select(AuditEvent.at).where(AuditEvent.id == search.before).scalar_subquery()
        yield tuple_(AuditEvent.at, AuditEvent.id) < tuple_(moment, literal(search.before))
    if search.patient_id in db.current_actor().proxied:
        yield AuditEvent.object_kind.in_(_covered(search.patient_id))


def _covered(patient_id: UUID) -> list[str]:
    """What the actor's mandate covers; of the rest the log does not even tell that there is a letter, or a bill."""
    actor = db.current_actor()
    held = [scope for scope in _KINDS_OF_SCOPE if patient_id in actor.people(scope)]
    return [*_KINDS_OF_NO_SCOPE, *(kind for scope in held for kind in _KINDS_OF_SCOPE[scope])]
