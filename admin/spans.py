"""Which days a page of figures shows: the chosen ones, those they are compared with, and the bars they are cut into.

Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "week", "month"]
Comparison = Literal["before", "year"]

MOST_DAYS = 1096
"""The longest period: three years."""
MOST_BARS = 160
"""More bars than that cannot be told apart."""
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


def last_month(today: date) -> Days:
    """The whole month before this one."""
    return month_of(today.replace(day=1) - _DAY)


def last_quarter(today: date) -> Days:
    """The whole quarter before this one."""
    first = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    last = first - _DAY
    return Days(date(last.year, last.month - 2, 1), last)


def last_year(today: date) -> Days:
    return Days(date(today.year - 1, 1, 1), date(today.year - 1, 12, 31))


def span_before(days: Days) -> Days:
    """The whole month, quarter or year before this whole month, quarter or year."""
    if len(days) > 300:
        return last_year(days.first)
    return last_quarter(days.first) if len(days) > 31 else last_month(days.first)


def this_year(today: date) -> Days:
    return Days(date(today.year, 1, 1), today)


def thirteen_months(today: date) -> Days:
    """This month and the twelve before it: a year, and the same month of the year before."""
    return Days(date(today.year - 1, today.month, 1), today)


def before(days: Days) -> Days:
    """The equal period that ends the day before."""
    return Days(days.first - len(days) * _DAY, days.first - _DAY)


def year_before(days: Days) -> Days:
    """The same days of the year before; 29 February is compared with the 28th."""
    return Days(_year_before(days.first), _year_before(days.last))


def _year_before(day: date) -> date:
    if (day.month, day.day) == (2, 29):
        return date(day.year - 1, 2, 28)
    return day.replace(year=day.year - 1)


def compared(days: Days, comparison: Comparison) -> Days:
    """The days that these are compared with."""
    return year_before(days) if comparison == "year" else before(days)


def grain(days: Days, asked: Grain | None = None) -> Grain:
    """What was asked for while its bars can be told apart, else the next coarser one.

    Nothing asked: by day while there is room for it, then by week (ISO, from Monday), then by month.
    """
    if asked is None:
        if len(days) <= _MOST_BARS_BY_DAY:
            return "day"
        return "week" if len(days) <= _MOST_BARS_BY_WEEK else "month"
    return "week" if asked == "day" and len(days) > MOST_BARS else asked


def cuts(days: Days, asked: Grain | None = None) -> list[Days]:
    """The period in bars; the first and the last one may be shorter than a week or a month."""
    return list(_cut(days, grain(days, asked)))


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
