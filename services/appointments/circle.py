"""Coming appointments for members of a patient’s circle; the units that have a patient in care, for the patient."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal import calendar, db
from portal.db import session
from services.appointments import states
from services.appointments.models import Appointment
from services.circle import sections, units
from services.circle.sections import Line, Looking, Section
from services.circle.units import CareUnit

_AFTER: Final = timedelta(days=90)
"""How long after a visit its unit still has somebody in care."""
_MOST: Final = 100
_CARED_FOR: Final = (states.BOOKED, states.ARRIVED, states.DONE)


def declare() -> None:
    title, empty = _l("Coming appointments"), _l("No coming appointment that you may see.")
    sections.show(Section("appointments", "appointments", title, empty, "calendar", _lines))
    units.offer("appointments", _units)


def _lines(looking: Looking) -> Sequence[Line]:
    """The day and the unit; never the reason, which row-level security would show with the row."""
    found = session.scalars(
        select(Appointment)
        .options(joinedload(Appointment.establishment), joinedload(Appointment.unit))
        .where(
            Appointment.patient_id == looking.patient_id,
            Appointment.state == states.BOOKED,
            Appointment.end_at > db.now(),
            Appointment.masked.is_(False),
        )
        .order_by(Appointment.start_at)
        .limit(_MOST)
    )
    return [Line(each.unit.name, each.start_at.astimezone(each.tz), each.establishment.name) for each in found]


def _units(patient_id: UUID) -> Sequence[CareUnit]:
    """Units where somebody is expected, or came in the last three months."""
    found = session.scalars(
        select(Appointment)
        .options(joinedload(Appointment.establishment), joinedload(Appointment.unit))
        .where(
            Appointment.patient_id == patient_id,
            Appointment.state.in_(_CARED_FOR),
            Appointment.start_at > db.now() - _AFTER,
        )
        .order_by(Appointment.start_at)
        .limit(_MOST)
    )
    return [
        CareUnit(
            each.unit.name,
            each.establishment.name,
            _l("Appointment"),
            calendar.civil_day(each.start_at, each.tz),
            each.unit.phone,
        )
        for each in found
    ]
