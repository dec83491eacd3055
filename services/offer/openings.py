"""When a door is open: a week on the hospital's wall clock, public holidays, and days that do not follow it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

_DAY = timedelta(days=1)
_AHEAD_DAYS = 120
_NEVER_CLOSED_DAYS = 9
"""Open without a break for so long: it is not said until when."""
MIDNIGHT = time(0)


@dataclass(frozen=True, order=True)
class Range:
    """A stretch of a weekday (0 is Monday). closes: on the next day when it is not after `opens`."""

    weekday: int
    opens: time
    closes: time
    on_holidays: bool = False


@dataclass(frozen=True)
class Days:
    """Days, both included, that do not follow the week. opens: None when it is closed. reason: in the hospital's
    words; kind: why when there is no word of the hospital (`not_yet`, `no_more`)."""

    starts_on: date
    ends_on: date
    opens: time | None = None
    closes: time | None = None
    reason: str = ""
    kind: str = ""

    @property
    def is_closed(self) -> bool:
        return self.opens is None

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True)
class Schedule:
    """A week and what changes it. rules: whose public holidays (calendar.HOLIDAY_RULES)."""

    week: Sequence[Range]
    tz: ZoneInfo
    rules: str = "metropole"
    changes: Sequence[Days] = field(default_factory=tuple)

    @property
    def is_known(self) -> bool:
        """Whether anything was said; without a word, nobody says that a unit is closed."""
        return bool(self.week) or any(not each.is_closed for each in self.changes)

    def within(self, outer: Sequence[Days]) -> "Schedule":
        """Closed too when what is around it is closed: a unit of a site that closes."""
        return replace(self, changes=(*self.changes, *(each for each in outer if each.is_closed)))


@dataclass(frozen=True)
class Standing:
    """Now. until: the end of an opening that ends soon enough to be said. next_at: the next opening. closed_by: the
    days that close it now."""

    is_open: bool
    until: datetime | None = None
    next_at: datetime | None = None
    closed_by: Days | None = None


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether somebody receives at that moment (aware)."""
    return any(begins <= at < ends for begins, ends in stretches(schedule, _civil(schedule, at) - _DAY, 2))


def standing(schedule: Schedule, at: datetime) -> Standing:
    """Open until when, or closed until when."""
    today = _civil(schedule, at)
    closed_by = next((each for each in schedule.changes if each.is_closed and each.covers(today)), None)
    for begins, ends in _merged(_daily(schedule, today - _DAY, _AHEAD_DAYS)):
        if begins <= at < ends:
            return Standing(True, ends if ends - at < _NEVER_CLOSED_DAYS * _DAY else None)
        if begins > at:
            return Standing(False, next_at=begins, closed_by=closed_by)
    return Standing(False, closed_by=closed_by)


def stretches(schedule: Schedule, first: date, days: int) -> list[tuple[datetime, datetime]]:
    """(from, to) in UTC, in order and apart, for what begins on these days."""
    return list(_merged(_daily(schedule, first, days)))


def announced(changes: Sequence[Days], today: date, days: int = 45) -> list[Days]:
    """Changes of today and of the days ahead, the nearest first."""
    soon = [each for each in changes if each.ends_on >= today and each.starts_on <= today + days * _DAY]
    return sorted(soon, key=lambda each: (each.starts_on, each.ends_on, each.opens or MIDNIGHT))


def not_outside(opens_on: date | None, closes_on: date | None) -> list[Days]:
    """Closed before it opens for the first time, and after it closes for ever."""
    found = [Days(date.min + _DAY, opens_on - _DAY, kind="not_yet")] if opens_on else []
    return found + ([Days(closes_on + _DAY, date.max - 2 * _DAY, kind="no_more")] if closes_on else [])


def _civil(schedule: Schedule, at: datetime) -> date:
    return calendar.civil_day(at, schedule.tz)


def _daily(schedule: Schedule, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Each stretch that begins on these days, in order, cut where a closed day begins."""
    for number in range(days):
        day = first + number * _DAY
        for opens, closes in sorted(_hours(schedule, day)):
            begins = calendar.to_utc_or_after(day, opens, schedule.tz)
            last = day if closes > opens else day + _DAY
            if last > day and _is_closed(schedule, last):
                closes = MIDNIGHT
            ends = calendar.to_utc_or_after(last, closes, schedule.tz)
            if ends > begins:
                yield begins, ends


def _hours(schedule: Schedule, day: date) -> list[tuple[time, time]]:
    changed = [each for each in schedule.changes if each.covers(day)]
    if any(each.is_closed for each in changed):
        return []
    if changed:
        return [(each.opens, each.closes) for each in changed if each.opens is not None and each.closes is not None]
    is_holiday = day in calendar.public_holidays(day.year, schedule.rules)
    return [
        (each.opens, each.closes)
        for each in schedule.week
        if each.weekday == day.weekday() and (each.on_holidays or not is_holiday)
    ]


def _is_closed(schedule: Schedule, day: date) -> bool:
    return any(each.is_closed and each.covers(day) for each in schedule.changes)


def _merged(found: Iterator[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    current: tuple[datetime, datetime] | None = None
    for begins, ends in found:
        if current is not None and begins <= current[1]:
            current = current[0], max(current[1], ends)
            continue
        if current is not None:
            yield current
        current = begins, ends
    if current is not None:
        yield current


# -- a week as it is written -------------------------------------------------------------------------------------


class NotHours(ValueError):
    """Not hours of a day."""


def parsed(text: str) -> list[tuple[time, time]]:
    """`8:30-12:30, 13h30–17h` → pairs, in order; `24/24` is round the clock; "" is closed. Raises NotHours."""
    plain = text.strip().lower()
    if plain in ("24/24", "24h/24", "24h"):
        return [(MIDNIGHT, MIDNIGHT)]
    found = [_pair(each) for each in plain.replace(";", ",").split(",") if each.strip()]
    for (_opens, closes), (opens, _closes) in zip(sorted(found), sorted(found)[1:], strict=False):
        if closes > opens or closes <= _opens:
            raise NotHours(text)
    return sorted(found)


def written(ranges: Sequence[tuple[time, time]]) -> str:
    """The same, as it is read again."""
    return ", ".join(f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in ranges)


def _pair(text: str) -> tuple[time, time]:
    parts = text.replace("–", "-").replace("—", "-").replace(" à ", "-").split("-")
    if len(parts) != 2:
        raise NotHours(text)
    return _clock(parts[0]), _clock(parts[1])


def _clock(text: str) -> time:
    hours, _mark, minutes = text.strip().replace("h", ":").partition(":")
    if not (hours.isascii() and hours.isdecimal() and len(hours) <= 2):
        raise NotHours(text)
    if minutes and not (minutes.isascii() and minutes.isdecimal() and len(minutes) == 2):
        raise NotHours(text)
    if (hours, minutes or "00") == ("24", "00"):
        return MIDNIGHT
    try:
        return time(int(hours), int(minutes or 0))
    except ValueError as error:
        raise NotHours(text) from error
