"""Which days a page of figures shows: the chosen ones, as many before them, and how they are cut into bars. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "week", "month"]

MOST_DAYS = 1096
"""The longest period: three years."""
_MOST_BARS_BY_DAY = 45
_MOST_BARS_BY_WEEK = 366
_DAY = timedelta(days=1)
_MONTHS_SHOWN = 6


@dataclass(frozen=True, order=True)
class Days:
    """Civil days, both included."""

    first: date
    last: date

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def span(self) -> tuple[date, date]:
        return self.first, self.last


def last_days(today: date, count: int) -> Days:
    """The last `count` days, today included."""
    return Days(today - (count - 1) * _DAY, today)


def this_month(today: date) -> Days:
    return Days(today.replace(day=1), today)


def before(days: Days) -> Days:
    """The equal period that ends the day before."""
    return Days(days.first - len(days) * _DAY, days.first - _DAY)


def grain(days: Days) -> Grain:
    """By day while there is room for it, then by week (ISO, from Monday), then by month."""
    if len(days) <= _MOST_BARS_BY_DAY:
        return "day"
    return "week" if len(days) <= _MOST_BARS_BY_WEEK else "month"


def cuts(days: Days) -> list[Days]:
    """The period in bars; the first and the last one may be shorter than a week or a month."""
    return list(_cut(days, grain(days)))


def _cut(days: Days, by: Grain) -> Iterator[Days]:
    first = days.first
    while first <= days.last:
        last = min(_end(first, by), days.last)
        yield Days(first, last)
        first = last + _DAY


def _end(day: date, by: Grain) -> date:
    if by == "day":
        return day
    return day + (6 - day.weekday()) * _DAY if by == "week" else month_of(day).last


def month_of(day: date) -> Days:
    """The whole month of this day."""
    first = day.replace(day=1)
    return Days(first, (first + 31 * _DAY).replace(day=1) - _DAY)


def months(days: Days) -> list[Days]:
    """The months of the period, six at least, oldest first."""
    found = [month_of(days.last)]
    while found[0].first > days.first or len(found) < _MONTHS_SHOWN:
        found.insert(0, month_of(found[0].first - _DAY))
    return found
