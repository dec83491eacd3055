"""What a practitioner of the city does for a patient they send: describe them, book, move, cancel.

What is typed finds nobody: a provisional person is registered at the hospital, whose identity unit is told when they
resemble somebody. The practitioner reads the same answer whether or not they do.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from auth import records
from portal import audit
from portal.db import session
from services.appointments import actions
from services.appointments.city import queries
from services.appointments.city.models import SentAppointment, SentPatient
from services.appointments.models import Appointment
from services.appointments.slots import Slot


@dataclass(frozen=True, repr=False)
class Described:
    """A patient in a practitioner's words: the strict traits (RNIV), and where to write to them if they gave it."""

    birth_name: str
    first_name: str
    birth_on: date
    sex: str
    mobile: str = ""
    email: str = ""


def describe(professional_id: UUID, establishment_id: UUID, told: Described) -> SentPatient:
    """Register somebody at a hospital, provisionally, for this practitioner."""
    with records.as_system("city.describe"):
        patient_id = records.register_patient(
            establishment_id,
            birth_name=told.birth_name,
            first_name=told.first_name,
            birth_on=told.birth_on,
            sex=told.sex,
            mobile=told.mobile,
            email=told.email,
        ).id
    sent = SentPatient(
        id=uuid4(),
        professional_id=professional_id,
        establishment_id=establishment_id,
        patient_id=patient_id,
        birth_name=told.birth_name.strip().upper(),
        first_name=told.first_name.strip(),
        birth_on=told.birth_on,
        sex=told.sex,
        mobile=told.mobile,
        email=told.email,
    )
    session.add(sent)
    session.flush()
    audit.record(
        "patient.described",
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="patient",
        object_id=patient_id,
    )
    return sent


def describe_again(sent: SentPatient, establishment_id: UUID) -> SentPatient:
    """The same person at this hospital: a hospital knows nothing of what another was told."""
    if sent.establishment_id == establishment_id:
        return sent
    told = Described(sent.birth_name, sent.first_name, sent.birth_on, sent.sex, sent.mobile, sent.email)
    known = queries.described_at(sent, establishment_id)
    return known or describe(sent.professional_id, establishment_id, told)


def book(sent: SentPatient, reason_id: UUID, slot: Slot) -> Appointment:
    """Take a time for somebody this practitioner described to that hospital. Raises as `actions.book_for`."""
    made = actions.book_for(sent.patient_id, reason_id, slot)
    session.add(SentAppointment(appointment_id=made.id, sent_patient_id=sent.id, professional_id=sent.professional_id))
    session.flush()
    return made


def move(sent: SentAppointment, slot: Slot) -> None:
    """Another time for the same reason. Raises as `actions.move_for`."""
    actions.move_for(sent.appointment, slot)


def cancel(sent: SentAppointment, why: str) -> None:
    """why: one of states.CANCELLED_BY_PATIENT. Raises TooLateToCancel, AlreadyOver."""
    actions.cancel_for(sent.appointment, why)
