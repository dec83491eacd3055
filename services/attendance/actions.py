"""Describing emergency departments, and saying how they stand."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal import audit, db, kpi
from portal.db import session
from portal.establishments import Unit
from services.attendance import estimates, queries, states
from services.attendance.estimates import Told
from services.attendance.models import EmergencyDepartment, EmergencyReading

Outcome = Literal["added", "changed", "unchanged"]
Around = Callable[[], AbstractContextManager[Any]]


class CodeTaken(Exception):
    """Another department of this hospital has this code."""


class NoSuchDepartment(Exception):
    """No department of this hospital has this code."""


class NothingToConfirm(Exception):
    """Nothing that is still shown was said of this department."""


@dataclass(frozen=True)
class Described:
    """A department as an administrator writes it; see `models.EmergencyDepartment`."""

    code: str
    kind: str
    name: str = ""
    phone: str = ""
    access: str = ""
    position: int = 0
    is_published: bool = False


# -- departments -------------------------------------------------------------------------------------------------


def add_department(unit: Unit, told: Described) -> EmergencyDepartment:
    """Say that emergencies are received in this unit. Raises CodeTaken."""
    _check_code(unit.establishment_id, told.code)
    made = EmergencyDepartment(
        id=uuid4(), establishment_id=unit.establishment_id, unit_id=unit.id, **asdict(told)
    )  # fmt: skip
    session.add(made)
    session.flush()
    _record("emergency_department.added", made.establishment_id, made.id)
    return made


def change_department(department: EmergencyDepartment, unit: Unit, told: Described) -> None:
    """Raises CodeTaken."""
    if told.code != department.code:
        _check_code(department.establishment_id, told.code)
    department.unit_id = unit.id
    for name, value in asdict(told).items():
        setattr(department, name, value)
    session.flush()
    _record("emergency_department.changed", department.establishment_id, department.id)


def remove_department(department: EmergencyDepartment) -> None:
    """Shown nowhere any more; its code is free again."""
    department.removed_at, department.is_published = db.now(), False
    department.code = f"x-{department.id.hex[:24]}"
    session.flush()
    _record("emergency_department.removed", department.establishment_id, department.id)


def _check_code(establishment_id: UUID, code: str) -> None:
    taken = select(EmergencyDepartment.id).where(
        EmergencyDepartment.establishment_id == establishment_id, EmergencyDepartment.code == code
    )
    if session.scalar(taken) is not None:
        raise CodeTaken(code)


# -- figures -----------------------------------------------------------------------------------------------------


def report(department: EmergencyDepartment, told: Told, now: datetime) -> Outcome:
    """An agent says how the department stands now. Raises NotAFigure."""
    return _keep(department, estimates.checked(told, now), "entered")


def confirm(department: EmergencyDepartment, now: datetime) -> None:
    """What was said is still true. Raises NothingToConfirm."""
    last = queries.last_reading(department)
    if last is None or last.state == states.UNKNOWN or now - last.measured_at > estimates.OLDEST:
        raise NothingToConfirm
    _keep(department, replace(last.told, measured_at=now), "entered")


def withdraw(department: EmergencyDepartment, now: datetime) -> None:
    """Nothing is said of it until somebody says something again."""
    _keep(department, Told(now, states.UNKNOWN), "entered")


def receive(
    establishment_id: UUID, reports: Sequence[tuple[str, Told]], now: datetime, around: Around = nullcontext
) -> dict[str, int]:
    """A system of the hospital says how its departments stand: how many reports were added, changed, unchanged.

    reports: (code of the department, what is said). The same report again changes nothing. around: whoever may write
    the rows. Raises NotAFigure or NoSuchDepartment; then nothing may be kept.
    """
    sound = [(code, estimates.checked(told, now)) for code, told in reports]
    counts: dict[str, int] = {"added": 0, "changed": 0, "unchanged": 0}
    news = list[tuple[UUID, Told]]()
    with around():
        _one_at_a_time(establishment_id)
        departments = queries.by_code(establishment_id)
        for code, told in sound:
            if code not in departments:
                raise NoSuchDepartment(code)
            before = queries.last_reading(departments[code])
            outcome = _write(departments[code], told, "machine")
            counts[outcome] += 1
            # Every five minutes a figure comes: the journal keeps what changes the way people are received.
            if outcome != "unchanged" and (before is None or _is_news(before.told, told)):
                news.append((departments[code].id, told))
    for department_id, told in news:
        _record("attendance.reported", establishment_id, department_id, state=told.state)
    return counts


def _is_news(before: Told, told: Told) -> bool:
    return (before.state, dict(before.message)) != (told.state, dict(told.message))


def _keep(department: EmergencyDepartment, told: Told, source: str) -> Outcome:
    _one_at_a_time(department.establishment_id)
    last = queries.last_reading(department)
    if last is not None and last.measured_at >= told.measured_at:
        # The clock of another system is a little fast: what is said now comes after what it said.
        told = replace(told, measured_at=last.measured_at + timedelta(microseconds=1))
    outcome = _write(department, told, source)
    event = "attendance.withdrawn" if told.state == states.UNKNOWN else "attendance.reported"
    _record(event, department.establishment_id, department.id, state=told.state)
    return outcome


def _one_at_a_time(establishment_id: UUID) -> None:
    """Two calls at once for one hospital wait for each other, whatever the order of their departments."""
    key = f"emergency departments {establishment_id}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _write(department: EmergencyDepartment, told: Told, source: str) -> Outcome:
    """One row a moment."""
    row = session.scalar(
        select(EmergencyReading).where(
            EmergencyReading.department_id == department.id, EmergencyReading.measured_at == told.measured_at
        )
    )
    if row is not None and row.told == told:
        return "unchanged"
    outcome: Outcome = "added" if row is None else "changed"
    if row is None:
        row = EmergencyReading(id=uuid4(), establishment_id=department.establishment_id, department_id=department.id,
                               measured_at=told.measured_at)  # fmt: skip
        session.add(row)
    row.source, row.state, row.waiting, row.received_at = source, told.state, told.waiting, db.now()
    row.minutes_from, row.minutes_to = told.minutes or (None, None)
    row.message = dict(told.message)
    session.flush()
    kpi.count("attendance_reported", establishment_id=department.establishment_id, dimension=source)
    return outcome


def count_quarter(now: datetime) -> None:
    """For each published department: are its figures shown at this moment?"""
    for shown in queries.shown(now):
        dimension = "shown" if shown.is_known else "not_shown"
        kpi.count("attendance_quarter", establishment_id=shown.department.establishment_id, dimension=dimension)


def _record(event: str, establishment_id: UUID, department_id: UUID, **details: Any) -> None:
    audit.record(
        event,
        establishment_id=establishment_id,
        object_kind="emergency_department",
        object_id=department_id,
        **details,
    )
