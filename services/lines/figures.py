"""Indicators of direct lines: calls asked, answered, and after how long."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_ASKED, _ANSWERED = "callback_asked", "callback_answered"


def declare() -> None:
    """Say what is counted."""
    kpi.define(*_of_calls(), *_of_delays(), by_unit=True)


def _of_calls() -> tuple[Definition, ...]:
    return (
        Definition(
            "L1",
            _l("Calls back asked"),
            _l("Requests of practitioners to be called back"),
            "",
            _asked,
            event=_ASKED,
            service="referrals",
            events=("callback_asked",),
            of_people=True,
        ),
        Definition(
            "L2",
            _l("Calls back made"),
            _l("Practitioners whom a unit called back and reached"),
            _l("Requests of practitioners to be called back"),
            _answered,
            unit="rate",
            event=_ANSWERED,
            service="referrals",
            events=("callback_answered", "callback_asked"),
            better="up",
            of_people=True,
        ),
    )


def _of_delays() -> tuple[Definition, ...]:
    return (
        Definition(
            "L3",
            _l("Calls back made in time"),
            _l("Practitioners reached within the delay that the line announces"),
            _l("Practitioners whom a unit called back and reached"),
            _on_time,
            unit="rate",
            event=_ANSWERED,
            service="referrals",
            events=("callback_answered",),
            better="up",
            of_people=True,
        ),
        Definition(
            "L4",
            _l("Minutes before a call back"),
            _l("Minutes between a request and the call, on average, nights and closed days included"),
            "",
            _delay,
            event=_ANSWERED,
            service="referrals",
            events=("callback_answered",),
            better="down",
            of_people=True,
        ),
    )


def _asked(period: Period) -> Figure:
    return Figure(kpi.counted(_ASKED, period))


def _answered(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period), kpi.counted(_ASKED, period))


def _on_time(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period, dimension="on_time"), kpi.counted(_ANSWERED, period))


def _delay(period: Period) -> Figure:
    calls = kpi.counted(_ANSWERED, period)
    return Figure(round(kpi.summed(_ANSWERED, period) / calls) if calls else 0)
