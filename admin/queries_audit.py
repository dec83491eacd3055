"""The journal: who did what to whose file, at the hospitals of an auditor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_

from auth.models import Patient
from portal.audit import AuditEvent
from portal.db import session

PAGE = 50
MOST_EXPORTED = 20_000


@dataclass(frozen=True)
class Search:
    """What an auditor looks for. Days are civil, both included; action is a code or its beginning (`document`).

    actor: a part of a name; agent, patient, object_id: exactly these. Names stay out of addresses: whoever searches by
    a person has found them first.
    """

    establishment_ids: frozenset[UUID]
    first: date
    last: date
    zone: ZoneInfo
    action: str = ""
    actor: str = ""
    before: int | None = None
    agent: UUID | None = None
    patient: UUID | None = None
    object_id: UUID | None = None


@dataclass(frozen=True)
class Line:
    """One event, and the person whose file it was when the reader may know them."""

    event: AuditEvent
    patient: Patient | None


@dataclass(frozen=True)
class Page:
    """The newest lines first; `older` is the id to search before, for the next page."""

    lines: Sequence[Line]
    older: int | None


def events(search: Search) -> Page:
    """One page of the journal."""
    rows = session.execute(_query(search).limit(PAGE + 1)).all()
    lines = [Line(event, patient) for event, patient in rows[:PAGE]]
    return Page(lines, lines[-1].event.id if len(rows) > PAGE else None)


def every_event(search: Search) -> Iterator[Line]:
    """The same, whole, newest first, up to MOST_EXPORTED."""
    for event, patient in session.execute(_query(search).limit(MOST_EXPORTED)):
        yield Line(event, patient)


def patient(patient_id: UUID) -> Patient | None:
    """The person whose file it is, when the reader may know them."""
    return session.get(Patient, patient_id)


def _query(search: Search) -> "Select[AuditEvent, Patient]":
    query = select(AuditEvent, Patient).outerjoin(Patient, Patient.id == AuditEvent.patient_id)
    query = query.where(
        AuditEvent.establishment_id.in_(search.establishment_ids), *_between(search), *_narrowed(search)
    )
    return query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc())


Condition = ColumnElement[bool]


def _between(search: Search) -> list[Condition]:
    conditions = [
        AuditEvent.at >= _midnight(search.first, search.zone),
        AuditEvent.at < _midnight(search.last + timedelta(days=1), search.zone),
    ]
    if search.before is not None:
        # Several events may share a moment: the page goes on from the pair, which the index holds in this order.
        moment = select(AuditEvent.at).where(AuditEvent.id == search.before).scalar_subquery()
        conditions.append(tuple_(AuditEvent.at, AuditEvent.id) < tuple_(moment, literal(search.before)))
    return conditions


def _narrowed(search: Search) -> list[Condition]:
    conditions: list[Condition] = []
    if search.action:
        below = AuditEvent.action.startswith(f"{search.action}.", autoescape=True)
        conditions.append((AuditEvent.action == search.action) | below)
    if search.actor:
        conditions.append(func.lower(AuditEvent.actor_name).contains(search.actor.lower(), autoescape=True))
    if search.agent is not None:
        conditions.append(AuditEvent.actor == f"staff:{search.agent}")
    if search.patient is not None:
        conditions.append(AuditEvent.patient_id == search.patient)
    if search.object_id is not None:
        conditions.append(AuditEvent.object_id == search.object_id)
    return conditions


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
