"""An estimate is a range and never a promise: never narrower than what was measured, never older than it may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.attendance.api import read
from services.attendance.estimates import (
    AHEAD,
    LONGEST_MIN,
    OLDEST,
    STEP_MIN,
    USUAL_LIFE_MIN,
    NotAFigure,
    Told,
    checked,
    is_fresh,
    life,
    shown_minutes,
    valid_until,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
REPORT = {"department": "adultes", "measured_at": "2026-11-23T12:00:00Z", "state": "open"}


@given(some.integers(0, LONGEST_MIN), some.integers(0, LONGEST_MIN))
def test_the_range_that_is_shown_holds_the_one_that_was_measured(one: int, other: int) -> None:
    begins, ends = sorted((one, other))
    shown = shown_minutes((begins, ends))
    assert shown is not None
    assert shown[0] <= begins <= ends <= shown[1]
    assert shown[1] - shown[0] >= STEP_MIN
    assert all(each % STEP_MIN == 0 for each in shown)
    assert shown[1] - shown[0] < ends - begins + 2 * STEP_MIN + 1


def test_nothing_measured_is_nothing_shown() -> None:
    assert shown_minutes(None) is None


@given(some.integers(-3000, 3000), some.integers(5, 240))
def test_a_figure_is_shown_until_its_life_is_over(ago_s: int, life_min: int) -> None:
    measured = NOON - timedelta(seconds=ago_s)
    assert is_fresh(measured, life_min, NOON) == (ago_s < life_min * 60)
    assert valid_until(measured, life_min) == measured + timedelta(minutes=life_min)


@given(some.text(max_size=6))
def test_a_life_that_makes_no_sense_is_the_usual_one(chosen: str) -> None:
    assert 5 <= life(chosen) <= 240


@pytest.mark.parametrize(
    ("chosen", "minutes"),
    [
        ("", USUAL_LIFE_MIN),
        ("4", USUAL_LIFE_MIN),
        ("5", 5),
        ("240", 240),
        ("241", USUAL_LIFE_MIN),
        ("²", USUAL_LIFE_MIN),
    ],
)
def test_a_hospital_chooses_a_life_within_bounds(chosen: str, minutes: int) -> None:
    assert life(chosen) == minutes


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (Told(NOON, "happy"), "state"),
        (Told(NOON, "open", -1), "waiting"),
        (Told(NOON, "open", 1000), "waiting"),
        (Told(NOON, "open", 3, (60, 30)), "minutes"),
        (Told(NOON, "open", 3, (0, LONGEST_MIN + 1)), "minutes"),
        (Told(NOON + AHEAD + timedelta(seconds=1), "open"), "measured_at"),
        (Told(NOON - OLDEST - timedelta(seconds=1), "open"), "measured_at"),
    ],
    ids=["state", "fewer than nobody", "too many", "backwards", "longer than a day", "tomorrow", "yesterday"],
)
def test_what_makes_no_sense_is_refused(told: Told, field: str) -> None:
    with pytest.raises(NotAFigure, match=field):
        checked(told, NOON)


def test_a_report_is_read_as_it_is_written() -> None:
    code, told = read(
        REPORT | {"waiting": 12, "minutes": {"from": 30, "to": 60}, "message": {"fr": " Patience ", "en": ""}}
    )
    assert code == "adultes"
    assert told == Told(NOON, "open", 12, (30, 60), {"fr": "Patience"})


@pytest.mark.parametrize(
    ("report", "field"),
    [
        ([], "report"),
        (REPORT | {"pateint": "x"}, "pateint"),
        (REPORT | {"department": ""}, "department"),
        (REPORT | {"state": ["open"]}, "state"),
        (REPORT | {"waiting": "3"}, "waiting"),
        (REPORT | {"waiting": True}, "waiting"),
        (REPORT | {"minutes": [1, 2]}, "minutes"),
        (REPORT | {"minutes": {"from": 1}}, "minutes"),
        (REPORT | {"measured_at": "2026-11-23T12:00:00"}, "measured_at"),
        (REPORT | {"measured_at": 12}, "measured_at"),
        (REPORT | {"message": "hello"}, "message"),
        (REPORT | {"message": {"de": "hallo"}}, "message"),
        (REPORT | {"message": {"fr": "x" * 301}}, "message"),
        (REPORT | {"message": {"fr": "\x00"}}, "message"),
    ],
    ids=lambda each: each if isinstance(each, str) else "report",
)
def test_a_report_at_fault_says_which_field(report: object, field: str) -> None:
    with pytest.raises(NotAFigure, match=field):
        read(report)


_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
    lambda inside: some.lists(inside, max_size=3) | some.dictionaries(some.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(some.dictionaries(some.sampled_from([*sorted(REPORT), "waiting", "minutes", "message"]), _JSON))
def test_whatever_is_sent_is_read_or_refused(report: dict[str, object]) -> None:
    try:
        _code, told = read(REPORT | report)
        checked(told, NOON)
    except NotAFigure:
        return
    assert told.waiting is None or 0 <= told.waiting <= 999
