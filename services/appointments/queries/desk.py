"""What the hospital's agents read: the day of a unit, and whom they have on the phone."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import contains_eager

from auth.models import Patient, PatientRecord
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments.models import Appointment, Reason
from services.appointments.queries.appointments import appointments
from services.appointments.queries.spelling import letters


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """Units that take appointments, by hospital and name."""
    return session.scalars(
        select(Unit)
        .join(Unit.establishment)
        .options(contains_eager(Unit.establishment))
        .where(Unit.establishment_id.in_(establishments), exists().where(Reason.unit_id == Unit.id))
        .order_by(Establishment.name, Unit.name)
    ).all()


def of_day(unit: Unit, day: date) -> Sequence[Appointment]:
    """A unit's appointments of one day of the hospital's calendar, in order of time."""
    tz = unit.establishment.tz
    begins, ends = (datetime.combine(each, time(), tz) for each in (day, day + timedelta(days=1)))
    return session.scalars(
        appointments()
        .where(Appointment.unit_id == unit.id, Appointment.start_at >= begins, Appointment.start_at < ends)
        .order_by(Appointment.start_at, Appointment.booked_at)
    ).all()


class OfPatient(Protocol):
    """What a patient has at a hospital: an appointment, a request for one."""

    @property
    def establishment_id(self) -> UUID: ...
    @property
    def patient_id(self) -> UUID: ...


def numbers(theirs: Iterable[OfPatient]) -> dict[UUID, str]:
    """Patient → the number (IPP) given by the hospital, the same one for all of these."""
    rows = list(theirs)
    if not rows:
        return {}
    records = session.scalars(
        select(PatientRecord).where(
            PatientRecord.establishment_id == rows[0].establishment_id,
            PatientRecord.patient_id.in_({each.patient_id for each in rows}),
        )
    )
    return {record.patient_id: record.ipp for record in records if record.ipp}


def find_patients(
    establishment_id: UUID, *, ipp: str = "", birth_name: str = "", birth_on: date | None = None
) -> Sequence[Patient]:
    """Patients a hospital knows by this number, or by this name (birth or used, accents aside) and birth date."""
    query = (
        select(Patient)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .where(PatientRecord.establishment_id == establishment_id)
    )
    if ipp:
        return session.scalars(query.where(PatientRecord.ipp == ipp)).all()
    born = session.scalars(query.where(Patient.birth_on == birth_on)).all()
    wanted = letters(birth_name)
    return [each for each in born if wanted and wanted in (letters(each.birth_name), letters(each.used_name))]


def known_patient(patient_id: UUID, establishments: Collection[UUID]) -> Patient | None:
    """A patient with a record at one of these hospitals."""
    record = exists().where(PatientRecord.patient_id == Patient.id, PatientRecord.establishment_id.in_(establishments))
    return session.scalar(select(Patient).where(Patient.id == patient_id, record))


def one_at(appointment_id: UUID, establishments: Collection[UUID]) -> Appointment | None:
    return session.scalar(
        appointments().where(Appointment.id == appointment_id, Appointment.establishment_id.in_(establishments))
    )
