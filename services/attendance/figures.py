"""Indicators of emergency departments: what was reported, and how much of the time a waiting time was shown."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_REPORTED, _QUARTER = "attendance_reported", "attendance_quarter"


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        Definition(
            "E1",
            _l("Waiting times reported"),
            _l("Times when somebody, or a system of the hospital, said how an emergency department stands"),
            "",
            _reported,
            event=_REPORTED,
            service="portal",
            events=(_REPORTED,),
            better="up",
            dimensions=("dimension",),
        ),
        Definition(
            "E2",
            _l("Time during which the state of the emergency departments was shown"),
            _l("Quarters of an hour during which a published department was shown as open, saturated or closed"),
            _l("Quarters of an hour of all published departments"),
            _shown,
            unit="rate",
            event=_QUARTER,
            service="portal",
            events=(_QUARTER,),
            better="up",
        ),
    )


def _reported(period: Period) -> Figure:
    return Figure(kpi.counted(_REPORTED, period))


def _shown(period: Period) -> Figure:
    return Figure(kpi.counted(_QUARTER, period, dimension="shown"), kpi.counted(_QUARTER, period))
