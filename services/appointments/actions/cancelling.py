"""Giving an appointment back."""

from collections.abc import Sequence

from auth import acts
from portal import db, kpi
from services.appointments import states
from services.appointments.actions import booking, capacity
from services.appointments.actions.facts import AlreadyOver
from services.appointments.actions.traces import tell_of, write_to_patient
from services.appointments.models import Appointment


def cancel(appointment: Appointment, why: str) -> None:
    """A patient gives their slot back. why: one of states.CANCELLED_BY_PATIENT.

    Raises TooLateToCancel within the reason's cut-off, AlreadyOver when it is cancelled or past.
    """
    booking.check_cut_off(appointment)
    _release(appointment, why, "web")


def cancel_for(appointment: Appointment, why: str) -> None:
    """The practitioner of the city who booked it gives it back. why, and raises: as `cancel`."""
    booking.check_cut_off(appointment)
    _release(appointment, why, "city")


def cancel_for_patient(appointment: Appointment, why: str) -> None:
    """An agent cancels, at any time before it starts. why: one of states.CANCELLED_BY_HOSPITAL. Raises AlreadyOver."""
    _release(appointment, why, "phone")


def cancel_together(visits: Sequence[Appointment], why: str, *, by_agent: bool) -> None:
    """Give back several visits of one patient, in order of time, all or none; who asks writes to the patient.

    Raises TooLateToCancel within the cut-off of one of them, unless an agent does it, and AlreadyOver.
    """
    locked = [booking.lock(each) for each in sorted(visits, key=lambda each: each.id)]
    capacity.hold_still([each.session_id for each in locked])
    for each in locked:
        if not by_agent:
            booking.check_cut_off(each)
        _release(each, why, "phone" if by_agent else "web", quietly=True)


def _release(appointment: Appointment, why: str, channel: str, *, quietly: bool = False) -> None:
    appointment = booking.lock(appointment)
    if db.now() >= appointment.start_at or appointment.state != states.BOOKED:
        raise AlreadyOver
    before = booking.go_to(appointment, states.CANCELLED, cancel_reason=why)
    capacity.give_back(appointment)
    tell_of(appointment, "cancelled", before, why)
    kpi.count("appointment_cancelled", establishment_id=appointment.establishment_id, channel=channel, dimension=why)
    acts.count("appointments", appointment.establishment_id, appointment.patient_id)
    if not quietly:
        write_to_patient("appointments.tell_cancelled_by_mail", appointment)
