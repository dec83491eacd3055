"""When a file opens, is best sent and is late: on the hospital's own working days and clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import calendar
from services.preadmission.deadlines import (
    complete_by,
    deadlines,
    overridden,
    working_days_before,
    working_days_between,
)
from services.preadmission.kinds import KINDS, StayCalendar

PARIS, REUNION, CAYENNE = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion"), ZoneInfo("America/Cayenne")
DAYS = st.dates(date(2026, 1, 1), date(2034, 12, 31))
RULES = st.sampled_from(calendar.HOLIDAY_RULES)
ZONES = st.sampled_from([PARIS, REUNION, CAYENNE, ZoneInfo("Indian/Mayotte"), ZoneInfo("America/Martinique")])
CALENDARS = st.builds(
    StayCalendar,
    opens=st.none() | st.integers(1, 365),
    recommended=st.integers(2, 60),
    cut_off=st.integers(0, 2),
    cut_off_at=st.builds(time, st.integers(0, 23)),
    reminders=st.lists(st.integers(1, 60), max_size=5).map(tuple),
    to_complete=st.integers(1, 30).map(lambda days: timedelta(days=days)),
)


def test_a_stay_after_the_november_holiday_is_late_from_the_friday_before() -> None:
    """Thursday 12 November 2026: Wednesday is a holiday, so two working days before is Monday, at noon in Paris."""
    found = deadlines(KINDS["inpatient"].calendar, date(2026, 11, 12), PARIS)
    assert found.cut_off_at == datetime(2026, 11, 9, 11, tzinfo=UTC)
    assert found.opens_on == date(2026, 9, 13)
    assert found.recommended_on == date(2026, 11, 2)
    assert found.remind_on == (date(2026, 10, 29), date(2026, 11, 5), date(2026, 11, 9))


def test_alsace_moselle_rests_on_good_friday_and_on_saint_stephen() -> None:
    after_easter = date(2027, 3, 30)  # Tuesday; Monday is a holiday everywhere, Good Friday is the 26th
    assert working_days_before(after_easter, 1) == date(2027, 3, 26)
    assert working_days_before(after_easter, 1, "alsace-moselle") == date(2027, 3, 25)


def test_noon_is_noon_where_the_hospital_is() -> None:
    usual, day = KINDS["day_case"].calendar, date(2026, 11, 19)
    assert deadlines(usual, day, REUNION, "reunion").cut_off_at == datetime(2026, 11, 17, 8, tzinfo=UTC)
    assert deadlines(usual, day, CAYENNE, "guyane").cut_off_at == datetime(2026, 11, 17, 15, tzinfo=UTC)


def test_a_file_sent_at_the_very_second_of_the_cut_off_is_in_time_and_the_next_microsecond_is_late() -> None:
    found = deadlines(StayCalendar(), date(2026, 11, 19), PARIS)
    assert not found.is_late(found.cut_off_at)
    assert found.is_late(found.cut_off_at + timedelta(microseconds=1))


def test_a_birth_is_prepared_from_the_first_test_on() -> None:
    found = deadlines(KINDS["maternity"].calendar, date(2027, 6, 1), PARIS)
    assert found.opens_on is None
    assert found.is_open_on(date(2026, 10, 1))


@given(CALENDARS, DAYS, ZONES, RULES)
def test_the_days_of_a_stay_come_in_order(wanted: StayCalendar, planned_on: date, tz: ZoneInfo, rules: str) -> None:
    found = deadlines(wanted, planned_on, tz, rules)
    last_day = calendar.civil_day(found.cut_off_at, tz)
    assert found.recommended_on <= last_day <= planned_on
    assert list(found.remind_on) == sorted(set(found.remind_on))
    assert all(day < planned_on for day in found.remind_on)
    if found.opens_on is not None:
        assert (planned_on - found.opens_on).days == wanted.opens


@given(DAYS, st.integers(1, 40), RULES)
def test_so_many_working_days_before_is_a_working_day_and_counts_back(day: date, count: int, rules: str) -> None:
    before = working_days_before(day, count, rules)
    assert calendar.is_business_day(before, rules)
    between = working_days_between(before, day, rules)
    assert between == count - (0 if calendar.is_business_day(day, rules) else 1)


@given(CALENDARS, DAYS, DAYS)
def test_what_is_missing_is_due_before_the_stay_and_never_before_it_was_asked(
    wanted: StayCalendar, asked_on: date, planned_on: date
) -> None:
    by = complete_by(wanted, asked_on, planned_on)
    assert by >= asked_on
    assert by <= asked_on + wanted.to_complete
    assert by < planned_on or by == asked_on


@given(CALENDARS, CALENDARS)
def test_a_unit_changes_what_it_says_and_leaves_the_rest(usual: StayCalendar, other: StayCalendar) -> None:
    assert overridden(usual) == usual
    assert overridden(usual, {"opens": None, "cut_off": None}) == usual
    changed = overridden(usual, {"recommended": 9}, {"recommended": other.recommended, "unknown": 1})
    assert changed.recommended == other.recommended
    assert (changed.opens, changed.cut_off, changed.reminders) == (usual.opens, usual.cut_off, usual.reminders)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_calendar_that_makes_sense(kind: str) -> None:
    wanted = KINDS[kind].calendar
    assert wanted.opens is None or wanted.opens > max(wanted.reminders)
    assert wanted.cut_off <= wanted.recommended
