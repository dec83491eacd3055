"""Indicators of the waiting list (domain catalogue, section 5.2): R9, R10."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_FREED = "appointment_slot_freed"
_SERVED = "appointment_by_waiting_list"


def declare() -> None:
    kpi.define(
        Definition(
            "R9",
            _l("Freed times taken again"),
            _l("Visits cancelled less than 48 hours before, whose time somebody else took"),
            _l("Visits cancelled less than 48 hours before"),
            _taken_again,
            unit="rate",
            event=_FREED,
            service="appointments",
            events=("appointment_slot_freed",),
            better="up",
            of_people=True,
        ),
        Definition(
            "R10",
            _l("Appointments by the waiting list"),
            _l("Appointments moved earlier or booked by somebody who waited for a freed time"),
            "",
            _served,
            event=_SERVED,
            service="appointments",
            events=("appointment_by_waiting_list",),
            better="up",
            of_people=True,
        ),
        by_unit=True,
    )


def _taken_again(period: Period) -> Figure:
    return Figure(kpi.counted(_FREED, period, dimension="taken"), kpi.counted(_FREED, period))


def _served(period: Period) -> Figure:
    return Figure(kpi.counted(_SERVED, period))
