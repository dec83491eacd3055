"""Indicator of what practitioners of the city book: apart from what patients book themselves (R1)."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period
from services.appointments.city.queries import CHANNEL

_BOOKED = "appointment_booked"


def declare() -> None:
    """Say what is counted."""
    kpi.define(
        Definition(
            "R1c",
            _l("Appointments booked by practitioners of the city"),
            _l("Appointments created on the portal by practitioners for their patients, on the day they were created"),
            "",
            _booked_for_patients,
            event=_BOOKED,
            service="appointments",
            events=("appointment_booked",),
            better="up",
            of_people=True,
        ),
        by_unit=True,
    )


def _booked_for_patients(period: Period) -> Figure:
    return Figure(kpi.counted(_BOOKED, period, channels=(CHANNEL,)))
