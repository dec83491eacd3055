"""A unit answers within hours that pass on business days alone, whatever its clock does."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import calendar
from services.referrals.deadlines import answer_by

PARIS = ZoneInfo("Europe/Paris")
ZONES = st.sampled_from([PARIS, ZoneInfo("Indian/Reunion"), ZoneInfo("America/Cayenne"), ZoneInfo("Pacific/Noumea")])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(("since", "hours", "until"), [
    ("2026-11-24 10:00", 24, "2026-11-25 10:00"),  # Tuesday
    ("2026-11-27 16:00", 48, "2026-12-01 16:00"),  # Friday: the week-end does not count
    ("2026-11-28 09:00", 24, "2026-12-01 00:00"),  # Saturday: from Monday's first minute
    ("2026-12-24 12:00", 24, "2026-12-28 12:00"),  # Christmas Day is a Friday
    ("2026-11-24 10:00", 0, "2026-11-24 10:00"),
    ("2026-03-27 12:00", 24, "2026-03-30 12:00"),  # the clock changes on the Sunday between
])  # fmt: skip
def test_week_ends_and_holidays_do_not_count(since: str, hours: int, until: str) -> None:
    assert answer_by(paris(since), hours, PARIS) == paris(until)


def test_the_answer_is_in_utc() -> None:
    assert answer_by(paris("2026-11-24 10:00"), 1, PARIS).utcoffset() == timedelta()


def test_nobody_answers_before_being_asked() -> None:
    with pytest.raises(ValueError, match="negative"):
        answer_by(paris("2026-11-24 10:00"), -1, PARIS)


@given(MOMENTS, st.integers(0, 24 * 30), ZONES)
def test_a_deadline_is_never_earlier_than_its_hours(since: datetime, hours: int, tz: ZoneInfo) -> None:
    assert answer_by(since, hours, tz) - since >= timedelta(hours=hours)


@given(MOMENTS, st.integers(0, 24 * 30), st.integers(0, 24 * 5), ZONES)
def test_more_hours_are_never_sooner(since: datetime, hours: int, more: int, tz: ZoneInfo) -> None:
    assert answer_by(since, hours, tz) <= answer_by(since, hours + more, tz)


@given(MOMENTS, st.integers(1, 24 * 30), ZONES)
def test_it_falls_on_a_business_day_or_on_its_last_instant(since: datetime, hours: int, tz: ZoneInfo) -> None:
    just_before = answer_by(since, hours, tz) - timedelta(microseconds=1)
    assert calendar.is_business_day(calendar.civil_day(just_before, tz))


@given(MOMENTS, st.integers(0, 24 * 10), st.integers(0, 24 * 10), ZONES)
def test_waiting_in_two_steps_is_waiting_once(since: datetime, one: int, two: int, tz: ZoneInfo) -> None:
    assert answer_by(answer_by(since, one, tz), two, tz) == answer_by(since, one + two, tz)
