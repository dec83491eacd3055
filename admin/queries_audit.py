"""The journal: who did what to whose file, at the hospitals of an auditor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, literal, select, tuple_

from auth.models import Patient
from portal.audit import AuditEvent
from portal.db import session

PAGE = 50


@dataclass(frozen=True)
class Search:
    """What an auditor looks for. Days are civil, both included; action is a code or its beginning (`document`)."""

    establishment_ids: frozenset[UUID]
    first: date
    last: date
    zone: ZoneInfo
    action: str = ""
    actor: str = ""
    before: int | None = None


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
    query = select(AuditEvent, Patient).outerjoin(Patient, Patient.id == AuditEvent.patient_id)
    query = query.where(
        AuditEvent.establishment_id.in_(search.establishment_ids), *_between(search), *_narrowed(search)
    )
    rows = session.execute(query.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(PAGE + 1)).all()
    lines = [Line(event, patient) for event, patient in rows[:PAGE]]
    return Page(lines, lines[-1].event.id if len(rows) > PAGE else None)


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
    return conditions


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
