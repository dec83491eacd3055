"""What a practitioner of the city does for a patient they send: book, move, cancel."""

from uuid import UUID

from portal import audit
from portal.db import session
from services.appointments import actions
from services.appointments.city.models import SentAppointment
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from services.sent_patients.models import SentPatient


def book(sent: SentPatient, reason_id: UUID, slot: Slot) -> Appointment:
    """Take a time for somebody this practitioner described to that hospital. Raises as `actions.book_for`."""
    made = actions.book_for(sent.patient_id, reason_id, slot)
    _note(made, sent.id, sent.professional_id)
    return made


def follow(made: Appointment, sent_patient_id: UUID, professional_id: UUID) -> None:
    """What the hospital booked at the request of a practitioner is theirs to follow, move and cancel, as if they had
    booked it for the patient whom they described."""
    made.professional_id = professional_id
    _note(made, sent_patient_id, professional_id)
    audit.record(
        "appointment.followed",
        patient_id=made.patient_id,
        establishment_id=made.establishment_id,
        object_kind="appointment",
        object_id=made.id,
    )


def _note(made: Appointment, sent_patient_id: UUID, professional_id: UUID) -> None:
    session.add(
        SentAppointment(appointment_id=made.id, sent_patient_id=sent_patient_id, professional_id=professional_id)
    )
    session.flush()


def move(sent: SentAppointment, slot: Slot) -> None:
    """Another time for the same reason. Raises as `actions.move_for`."""
    actions.move_for(sent.appointment, slot)


def cancel(sent: SentAppointment, why: str) -> None:
    """why: one of states.CANCELLED_BY_PATIENT. Raises TooLateToCancel, AlreadyOver."""
    actions.cancel_for(sent.appointment, why)
