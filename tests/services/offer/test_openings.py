"""Doors are open when the hospital's wall clock says so, and closed when something says that they are."""

import contextlib
import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.offer import openings
from services.offer.openings import MIDNIGHT, Days, NotHours, Range, Schedule

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")
MONDAY = date(2026, 11, 23)
OFFICE = [Range(day, time(8, 30), time(12, 30)) for day in range(5)] + [
    Range(day, time(13, 30), time(17)) for day in range(5)
]  # fmt: skip
ALWAYS = [Range(day, MIDNIGHT, MIDNIGHT, True) for day in range(7)]


def at(day: date, clock: str, tz: ZoneInfo = PARIS) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=tz).astimezone(UTC)


class TestNow:
    @pytest.mark.parametrize(
        ("clock", "is_open"),
        [("08:29", False), ("08:30", True), ("12:29", True), ("12:30", False), ("13:30", True), ("17:00", False)],
    )
    def test_is_open_from_the_first_minute_to_the_last(self, clock: str, is_open: bool) -> None:
        assert openings.is_open(Schedule(OFFICE, PARIS), at(MONDAY, clock)) is is_open

    def test_says_until_when_and_when_next(self) -> None:
        schedule = Schedule(OFFICE, PARIS)
        assert openings.standing(schedule, at(MONDAY, "09:00")).until == at(MONDAY, "12:30")
        friday = MONDAY + timedelta(days=4)
        closed = openings.standing(schedule, at(friday, "18:00"))
        assert (closed.is_open, closed.next_at) == (False, at(friday + timedelta(days=3), "08:30"))

    def test_lives_by_the_hospital_s_clock(self) -> None:
        assert openings.is_open(Schedule(OFFICE, REUNION, "reunion"), at(MONDAY, "09:00", REUNION))
        assert not openings.is_open(Schedule(OFFICE, REUNION, "reunion"), at(MONDAY, "15:00", PARIS))

    def test_a_night_ends_on_the_next_day(self) -> None:
        night = Schedule([Range(0, time(20), time(6))], PARIS)
        tuesday = MONDAY + timedelta(days=1)
        assert openings.is_open(night, at(tuesday, "05:59"))
        assert not openings.is_open(night, at(tuesday, "06:00"))
        assert not openings.is_open(night, at(MONDAY, "05:59"))

    def test_round_the_clock_never_says_until_when(self) -> None:
        assert openings.standing(Schedule(ALWAYS, PARIS), at(MONDAY, "00:00")).until is None

    def test_is_closed_on_public_holidays_unless_it_says_otherwise(self) -> None:
        may_day = date(2026, 5, 1)
        assert not openings.is_open(Schedule(OFFICE, PARIS), at(may_day, "10:00"))
        assert openings.is_open(Schedule(ALWAYS, PARIS), at(may_day, "10:00"))
        saint_stephen = date(2025, 12, 26)
        assert openings.is_open(Schedule(OFFICE, PARIS), at(saint_stephen, "10:00"))
        assert not openings.is_open(Schedule(OFFICE, PARIS, "alsace-moselle"), at(saint_stephen, "10:00"))

    @pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
    def test_a_day_when_the_clock_changes_has_its_own_length(self, day: date, hours: int) -> None:
        ((begins, ends),) = openings.stretches(Schedule(ALWAYS, PARIS), day, 1)
        assert ends - begins == timedelta(hours=hours)


class TestClosures:
    WORKS = Days(MONDAY, MONDAY + timedelta(days=1), reason="Travaux")

    def test_close_whatever_the_week_says(self) -> None:
        schedule = Schedule(OFFICE, PARIS, changes=[self.WORKS])
        closed = openings.standing(schedule, at(MONDAY, "09:00"))
        assert (closed.is_open, closed.closed_by) == (False, self.WORKS)
        assert closed.next_at == at(MONDAY + timedelta(days=2), "08:30")

    def test_cut_the_night_that_runs_into_them(self) -> None:
        sunday = MONDAY - timedelta(days=1)
        schedule = Schedule([Range(6, time(20), time(6))], PARIS, changes=[self.WORKS])
        assert openings.is_open(schedule, at(sunday, "23:59"))
        assert not openings.is_open(schedule, at(MONDAY, "00:00"))

    def test_other_hours_replace_those_of_the_day(self) -> None:
        eve = Days(MONDAY, MONDAY, time(9), time(11))
        schedule = Schedule(OFFICE, PARIS, changes=[eve])
        assert not openings.is_open(schedule, at(MONDAY, "08:45"))
        assert openings.is_open(schedule, at(MONDAY, "10:00"))

    def test_of_what_is_around_close_what_is_inside_but_their_other_hours_do_not_open_it(self) -> None:
        inside = Schedule(OFFICE, PARIS).within(
            [self.WORKS, Days(date(2026, 11, 28), date(2026, 11, 28), time(9), time(11))]
        )
        assert not openings.is_open(inside, at(MONDAY, "09:00"))
        assert not openings.is_open(inside, at(date(2026, 11, 28), "10:00"))

    def test_before_the_first_day_and_after_the_last_it_is_closed(self) -> None:
        changes = openings.not_outside(MONDAY, MONDAY + timedelta(days=1))
        schedule = Schedule(ALWAYS, PARIS, changes=changes)
        days = {day: openings.is_open(schedule, at(MONDAY + timedelta(days=day), "10:00")) for day in (-1, 0, 1, 2)}
        assert days == {-1: False, 0: True, 1: True, 2: False}

    def test_are_announced_the_nearest_first(self) -> None:
        far = Days(MONDAY + timedelta(days=90), MONDAY + timedelta(days=90))
        past = Days(MONDAY - timedelta(days=3), MONDAY - timedelta(days=1))
        soon = Days(MONDAY + timedelta(days=9), MONDAY + timedelta(days=9))
        assert openings.announced([soon, far, past, self.WORKS], MONDAY) == [self.WORKS, soon]


clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    opens, closes = draw(clocks), draw(clocks)
    return Range(draw(st.integers(0, 6)), opens, closes, draw(st.booleans()))


@given(st.lists(ranges(), max_size=12), st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)))
def test_what_is_said_of_now_and_what_is_said_next_agree(week: list[Range], moment: datetime) -> None:
    schedule, now = Schedule(week, PARIS), moment.replace(tzinfo=UTC)
    known = openings.standing(schedule, now)
    assert known.is_open is openings.is_open(schedule, now)
    if known.next_at:
        assert openings.is_open(schedule, known.next_at)
        assert not openings.is_open(schedule, known.next_at - timedelta(seconds=1))
    if known.until:
        assert not openings.is_open(schedule, known.until)


@given(st.lists(ranges(), max_size=12), st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_stretches_are_in_order_and_apart(week: list[Range], first: date) -> None:
    found = openings.stretches(Schedule(week, PARIS), first, 14)
    assert all(begins < ends for begins, ends in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))


class TestWriting:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", []), ("8-12", [(time(8), time(12))]), ("8h30 – 12h", [(time(8, 30), time(12))]),
            ("13:30-17:00;8:30-12:30", [(time(8, 30), time(12, 30)), (time(13, 30), time(17))]),
            ("24/24", [(MIDNIGHT, MIDNIGHT)]), ("20:00-24:00", [(time(20), MIDNIGHT)]), ("20-6", [(time(20), time(6))]),
        ],
    )  # fmt: skip
    def test_is_read_as_people_write(self, text: str, found: list[tuple[time, time]]) -> None:
        assert openings.parsed(text) == found

    @pytest.mark.parametrize(
        "text", ["8", "8-12-14", "25-26", "8:60-9", "٨-٩", "8-12, 10-14", "20-6, 22-23", "-", "a-b"]
    )
    def test_what_is_no_hours_is_refused(self, text: str) -> None:
        with pytest.raises(NotHours):
            openings.parsed(text)

    @given(st.lists(st.tuples(clocks, clocks), max_size=3))
    def test_what_is_written_is_read_again(self, pairs: list[tuple[time, time]]) -> None:
        try:
            found = openings.parsed(openings.written(pairs))
        except NotHours:
            return
        assert found == sorted(pairs)

    @given(st.text(max_size=30))
    def test_anything_is_read_or_refused(self, text: str) -> None:
        with contextlib.suppress(NotHours):
            openings.parsed(text)
