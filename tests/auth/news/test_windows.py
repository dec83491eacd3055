"""When a news is told: never in quiet hours nor on days off, never before it happened, once in each window."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auth.news.kinds import AT_ONCE, CHANNELS, DAILY, HOURLY, KINDS, NEVER, RHYTHMS, usual
from auth.news.windows import Hours, due_at
from auth.news.wishes import ZONES
from portal import calendar

PARIS = ZoneInfo("Europe/Paris")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
HOURS = st.builds(
    Hours,
    tz=st.sampled_from([ZoneInfo(zone) for zone in ZONES]),
    quiet_from=st.integers(0, 24),
    quiet_until=st.integers(0, 24),
    daily_at=st.integers(0, 23),
    weekends=st.booleans(),
).filter(lambda hours: (hours.quiet_from, hours.quiet_until) != (0, 24))
USUAL = Hours(PARIS)


def at(day: int, hour: int, minute: int = 0, month: int = 6) -> datetime:
    """A moment of 2026 by the clock of Paris; 1 June is a Monday."""
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS).astimezone(UTC)


@given(MOMENTS, HOURS, st.sampled_from(RHYTHMS), st.none() | MOMENTS)
def test_nothing_leaves_early_nor_in_quiet_hours_nor_on_a_day_off(
    created_at: datetime, hours: Hours, rhythm: str, last_at: datetime | None
) -> None:
    due = due_at(rhythm, hours, created_at, last_at)
    if rhythm == NEVER:
        assert due is None
        return
    assert due is not None
    assert due >= created_at
    local = due.astimezone(hours.tz)
    assert not calendar.is_quiet_hour(local.hour, hours.quiet_from, hours.quiet_until)
    assert hours.weekends or calendar.is_business_day(local.date())


@given(MOMENTS, HOURS, st.sampled_from((AT_ONCE, HOURLY, DAILY)))
def test_what_is_urgent_waits_for_nothing(created_at: datetime, hours: Hours, rhythm: str) -> None:
    assert due_at(rhythm, hours, created_at, created_at, urgent=True) == created_at


@given(MOMENTS, HOURS)
def test_the_first_allowed_moment_is_allowed_and_stays_where_it_is(moment: datetime, hours: Hours) -> None:
    found = hours.next_allowed(moment)
    assert hours.allow(found)
    assert found >= moment
    assert found - moment < timedelta(days=8)


@given(MOMENTS, HOURS)
def test_no_allowed_hour_is_missed(moment: datetime, hours: Hours) -> None:
    """Nothing allowed lies between the moment and the answer, looked at every half hour."""
    found = hours.next_allowed(moment)
    looked = moment + timedelta(minutes=30)
    while looked < found:
        local = looked.astimezone(hours.tz)
        quiet = calendar.is_quiet_hour(local.hour, hours.quiet_from, hours.quiet_until)
        assert quiet or (not hours.weekends and not calendar.is_business_day(local.date()))
        looked += timedelta(minutes=30)


@given(st.lists(MOMENTS, min_size=2, max_size=20), HOURS)
def test_once_a_day_is_one_window_a_day_of_the_persons_clock(moments: list[datetime], hours: Hours) -> None:
    assume(not calendar.is_quiet_hour(hours.daily_at, hours.quiet_from, hours.quiet_until))
    windows = {due_at(DAILY, hours, moment) for moment in moments}
    days = {window.astimezone(hours.tz).date() for window in windows if window}
    assert len(days) == len(windows)


@pytest.mark.parametrize("rhythm", [HOURLY, DAILY])
@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_what_happened_later_is_not_told_sooner(rhythm: str, moment: datetime, later: timedelta) -> None:
    first, second = due_at(rhythm, USUAL, moment), due_at(rhythm, USUAL, moment + later)
    assert first is not None
    assert second is not None
    assert first <= second


def test_at_once_groups_what_comes_within_ten_minutes_of_a_message() -> None:
    assert due_at(AT_ONCE, USUAL, at(1, 10)) == at(1, 10)
    assert due_at(AT_ONCE, USUAL, at(1, 10, 4), at(1, 10)) == at(1, 10, 10)
    assert due_at(AT_ONCE, USUAL, at(1, 10, 30), at(1, 10)) == at(1, 10, 30)


def test_hourly_is_told_at_the_end_of_the_hour_and_the_evenings_in_the_morning() -> None:
    assert due_at(HOURLY, USUAL, at(1, 10, 1)) == at(1, 11)
    assert due_at(HOURLY, USUAL, at(1, 19, 30)) == at(2, 7)
    assert due_at(HOURLY, USUAL, at(5, 18, 59)) == at(5, 19)  # a Friday
    assert due_at(HOURLY, USUAL, at(5, 21)) == at(8, 7)  # told on Monday


def test_once_a_day_is_at_the_chosen_hour_of_a_working_day() -> None:
    assert due_at(DAILY, USUAL, at(1, 9)) == at(1, 12)
    assert due_at(DAILY, USUAL, at(1, 12)) == at(2, 12)
    assert due_at(DAILY, USUAL, at(13, 9, month=7)) == at(13, 12, month=7)
    assert due_at(DAILY, USUAL, at(13, 13, month=7)) == at(15, 12, month=7)  # the 14th is a holiday
    always = Hours(PARIS, weekends=True)
    assert due_at(DAILY, always, at(13, 13, month=7)) == at(14, 12, month=7)


def test_the_hour_that_spring_skips_and_the_one_that_autumn_repeats_hold_nothing_up() -> None:
    early = Hours(PARIS, quiet_from=22, quiet_until=2, daily_at=2, weekends=True)
    skipped = due_at(AT_ONCE, early, datetime(2026, 3, 29, 0, 30, tzinfo=PARIS).astimezone(UTC))
    assert skipped == datetime(2026, 3, 29, 1, tzinfo=UTC)  # the clock jumps from 2 to 3
    repeated = due_at(DAILY, early, datetime(2026, 10, 24, 22, 0, tzinfo=UTC))
    assert repeated == datetime(2026, 10, 25, 0, 0, tzinfo=UTC)  # the first of the two


def test_quiet_hours_go_over_midnight_or_stay_in_the_day() -> None:
    lunch = Hours(PARIS, quiet_from=12, quiet_until=14)
    assert due_at(AT_ONCE, lunch, at(1, 12, 30)) == at(1, 14)
    until_midnight = Hours(PARIS, quiet_from=18, quiet_until=24)
    assert due_at(AT_ONCE, until_midnight, at(1, 18)) == calendar.to_utc(date(2026, 6, 2), time(0), PARIS)
    never_quiet = Hours(PARIS, quiet_from=8, quiet_until=8)
    assert due_at(AT_ONCE, never_quiet, at(1, 3)) == at(1, 3)


@pytest.mark.parametrize("audience", ["professional", "staff"])
@pytest.mark.parametrize("kind", KINDS)
def test_whoever_chose_nothing_is_told_by_one_channel_at_most(kind: str, audience: str) -> None:
    for has_box in (False, True):
        told = [channel for channel in CHANNELS if usual(kind, audience, channel, has_box=has_box) != NEVER]
        assert len(told) <= 1
        assert told or KINDS[kind].usual.get(audience, AT_ONCE) == NEVER


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_must_be_heard_of_is_heard_of_by_whoever_chose_nothing(kind: object) -> None:
    assert all(kind.usual[audience] != NEVER for audience in kind.needed)  # type: ignore[attr-defined]  # one of KINDS
