"""The hours of a line: seven days of spans on the wall clock of its hospital, and what public holidays do to them.

Pure. A span that ends at or before its start goes on into the next day (a night). A day follows the rule of the day
on which the span begins.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from portal import calendar

HOLIDAYS: Final = ("closed", "usual", "sunday")
"""On a public holiday: closed, as on that day of the week, or as on a Sunday."""
_DAY: Final = 24 * 60
_SUNDAY: Final = 6
_FURTHEST: Final = timedelta(days=60)
_ALL_DAY: Final = ("24/24", "24h/24", "24h", "24 h", "0-24")
_SPAN = re.compile(r"(\d{1,2})(?:[h:](\d{2})?)?\s*[-–]\s*(\d{1,2})(?:[h:](\d{2})?)?", re.ASCII)
Span = tuple[int, int]
"""Minutes from midnight: a start in [0, 1440[, an end in ]start, start + 1440]."""


class NotHours(ValueError):
    """What was written is not hours; says which part."""


def parse(written: str) -> tuple[Span, ...]:
    """The spans of one day: `8h30-12h30, 14h-18h`, `20:00-8:00`, `24/24`, or nothing when closed.

    Raises NotHours, also when two spans overlap.
    """
    text = written.strip().lower()
    if text in _ALL_DAY:
        return ((0, _DAY),)
    spans = sorted(_span(part) for part in re.split(r"[,;]|\s+et\s+|\s+and\s+", text) if part.strip())
    for (_start, end), (following, _end) in pairwise(spans):
        if following < end:
            raise NotHours(written.strip())
    return tuple(spans)


def _span(part: str) -> Span:
    found = _SPAN.fullmatch(part.strip())
    if found is None:
        raise NotHours(part.strip())
    hour, minute, until_hour, until_minute = (int(each or 0) for each in found.groups())
    start, end = hour * 60 + minute, until_hour * 60 + until_minute
    if start >= _DAY or end > _DAY or minute > 59 or until_minute > 59:
        raise NotHours(part.strip())
    return (start, end) if end > start else (start, end + _DAY)


def write(spans: Sequence[Span]) -> str:
    """As `parse` reads them, one way: `08:30-12:30, 14:00-18:00`."""
    return ", ".join(f"{_clock(start)}-{_clock(end if end <= _DAY else end - _DAY)}" for start, end in spans)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@dataclass(frozen=True)
class Hours:
    """A week, Monday first; holidays: one of HOLIDAYS; rules: whose public holidays (calendar.HOLIDAY_RULES)."""

    week: tuple[tuple[Span, ...], ...]
    holidays: str
    tz: ZoneInfo
    rules: str = "metropole"

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on a civil day."""
        if day in calendar.public_holidays(day.year, self.rules) and self.holidays != "usual":
            return self.week[_SUNDAY] if self.holidays == "sunday" else ()
        return self.week[day.weekday()]

    @property
    def is_always(self) -> bool:
        """Open at every moment."""
        return self.holidays != "closed" and all(spans == ((0, _DAY),) for spans in self.week)

    def openings(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When it is open, from a moment on, as UTC spans that neither touch nor overlap, for sixty days."""
        current: tuple[datetime, datetime] | None = None
        for start, end in self._spans(since):
            if current and start <= current[1]:
                current = (current[0], max(current[1], end))
                continue
            if current:
                yield current
            current = (start, end)
        if current:
            yield current

    def _spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = calendar.civil_day(since, self.tz) - timedelta(days=1)
        for day in islice(calendar.days_from(first), _FURTHEST.days):
            for start, end in self.on(day):
                opened, closed = self._at(day, start), self._at(day, end)
                if closed > since and closed > opened:
                    yield opened, closed

    def _at(self, day: date, minutes: int) -> datetime:
        days, rest = divmod(minutes, _DAY)
        return calendar.to_utc_or_after(day + timedelta(days=days), time(rest // 60, rest % 60), self.tz)

    def is_open(self, moment: datetime) -> bool:
        return self.closes_at(moment) is not None

    def closes_at(self, moment: datetime) -> datetime | None:
        """When it closes, if it is open at this moment; sixty days ahead at most."""
        start, end = next(self.openings(moment), (None, None))
        return end if start is not None and start <= moment else None

    def opens_at(self, moment: datetime) -> datetime | None:
        """When it opens next, if it is closed at this moment; None when it does not open within sixty days."""
        start, _end = next(self.openings(moment), (None, None))
        return start if start is not None and start > moment else None

    def after(self, moment: datetime, minutes: int) -> datetime:
        """The moment when it has been open for so many minutes since; a line that never opens counts every hour."""
        left = timedelta(minutes=minutes)
        for start, end in self.openings(moment):
            begun = max(start, moment)
            if end - begun >= left:
                return begun + left
            left -= end - begun
        return moment.astimezone(UTC) + left
