"""Indicators of referrals: how many are asked, how many are accepted, and after how long."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _l

from portal import kpi
from portal.kpi import Definition, Figure, Period

SENT, ANSWERED, DELAY = "referral_sent", "referral_answered", "referral_delay"
_MISSING = _l("An answer of a unit in the period")


def declare() -> None:
    """Say what is counted."""
    kpi.define(*_of_requests(), *_of_delays(), by_unit=True)


def _of_requests() -> tuple[Definition, ...]:
    return (
        Definition(
            "C1",
            _l("Referrals accepted"),
            _l("Requests of practitioners that a unit accepted, or gave an opinion on, in the period"),
            _l("Requests of practitioners that a unit answered in the period: accepted, refused, or sent elsewhere"),
            _accepted,
            unit="rate",
            event=ANSWERED,
            missing=_MISSING,
            service="referrals",
            events=("referral_answered",),
            better="up",
            of_people=True,
        ),
        Definition(
            "C1a",
            _l("Referrals sent"),
            _l("Requests that practitioners of the city sent, on the day they were sent"),
            "",
            _sent,
            event=SENT,
            service="referrals",
            events=("referral_sent",),
            better="up",
            of_people=True,
        ),
    )


def _of_delays() -> Iterator[Definition]:
    yield Definition(
        "C1d",
        _l("Hours until a unit answers"),
        _l("Median number of hours between the moment when a unit was asked and its answer"),
        "",
        _delay,
        unit="hours",
        event=DELAY,
        missing=_MISSING,
        service="referrals",
        events=("referral_delay",),
        better="down",
        of_people=True,
    )


def _accepted(period: Period) -> Figure:
    answered = kpi.counted(ANSWERED, period)
    return Figure(kpi.counted(ANSWERED, period, dimension="accepted"), answered, fed=answered > 0)


def _sent(period: Period) -> Figure:
    return Figure(kpi.counted(SENT, period))


def _delay(period: Period) -> Figure:
    """The lower median: a whole number of hours."""
    hours = sorted((int(each.dimension), each.events) for each in kpi.totals(DELAY, period) if each.dimension)
    return Figure(median(hours), fed=bool(hours))


def median(counted: list[tuple[int, int]]) -> int:
    """The lower median of sorted values, each with how many times it was seen; 0 of nothing."""
    half, seen = (sum(times for _value, times in counted) + 1) // 2, 0
    for value, times in counted:
        seen += times
        if seen >= half:
            return value
    return 0
