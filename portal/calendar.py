"""Opening hours, holidays, business time and time zones of each establishment.

Civil times (opening hours, a day of appointments) are wall-clock in the establishment's zone; moments are UTC.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


def to_utc(day: date, at: time, tz: ZoneInfo) -> datetime | None:
    """The moment when the wall clock shows `at` on `day`; None when that time is skipped by a clock change.
    At a repeated time, the first one."""
    local = datetime.combine(day, at, tzinfo=tz)
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def civil_day(moment: datetime, tz: ZoneInfo) -> date:
    return moment.astimezone(tz).date()


def easter(year: int) -> date:
    """Easter Sunday, Gregorian (anonymous algorithm, Meeus 1991)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    f = (b + 8) // 25
    g = (b - f + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """Public holidays of metropolitan France (code du travail, L3133-1)."""
    sunday = easter(year)
    moving = {sunday + timedelta(days=days) for days in (1, 39, 50)}
    fixed = {
        date(year, month, day) for month, day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    }
    return frozenset(moving | fixed)


def is_business_day(day: date) -> bool:
    return day.weekday() < 5 and day not in public_holidays(day.year)


def business_days_after(day: date, count: int) -> date:
    """The `count`-th business day after `day`, at least the first one. Raises ValueError."""
    if count < 1:
        raise ValueError("at least one day after")
    for candidate in days_from(day + timedelta(days=1)):
        if is_business_day(candidate):
            count -= 1
        if count == 0:
            return candidate
    raise AssertionError("the calendar never ends")


def days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)
