"""Who should be on duty and is not, whom two duties call at once, and a week moved to another one. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

Moments = tuple[datetime, datetime]
"""From, until."""
_WEEK = timedelta(days=7)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_of(first: date, tz: ZoneInfo) -> Moments:
    """From Monday midnight to the next one, on the clock of the hospital."""
    return calendar.to_utc_or_after(first, time(), tz), calendar.to_utc_or_after(first + _WEEK, time(), tz)


def holes(expected: Iterable[Moments], present: Iterable[Moments], within: Moments) -> Sequence[Moments]:
    """Moments within, when somebody is expected and nobody is present."""
    left = [(max(start, within[0]), min(end, within[1])) for start, end in expected]
    left = [each for each in left if each[0] < each[1]]
    for taken in present:
        left = [rest for each in left for rest in _without(each, taken)]
    return sorted(left)


def _without(span: Moments, taken: Moments) -> Iterator[Moments]:
    if taken[1] <= span[0] or span[1] <= taken[0]:
        yield span
        return
    if span[0] < taken[0]:
        yield span[0], taken[0]
    if taken[1] < span[1]:
        yield taken[1], span[1]


def meet(one: Moments, other: Moments) -> bool:
    """Whether they have a moment in common: one that begins as the other ends does not meet it."""
    return one[0] < other[1] and other[0] < one[1]


def moved(moments: Moments, weeks: int, tz: ZoneInfo) -> Moments:
    """The same days of the week and wall-clock times, so many weeks later."""
    start, end = (_moved(each, weeks, tz) for each in moments)
    return start, end


def _moved(moment: datetime, weeks: int, tz: ZoneInfo) -> datetime:
    local = moment.astimezone(tz)
    return calendar.to_utc_or_after(local.date() + weeks * _WEEK, local.time(), tz)
