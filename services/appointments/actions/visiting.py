"""The day itself: who is there, who was seen, who did not come."""

from datetime import date, timedelta

from portal import audit, db, kpi
from portal.establishments import Unit
from services.appointments import states
from services.appointments.actions import booking
from services.appointments.actions.facts import NotYet
from services.appointments.actions.traces import tell_of
from services.appointments.models import Appointment

_EARLIEST = timedelta(hours=12)


def arrive(appointment: Appointment) -> None:
    """The patient is at the desk. Raises NotYet half a day before, NotAllowed, AlreadyOver."""
    if db.now() < appointment.start_at - _EARLIEST:
        raise NotYet
    _go_to(appointment, states.ARRIVED, "arrived")


def finish(appointment: Appointment) -> None:
    """The patient was seen. Raises NotAllowed, AlreadyOver."""
    _go_to(appointment, states.DONE, "finished")


def miss(appointment: Appointment, why: str) -> None:
    """The patient did not come. why: one of states.MISSED_BECAUSE. Raises NotYet before the time, NotAllowed."""
    if db.now() < appointment.start_at:
        raise NotYet
    _go_to(appointment, states.MISSED, "missed", why)


def correct(appointment: Appointment) -> None:
    """What was said of the visit was a mistake: the patient is expected again. Raises NotAllowed, AlreadyOver."""
    _go_to(appointment, states.BOOKED, "expected_again")


def _go_to(appointment: Appointment, state: str, what: str, why: str = "") -> None:
    appointment = booking.lock(appointment)
    before = booking.go_to(appointment, state, missed_because=why)
    tell_of(appointment, what, before, why)
    kpi.count(f"appointment_{what}", establishment_id=appointment.establishment_id, dimension=why)


# -- the staff looks ---------------------------------------------------------------------------------------------


def open_day(unit: Unit, day: date) -> None:
    """An agent opens a unit's list of the day: names are shown, so the audit knows."""
    audit.record(
        "appointment_list.opened",
        establishment_id=unit.establishment_id,
        object_kind="unit",
        object_id=unit.id,
        day=day.isoformat(),
    )


def open_appointment(appointment: Appointment) -> None:
    """An agent opens a patient's appointment."""
    audit.record(
        "appointment.opened",
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )
