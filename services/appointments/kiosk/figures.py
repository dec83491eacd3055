"""Indicators of terminals: who said there that they had arrived, and how often they were sent to the desk."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_ANSWERED = "kiosk_answered"


def declare() -> None:
    """Add them to the catalogue."""
    kpi.define(
        Definition(
            "K1",
            _l("Arrivals told at a terminal"),
            _l("People who scanned their appointment at a terminal of the hall, and whose unit was told"),
            "",
            _arrivals,
            event=_ANSWERED,
            service="appointments",
            events=(_ANSWERED,),
            better="up",
            of_people=True,
        ),
        Definition(
            "K2",
            _l("Terminals that spare the desk"),
            _l("People whose unit was told of their arrival by a terminal"),
            _l("People who proved their appointment at a terminal, those sent to the desk included"),
            _spared,
            unit="rate",
            event=_ANSWERED,
            service="appointments",
            events=(_ANSWERED,),
            better="up",
            of_people=True,
        ),
    )


def _arrivals(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period, dimension="welcome"))


def _spared(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period, dimension="welcome"), kpi.counted(_ANSWERED, period))
