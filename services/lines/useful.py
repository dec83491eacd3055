"""Until when a call back is of use, as practitioners choose it. Pure."""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from portal import calendar

CHOICES: Final = ("two_hours", "today", "tomorrow", "three_days", "week")
_EVENING: Final = time(19)
_DAYS: Final = {"today": 0, "tomorrow": 1, "three_days": 3, "week": 7}
_LEAST: Final = timedelta(hours=2)


def until(choice: str, now: datetime, tz: ZoneInfo) -> datetime:
    """The evening (19:00) of a day, on the clock of the hospital; two hours from now at least. Raises KeyError."""
    soon = now + _LEAST
    if choice == "two_hours":
        return soon
    day = calendar.civil_day(now, tz) + timedelta(days=_DAYS[choice])
    return max(soon, calendar.to_utc_or_after(day, _EVENING, tz))
