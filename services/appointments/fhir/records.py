"""Appointments of a machine's hospital, with their version, and who and what a resource names."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from auth.models import Patient, PatientRecord
from portal.db import session
from portal.establishments import Practitioner, Unit
from services.appointments.fhir.incoming import Identifier
from services.appointments.fhir.models import AppointmentIdentifier
from services.appointments.models import (
    Appointment,
    AppointmentChange,
    ConsultationSession,
    Reason,
    SessionReason,
)
from services.appointments.slots import Slot

_LONGEST = timedelta(hours=15)


@dataclass(frozen=True)
class Written:
    """An appointment and all that its resource says. version: how many changes it has had."""

    appointment: Appointment
    version: int
    changed_at: datetime
    ipp: str | None
    identifiers: Sequence[Identifier]


@dataclass(frozen=True)
class Asked:
    """What a search wants. None: anything; empty: nothing can match. *_at bounds: [since, until[."""

    ids: Collection[UUID] | None = None
    identifiers: Sequence[Collection[tuple[str | None, str]]] = ()
    states: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None
    changed_until: datetime | None = None
    patients: Sequence[Collection[UUID]] = field(default_factory=tuple)
    practitioners: Collection[UUID] | None = None
    rpps: Collection[str] | None = None
    reasons: Collection[UUID] | None = None
    sites: Collection[UUID] | None = None


def found(establishment_id: UUID, asked: Asked, own: str, count: int, offset: int) -> tuple[list[Written], int]:
    """A page of appointments in order of time, and how many there are in all. own: our identifier system."""
    conditions = list(_conditions(establishment_id, asked, own))
    total = session.scalar(select(func.count()).select_from(Appointment).where(*conditions)) or 0
    if not count or offset >= total:
        return [], total
    query = _written(establishment_id).where(*conditions).order_by(Appointment.start_at, Appointment.id)
    return _completed(session.execute(query.limit(count).offset(offset)).all()), total


def one(establishment_id: UUID, appointment_id: UUID) -> Written | None:
    query = _written(establishment_id).where(Appointment.id == appointment_id)
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    return _completed(rows)[0] if rows else None


def _written(establishment_id: UUID) -> Select[Any]:
    changes = AppointmentChange.appointment_id == Appointment.id
    version = select(func.count()).where(changes).correlate(Appointment).scalar_subquery()
    changed_at = select(func.max(AppointmentChange.at)).where(changes).correlate(Appointment).scalar_subquery()
    return (
        select(Appointment, version, changed_at, PatientRecord.ipp)
        .join(Appointment.unit)
        .outerjoin(
            PatientRecord,
            and_(
                PatientRecord.patient_id == Appointment.patient_id,
                PatientRecord.establishment_id == Appointment.establishment_id,
            ),
        )
        .where(Appointment.establishment_id == establishment_id)
        .options(
            contains_eager(Appointment.unit).joinedload(Unit.site),
            joinedload(Appointment.establishment),
            joinedload(Appointment.patient),
            joinedload(Appointment.site),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
    )


def _completed(rows: Sequence[Any]) -> list[Written]:
    named: dict[UUID, list[Identifier]] = {}
    keys = [row[0].id for row in rows]
    for each in session.scalars(select(AppointmentIdentifier).where(AppointmentIdentifier.appointment_id.in_(keys))):
        named.setdefault(each.appointment_id, []).append((each.system, each.value))
    return [
        Written(made, version, changed_at or made.booked_at, ipp, sorted(named.get(made.id, ())))
        for made, version, changed_at, ipp in rows
    ]


def _conditions(establishment_id: UUID, asked: Asked, own: str) -> Sequence[ColumnElement[bool]]:
    table = Appointment
    chosen: list[tuple[Any, Collection[Any] | None]] = [
        (table.id, asked.ids),
        (table.state, asked.states),
        (table.practitioner_id, asked.practitioners),
        (table.reason_id, asked.reasons),
        (table.site_id, asked.sites),
    ]
    conditions = [table.establishment_id == establishment_id]
    conditions += [column.in_(values) for column, values in chosen if values is not None]
    conditions += [or_(*(_named(each, own) for each in group)) for group in asked.identifiers]
    conditions += [table.patient_id.in_(group) for group in asked.patients]
    if asked.rpps is not None:
        here = select(Practitioner.id).where(Practitioner.rpps.in_(asked.rpps))
        conditions.append(table.practitioner_id.in_(here))
    if asked.since:
        conditions.append(table.start_at >= asked.since)
    if asked.until:
        conditions.append(table.start_at < asked.until)
    changes = AppointmentChange.appointment_id == table.id
    if asked.changed_since:
        conditions.append(exists().where(changes, AppointmentChange.at >= asked.changed_since))
    if asked.changed_until:
        conditions.append(~exists().where(changes, AppointmentChange.at >= asked.changed_until))
    return conditions


def _named(token: tuple[str | None, str], own: str) -> ColumnElement[bool]:
    """An appointment under this identifier: our reference, or another system's."""
    system, value = token
    others = exists().where(
        AppointmentIdentifier.appointment_id == Appointment.id,
        AppointmentIdentifier.value == value,
        *([AppointmentIdentifier.system == system] if system is not None else []),
    )
    ours = Appointment.reference == value
    return or_(ours, others) if system is None else ours if system == own else others


# -- whom and what a resource names ------------------------------------------------------------------------------


def patients(establishment_id: UUID, identifiers: Collection[tuple[str | None, str]], ipp: str) -> list[UUID]:
    """The patients of this hospital under these identifiers: its own number (ipp: the system of these), or a qualified
    national identity. Never by name."""
    numbers = [value for system, value in identifiers if system in (None, ipp)]
    national = [(system or "", value) for system, value in identifiers if system not in (None, ipp)]
    record = and_(PatientRecord.patient_id == Patient.id, PatientRecord.establishment_id == establishment_id)
    conditions: list[ColumnElement[bool]] = [PatientRecord.ipp.in_(numbers)] if numbers else []
    conditions += [
        and_(
            Patient.ins == value, Patient.ins_oid == system.removeprefix("urn:oid:"), Patient.identity_status == "QUAL"
        )
        for system, value in national
        if value
    ]
    if not conditions:
        return []
    return list(session.scalars(select(Patient.id).join(PatientRecord, record).where(or_(*conditions)).distinct()))


def slot_at(
    establishment_id: UUID, reason_id: UUID, start_at: datetime, rpps: str, practitioner_id: UUID | None = None
) -> Slot | None:
    """Where an appointment for this reason begins at that moment with that practitioner; any of them when it is not
    said who."""
    table = ConsultationSession
    query = (
        select(table.id, table.start_at, table.step_min, table.n_cells)
        .join(SessionReason, SessionReason.session_id == table.id)
        .join(Practitioner, Practitioner.id == table.practitioner_id)
        .join(Reason, and_(Reason.id == SessionReason.reason_id, Reason.unit_id == table.unit_id))
        .where(
            table.establishment_id == establishment_id,
            SessionReason.reason_id == reason_id,
            table.start_at <= start_at,
            table.start_at > start_at - _LONGEST,
        )
        .order_by(table.start_at.desc(), table.id)
    )
    if rpps:
        query = query.where(Practitioner.rpps == rpps)
    if practitioner_id:
        query = query.where(table.practitioner_id == practitioner_id)
    for key, begins, step_min, n_cells in session.execute(query):
        cell, rest = divmod((start_at - begins).total_seconds(), step_min * 60)
        if not rest and cell < n_cells:
            return Slot(key, int(cell))
    return None
