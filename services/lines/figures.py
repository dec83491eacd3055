"""Indicators of direct lines: calls asked, answered, and after how long."""

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

_ASKED, _ANSWERED = "callback_asked", "callback_answered"


def declare() -> None:
    """Say what is counted."""
    kpi.define(
        Definition("L1", _l("Calls back asked"), _l("Requests of practitioners to be called back"), "", _asked,
                   event=_ASKED),
        Definition("L2", _l("Calls back made"), _l("Practitioners whom a unit called back and reached"),
                   _l("Requests of practitioners to be called back"), _answered, unit="rate", event=_ANSWERED),
        Definition("L3", _l("Calls back made in time"),
                   _l("Practitioners reached within the delay that the line announces"),
                   _l("Practitioners whom a unit called back and reached"), _on_time, unit="rate", event=_ANSWERED),
        Definition("L4", _l("Minutes before a call back"),
                   _l("Minutes between a request and the call, on average, nights and closed days included"), "",
                   _delay, event=_ANSWERED),
    )  # fmt: skip


def _asked(period: Period) -> Figure:
    return Figure(kpi.counted(_ASKED, period))


def _answered(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period), kpi.counted(_ASKED, period))


def _on_time(period: Period) -> Figure:
    return Figure(kpi.counted(_ANSWERED, period, dimension="on_time"), kpi.counted(_ANSWERED, period))


def _delay(period: Period) -> Figure:
    calls = kpi.counted(_ANSWERED, period)
    return Figure(round(kpi.summed(_ANSWERED, period) / calls) if calls else 0)
