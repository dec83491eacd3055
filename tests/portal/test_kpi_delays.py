"""Delays counted in slices: what they say of halves and nine in ten is never a slice away from the truth."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal import calendar, db
from portal.kpi import Period, delays
from tests.ground import prepared, today
from tests.writers import all_rolled_up

PARIS = ZoneInfo("Europe/Paris")


def percentile(hours: list[float], share: float) -> float | None:
    return delays.percentile_of(Counter(delays.slice_of(timedelta(hours=each)) for each in hours), share)


@given(st.lists(st.floats(0.1, 150), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 1.0]))
def test_it_lies_in_the_slice_of_the_exact_value(hours: list[float], share: float) -> None:
    exact = sorted(hours)[ceil(share * len(hours)) - 1]
    found = percentile(hours, share)
    assert found is not None
    edges = [0, *delays.SLICES.values()]
    above, upto = next((low, high) for low, high in pairwise(edges) if exact <= high)
    assert above <= found <= upto + 1e-9


@pytest.mark.parametrize(
    ("hours", "share", "found"),
    [
        ([0.5] * 4, 0.5, 0.5),
        ([0.5] * 5 + [6] * 4 + [12], 0.5, 1.0),
        ([0.5] * 5 + [6] * 4 + [12], 0.9, 8.0),
        ([3, 3], 0.5, 3.0),
        ([500.0], 0.5, 160.0),
    ],
)
def test_by_hand(hours: list[float], share: float, found: float) -> None:
    assert percentile(hours, share) == pytest.approx(found)


def test_of_nothing_it_says_nothing() -> None:
    assert percentile([], 0.5) is None


def test_a_delay_is_counted_under_its_slice_with_its_minutes(app: Flask) -> None:
    with prepared():
        delays.count_delay("delay", timedelta(hours=9), establishment_id=uuid4())
    all_rolled_up()
    with db.transaction(db.system("tests")):
        around = Period(today() - timedelta(days=1), today() + timedelta(days=1))
        assert delays.hours("delay", around, 0.5) == 12


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        (datetime(2025, 3, 3, 9), datetime(2025, 3, 3, 12), 3),
        (datetime(2025, 3, 3, 16), datetime(2025, 3, 4, 10), 2),
        (datetime(2025, 3, 7, 16), datetime(2025, 3, 10, 10), 2),  # over a weekend
        (datetime(2025, 4, 30, 16), datetime(2025, 5, 2, 10), 2),  # over the first of May
        (datetime(2025, 3, 28, 9), datetime(2025, 3, 31, 9), 8),  # over the change of clocks
        (datetime(2025, 3, 1, 9), datetime(2025, 3, 2, 9), 0),
        (datetime(2025, 3, 4, 9), datetime(2025, 3, 3, 9), 0),
    ],
)
def test_working_time_is_that_of_the_hospitals_calendar(since: datetime, until: datetime, hours: int) -> None:
    begins, ends = (each.replace(tzinfo=PARIS).astimezone(UTC) for each in (since, until))
    assert calendar.Office(PARIS).worked(begins, ends) == timedelta(hours=hours)
