"""The hospital's hours of work: within how many of them a request is answered, and how long an answer took.

Nine to five, Monday to Friday but for public holidays, on the hospital's wall clock; moments are UTC. rules: whose
holidays (calendar.HOLIDAY_RULES).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

OPENS, CLOSES = calendar.OPENS, calendar.CLOSES
DAY = timedelta(hours=8)
"""A whole day of work."""


def due(since: datetime, spent: timedelta, tz: ZoneInfo, rules: str) -> datetime:
    """When that much time of work has gone by since a moment."""
    for begins, ends in calendar.working_stretches(since, tz, rules):
        if ends - begins >= spent:
            return begins + spent
        spent -= ends - begins
    raise AssertionError("hospitals open again")


def worked(since: datetime, until: datetime, tz: ZoneInfo, rules: str) -> timedelta:
    """The time of work between two moments."""
    return calendar.working_time(since, until, tz, rules)


def closing(since: datetime, days: int, tz: ZoneInfo, rules: str) -> datetime:
    """The hour when the hospital closes, so many business days later."""
    day = calendar.business_days_after(calendar.civil_day(since, tz), days, rules)
    return datetime.combine(day, CLOSES, tz).astimezone(since.tzinfo)
