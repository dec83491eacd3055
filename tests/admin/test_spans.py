"""The days of a page of figures, and how they are cut into bars."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from admin import spans
from admin.spans import Days

NOV_22 = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("chosen", "first"),
    [(spans.last_days(NOV_22, 7), date(2026, 11, 16)), (spans.this_month(NOV_22), date(2026, 11, 1))],
)
def test_a_ready_made_period_ends_today(chosen: Days, first: date) -> None:
    assert chosen == Days(first, NOV_22)


def test_the_period_before_is_as_long_and_ends_the_day_before() -> None:
    assert spans.before(Days(date(2026, 3, 1), date(2026, 3, 31))) == Days(date(2026, 1, 29), date(2026, 2, 28))


@pytest.mark.parametrize("length", [1, 2, 7, 30, 45, 46, 90, 365, 366, 367, 800, 1096])
@pytest.mark.parametrize("last", [NOV_22, date(2024, 2, 29), date(2026, 1, 1)])
def test_the_bars_cover_the_period_once_without_a_gap(length: int, last: date) -> None:
    chosen = spans.last_days(last, length)
    bars = spans.cuts(chosen)
    assert (bars[0].first, bars[-1].last) == chosen.span
    assert all(after.first - before.last == timedelta(days=1) for before, after in pairwise(bars))
    assert sum(map(len, bars)) == length
    assert len(bars) <= 60


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert {bar.first.weekday() for bar in spans.cuts(spans.last_days(NOV_22, 90))[1:]} == {0}
    assert {bar.first.day for bar in spans.cuts(spans.last_days(NOV_22, 700))[1:]} == {1}


def test_what_is_counted_by_month_shows_six_months_at_least() -> None:
    shown = spans.months(spans.last_days(NOV_22, 7))
    assert [month.first.month for month in shown] == [6, 7, 8, 9, 10, 11]
    assert shown[-1] == Days(date(2026, 11, 1), date(2026, 11, 30))
    assert len(spans.months(spans.last_days(NOV_22, 365))) == 13


@pytest.mark.parametrize(
    ("chosen", "first", "last"),
    [
        (spans.last_month(NOV_22), date(2026, 10, 1), date(2026, 10, 31)),
        (spans.last_month(date(2026, 1, 31)), date(2025, 12, 1), date(2025, 12, 31)),
        (spans.last_quarter(NOV_22), date(2026, 7, 1), date(2026, 9, 30)),
        (spans.last_quarter(date(2026, 3, 31)), date(2025, 10, 1), date(2025, 12, 31)),
        (spans.this_year(NOV_22), date(2026, 1, 1), NOV_22),
        (spans.last_year(NOV_22), date(2025, 1, 1), date(2025, 12, 31)),
        (spans.thirteen_months(NOV_22), date(2025, 11, 1), NOV_22),
        (spans.year_before(Days(date(2024, 2, 29), date(2024, 3, 31))), date(2023, 2, 28), date(2023, 3, 31)),
    ],
    ids=["month", "month of last year", "quarter", "quarter of last year", "this year", "year", "13", "29 February"],
)
def test_ready_made_periods_are_whole(chosen: Days, first: date, last: date) -> None:
    assert chosen == Days(first, last)


@pytest.mark.parametrize("asked", ["day", "week", "month"])
@pytest.mark.parametrize("length", [1, 30, 160, 161, 1096])
def test_no_more_bars_are_drawn_than_can_be_told_apart(asked: spans.Grain, length: int) -> None:
    bars = spans.cuts(spans.last_days(NOV_22, length), asked)
    assert len(bars) <= spans.MOST_BARS
    assert sum(map(len, bars)) == length
