"""The day itself: who is there, who was seen, who did not come, who comes without an appointment."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from auth.models import Patient
from portal import audit, db, kpi
from portal.db import session
from portal.establishments import Unit
from services.appointments import attendance, states
from services.appointments.actions import booking
from services.appointments.actions.facts import NotYet
from services.appointments.actions.traces import tell_of
from services.appointments.models import Appointment
from services.appointments.slots import Slot
from services.appointments.states import NotAllowed

_EARLIEST = timedelta(hours=12)


def arrive(appointment: Appointment, *, at_kiosk: bool = False) -> None:
    """The patient is there, and said so at the desk or at a terminal. Raises NotYet half a day before, NotAllowed,
    AlreadyOver."""
    why = "kiosk" if at_kiosk else ""
    _go_to(_of_today(appointment), states.ARRIVED, "arrived", why, arrived_at=db.now(), at_kiosk=at_kiosk)


def call_in(appointment: Appointment) -> None:
    """The practitioner receives the patient, who was waiting; again is harmless. Raises NotAllowed, AlreadyOver."""
    appointment = booking.lock(appointment)
    if appointment.state != states.ARRIVED:
        raise NotAllowed(f"{appointment.state} → called in")
    if appointment.called_at is None:
        appointment.called_at = db.now()
        session.flush()
        _record("appointment.called_in", appointment)


def finish(appointment: Appointment) -> None:
    """The patient was seen. Raises NotYet half a day before, NotAllowed, AlreadyOver."""
    _go_to(_of_today(appointment), states.DONE, "finished")


def miss(appointment: Appointment, why: str) -> None:
    """The patient did not come. why: one of states.MISSED_BECAUSE. Raises NotYet before the time, NotAllowed."""
    appointment = booking.lock(appointment)
    if db.now() < appointment.start_at:
        raise NotYet
    _go_to(appointment, states.MISSED, "missed", why, missed_because=why)


def correct(appointment: Appointment) -> None:
    """What was said of the visit was a mistake: the patient is expected again. Raises NotAllowed, AlreadyOver."""
    appointment = booking.lock(appointment)
    before = appointment.state
    cleared: dict[str, Any] = {"missed_because": "", "arrived_at": None, "called_at": None, "at_kiosk": False}
    _go_to(appointment, states.BOOKED, "expected_again", **cleared)
    attendance.count_outcome(appointment, before, taken_back=True)


def end_day(unit: Unit, visits: Collection[UUID], state: str) -> int:
    """Say of all these past visits of a unit, at the end of its day, that they were seen (`done`) or missed.

    Returns how many. Those of which something was said meanwhile are left as they are, and so are those whose time
    has not come: a page may be hours old.
    """
    query = select(Appointment).where(Appointment.id.in_(visits), Appointment.unit_id == unit.id)
    found = session.scalars(query.order_by(Appointment.id)).all()
    return sum(_end(each, state) for each in found)


def _end(appointment: Appointment, state: str) -> bool:
    try:
        finish(appointment) if state == states.DONE else miss(appointment, "unknown")
    except (NotAllowed, NotYet):
        return False
    return True


def walk_in(patient_id: UUID, reason_id: UUID, slot: Slot, *, beyond: bool = False) -> Appointment:
    """Somebody is at the desk without an appointment: they take this time, beyond what is free when the agent says
    so, and they are there. Raises as `booking.book_by_phone` does."""
    made = booking.book_by_phone(patient_id, reason_id, slot, beyond=beyond)
    made.channel = "walk_in"
    arrive(made)
    return made


def _of_today(appointment: Appointment) -> Appointment:
    """Held still, as it is now: somebody may have moved it since the page was shown. Raises NotYet, AlreadyOver."""
    found = booking.lock(appointment)
    if db.now() < found.start_at - _EARLIEST:
        raise NotYet
    return found


def _go_to(locked: Appointment, state: str, what: str, why: str = "", **facts: Any) -> None:
    before = booking.go_to(locked, state, **facts)
    tell_of(locked, what, before, why)
    kpi.count(f"appointment_{what}", establishment_id=locked.establishment_id, dimension=why)
    attendance.count_outcome(locked, state)


# -- the staff looks ---------------------------------------------------------------------------------------------


def open_day(unit: Unit, day: date) -> None:
    """An agent opens a unit's list of the day: names are shown, so the audit knows."""
    _record_list("opened", unit, day)


def open_week(unit: Unit, days: Sequence[date]) -> None:
    """An agent opens a practitioner's week, with the names of those who come."""
    _record_list("opened", unit, days[0], until=days[-1].isoformat())


def print_day(unit: Unit, day: date) -> None:
    """An agent prints a unit's day: it leaves the portal."""
    _record_list("printed", unit, day)


def take_out_day(unit: Unit, day: date) -> None:
    """An agent downloads a unit's day as a spreadsheet: it leaves the portal."""
    _record_list("downloaded", unit, day)


def _record_list(what: str, unit: Unit, day: date, **details: Any) -> None:
    audit.record(
        f"appointment_list.{what}",
        establishment_id=unit.establishment_id,
        object_kind="unit",
        object_id=unit.id,
        day=day.isoformat(),
        **details,
    )


def open_patient(patient: Patient, establishments: Collection[UUID]) -> None:
    """An agent opens all the appointments of a patient at these hospitals."""
    for establishment_id in sorted(establishments):
        audit.record(
            "appointment_list.opened",
            patient_id=patient.id,
            establishment_id=establishment_id,
            object_kind="patient",
            object_id=patient.id,
        )


def open_appointment(appointment: Appointment) -> None:
    """An agent opens a patient's appointment."""
    _record("appointment.opened", appointment)


def _record(action: str, appointment: Appointment) -> None:
    audit.record(
        action,
        patient_id=appointment.patient_id,
        establishment_id=appointment.establishment_id,
        object_kind="appointment",
        object_id=appointment.id,
    )
