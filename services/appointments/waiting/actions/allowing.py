"""Who may book a reason alone online, and so wait for it: the same rules as a booking's."""

from uuid import UUID

from sqlalchemy import exists, func, select

from auth.models import PatientRecord
from portal import db
from portal.db import session
from services.appointments.actions import KnownPatientsOnly, ReferralOnly, TooManyAppointments
from services.appointments.models import Appointment, Reason
from services.appointments.states import BOOKED


def check(patient_id: UUID, reason: Reason) -> None:
    """Raises ReferralOnly, KnownPatientsOnly or TooManyAppointments."""
    if reason.by_referral_only:
        raise ReferralOnly
    if not reason.open_to_new_patients and not _is_known(patient_id, reason):
        raise KnownPatientsOnly
    if reason.max_to_come and _to_come(patient_id, reason) >= reason.max_to_come:
        raise TooManyAppointments


def _is_known(patient_id: UUID, reason: Reason) -> bool:
    record = exists().where(
        PatientRecord.patient_id == patient_id,
        PatientRecord.establishment_id == reason.establishment_id,
        PatientRecord.ipp.is_not(None),
    )
    return bool(session.scalar(select(record)))


def _to_come(patient_id: UUID, reason: Reason) -> int:
    query = select(func.count()).where(
        Appointment.patient_id == patient_id,
        Appointment.reason_id == reason.id,
        Appointment.state == BOOKED,
        Appointment.start_at > db.now(),
    )
    return session.scalar(query) or 0
