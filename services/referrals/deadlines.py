"""Until when a unit answers: hours that pass on business days alone, in the hospital's civil time."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar


def answer_by(since: datetime, hours: int, tz: ZoneInfo, holidays: str = "metropole") -> datetime:
    """When `hours` hours of business days have passed since that moment (aware; the answer is in UTC).

    A business day counts from midnight to midnight of the hospital's clock, whatever its length on the days when the
    clock changes; on other days nothing passes. Raises ValueError for a negative number of hours.
    """
    if hours < 0:
        raise ValueError("hours cannot be negative")
    left, at = timedelta(hours=hours), since.astimezone(UTC)
    for day in calendar.days_from(calendar.civil_day(since, tz)):
        ends = calendar.to_utc_or_after(day + timedelta(days=1), time(0), tz)
        if calendar.is_business_day(day, holidays):
            if left <= ends - at:
                return at + left
            left -= ends - at
        at = ends
    raise AssertionError("the calendar never ends")
