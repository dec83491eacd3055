"""The hospital's hours of work: within how many of them a request is answered, and how long an answer took.

Nine to five, Monday to Friday but for public holidays, on the hospital's wall clock; moments are UTC. rules: whose
holidays (calendar.HOLIDAY_RULES).
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

OPENS, CLOSES = time(9), time(17)
DAY = timedelta(hours=8)
"""A whole day of work."""


def due(since: datetime, spent: timedelta, tz: ZoneInfo, rules: str) -> datetime:
    """When that much time of work has gone by since a moment."""
    for begins, ends in _stretches(since, tz, rules):
        if ends - begins >= spent:
            return begins + spent
        spent -= ends - begins
    raise AssertionError("hospitals open again")


def worked(since: datetime, until: datetime, tz: ZoneInfo, rules: str) -> timedelta:
    """The time of work between two moments."""
    total = timedelta()
    for begins, ends in _stretches(since, tz, rules):
        if begins >= until:
            break
        total += min(ends, until) - begins
    return total


def closing(since: datetime, days: int, tz: ZoneInfo, rules: str) -> datetime:
    """The hour when the hospital closes, so many business days later."""
    day = calendar.business_days_after(calendar.civil_day(since, tz), days, rules)
    return datetime.combine(day, CLOSES, tz).astimezone(since.tzinfo)


def _stretches(since: datetime, tz: ZoneInfo, rules: str) -> Iterator[tuple[datetime, datetime]]:
    """Stretches of work from a moment on; office hours never meet a change of clocks, which is at night."""
    for day in calendar.days_from(calendar.civil_day(since, tz)):
        begins, ends = (datetime.combine(day, at, tz).astimezone(since.tzinfo) for at in (OPENS, CLOSES))
        if calendar.is_business_day(day, rules) and ends > since:
            yield max(begins, since), ends
