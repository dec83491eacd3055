"""Opening hours, holidays, business time and time zones of each establishment.

Civil times (opening hours, a day of appointments) are wall-clock in the establishment's zone; moments are UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

GROUP_ZONE = ZoneInfo("Europe/Paris")
"""Whose days count for what belongs to no hospital."""
_MINUTE = timedelta(minutes=1)
_FIRST, _LAST = ZoneInfo("Pacific/Wallis"), ZoneInfo("Pacific/Tahiti")


def to_utc(day: date, at: time, tz: ZoneInfo) -> datetime | None:
    """The moment when the wall clock shows `at` on `day`; None when that time is skipped by a clock change.
    At a repeated time, the first one."""
    local = datetime.combine(day, at, tzinfo=tz)
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def to_utc_or_after(day: date, at: time, tz: ZoneInfo) -> datetime:
    """The same, and for a time that a clock change skips, the moment when the clock jumps over it."""
    moment = to_utc(day, at, tz)
    if moment is not None:
        return moment
    skipped = datetime.combine(day, at)
    moment = skipped.replace(tzinfo=tz).astimezone(UTC)  # with the offset of before: after the jump
    while (moment - _MINUTE).astimezone(tz).replace(tzinfo=None) > skipped:
        moment -= _MINUTE
    return moment


def civil_day(moment: datetime, tz: ZoneInfo) -> date:
    return moment.astimezone(tz).date()


def latest_day(moment: datetime) -> date:
    """The latest civil day that has begun somewhere in the French Republic (Wallis and Futuna, UTC+12): no day after it
    has come yet for anybody. For what must not be in the future where no hospital is known."""
    return civil_day(moment, _FIRST)


def earliest_day(moment: datetime) -> date:
    """The earliest civil day that is not over everywhere in the French Republic (French Polynesia, UTC-10): every day
    before it is past for everybody. For what must not be past where no hospital is known."""
    return civil_day(moment, _LAST)


def is_quiet(moment: datetime, tz: ZoneInfo, quiet_from: int, quiet_until: int) -> bool:
    """Whether the wall clock shows an hour when nobody is disturbed: from `quiet_from` until `quiet_until` (0 to 24),
    over midnight when the first is the later one; the same hour twice: never."""
    return is_quiet_hour(moment.astimezone(tz).hour, quiet_from, quiet_until)


def is_quiet_hour(hour: int, quiet_from: int, quiet_until: int) -> bool:
    """The same of an hour of the clock."""
    if quiet_from <= quiet_until:
        return quiet_from <= hour < quiet_until
    return hour >= quiet_from or hour < quiet_until


def after_quiet(moment: datetime, tz: ZoneInfo, quiet_from: int, quiet_until: int) -> datetime:
    """The moment itself, or when the quiet hours in which it falls are over."""
    if not is_quiet(moment, tz, quiet_from, quiet_until):
        return moment
    local = moment.astimezone(tz)
    ends_tomorrow = quiet_until == 24 or (quiet_from > quiet_until and local.hour >= quiet_from)
    day = local.date() + timedelta(days=1 if ends_tomorrow else 0)
    return to_utc_or_after(day, time(quiet_until % 24), tz)


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


ABOLITION = {
    "guadeloupe": (5, 27),
    "guyane": (6, 10),
    "martinique": (5, 22),
    "mayotte": (4, 27),
    "reunion": (12, 20),
}
"""The day when slavery was abolished, a holiday there (code du travail, L3422-2): month, day."""
HOLIDAY_RULES = ("metropole", "alsace-moselle", *ABOLITION)
"""Whose public holidays a hospital keeps."""
OVERSEAS = {
    "America/Guadeloupe": "guadeloupe",
    "America/Cayenne": "guyane",
    "America/Martinique": "martinique",
    "Indian/Mayotte": "mayotte",
    "Indian/Reunion": "reunion",
}
"""Time zones that tell whose holidays are kept, whatever nobody said of them."""


@lru_cache(maxsize=256)
def public_holidays(year: int, rules: str = "metropole") -> frozenset[date]:
    """Public holidays (code du travail, L3133-1; L3134-13 in Alsace-Moselle; L3422-2 overseas).

    rules: one of HOLIDAY_RULES. Raises KeyError.
    """
    sunday = easter(year)
    moving = {sunday + timedelta(days=days) for days in (1, 39, 50)}
    fixed = {
        date(year, month, day) for month, day in ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
    }
    if rules == "alsace-moselle":
        fixed |= {sunday - timedelta(days=2), date(year, 12, 26)}
    elif rules != "metropole":
        fixed.add(date(year, *ABOLITION[rules]))
    return frozenset(moving | fixed)


def holiday_rules(chosen: str, time_zone: str) -> str:
    """Whose holidays a hospital keeps: what it chose, else what its clock tells."""
    return chosen if chosen in HOLIDAY_RULES else OVERSEAS.get(time_zone, "metropole")


def is_business_day(day: date, rules: str = "metropole") -> bool:
    return day.weekday() < 5 and day not in public_holidays(day.year, rules)


def business_days_after(day: date, count: int, rules: str = "metropole") -> date:
    """The `count`-th business day after `day`, at least the first one. Raises ValueError."""
    if count < 1:
        raise ValueError("at least one day after")
    for candidate in days_from(day + timedelta(days=1)):
        if is_business_day(candidate, rules):
            count -= 1
        if count == 0:
            return candidate
    raise AssertionError("the calendar never ends")


@dataclass(frozen=True)
class Office:
    """When the staff of a hospital is there: Monday to Friday but for public holidays, between two hours of its wall
    clock; they never meet a change of clocks, which is at night.

    rules: whose public holidays (HOLIDAY_RULES).
    """

    tz: ZoneInfo
    rules: str = "metropole"
    opens_at: time = time(9)
    closes_at: time = time(17)

    @property
    def day(self) -> timedelta:
        """A whole day of work."""
        return datetime.combine(date.min, self.closes_at) - datetime.combine(date.min, self.opens_at)

    def worked(self, since: datetime, until: datetime) -> timedelta:
        """The office hours between two moments; none when until comes first."""
        total = timedelta()
        for begins, ends in self._stretches(since):
            if begins >= until:
                break
            total += min(ends, until) - begins
        return total

    def due(self, since: datetime, spent: timedelta) -> datetime:
        """When that much office time has gone by since a moment."""
        for begins, ends in self._stretches(since):
            if ends - begins >= spent:
                return begins + spent
            spent -= ends - begins
        raise AssertionError("hospitals open again")

    def closing(self, since: datetime, days: int) -> datetime:
        """The hour when the office closes, so many business days later."""
        day = business_days_after(civil_day(since, self.tz), days, self.rules)
        return datetime.combine(day, self.closes_at, self.tz).astimezone(since.tzinfo)

    def _stretches(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        for day in days_from(civil_day(since, self.tz)):
            begins, ends = (
                datetime.combine(day, at, self.tz).astimezone(since.tzinfo) for at in (self.opens_at, self.closes_at)
            )
            if is_business_day(day, self.rules) and ends > since:
                yield max(begins, since), ends


def days_from(day: date) -> Iterator[date]:
    while True:
        yield day
        day += timedelta(days=1)
