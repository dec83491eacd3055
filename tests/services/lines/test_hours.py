"""The hours of a line: what people write, nights, holidays, clock changes, and the delay counted in them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lines import hours, roster, useful
from services.lines.hours import Hours, NotHours

PARIS = ZoneInfo("Europe/Paris")
WORKING = (((510, 1110),),) * 5 + ((), ())
NIGHTS = (((1200, 1920),),) * 7
ALWAYS = (((0, 1440),),) * 7


def at(text: str, tz: ZoneInfo = PARIS) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=tz).astimezone(UTC)


def week(days: tuple[tuple[hours.Span, ...], ...], holidays: str = "closed") -> Hours:
    return Hours(days, holidays, PARIS)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ()),
        ("8h30-12h30, 14h-18h", ((510, 750), (840, 1080))),
        ("14-18 ; 8:30-12:30", ((510, 750), (840, 1080))),
        ("9h-12h et 14h-17h", ((540, 720), (840, 1020))),
        ("20-8", ((1200, 1920),)),
        ("24/24", ((0, 1440),)),
        ("0-24", ((0, 1440),)),
        ("8 – 20", ((480, 1200),)),
    ],
)
def test_hours_are_read_as_people_write_them(written: str, read: tuple[hours.Span, ...]) -> None:
    assert hours.parse(written) == read


@pytest.mark.parametrize(
    "written", ["matin", "8-25", "8:75-9", "8-12, 11-14", "-", "8", "24-8", "٨-١٢", "8-12-14", "a" * 5000]
)
def test_what_is_no_hours_is_refused(written: str) -> None:
    with pytest.raises(NotHours):
        hours.parse(written)


@given(st.lists(st.integers(0, 1439), unique=True, max_size=8).map(sorted))
def test_hours_written_once_are_read_again(cuts: list[int]) -> None:
    spans = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    assert hours.parse(hours.write(spans)) == spans


def test_open_in_the_day_and_closed_at_noon_of_a_holiday() -> None:
    assert week(WORKING).is_open(at("2026-11-24 08:30"))
    assert not week(WORKING).is_open(at("2026-11-24 18:30"))
    assert not week(WORKING).is_open(at("2026-11-11 10:00"))
    assert week(WORKING, "usual").is_open(at("2026-11-11 10:00"))
    assert not week(WORKING, "sunday").is_open(at("2026-11-11 10:00"))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    only_saturday = tuple(((1200, 1920),) if day == 5 else () for day in range(7))
    assert week(only_saturday).is_open(at("2026-11-29 03:00"))
    assert not week(only_saturday).is_open(at("2026-11-28 03:00"))


def test_what_touches_is_one_opening() -> None:
    assert week(NIGHTS).closes_at(at("2026-11-24 23:00")) == at("2026-11-25 08:00")
    always = week(ALWAYS, "usual")
    assert always.is_always
    assert not week(ALWAYS, "closed").is_always
    closes = always.closes_at(at("2026-11-24 12:00"))
    assert closes is not None
    assert closes > at("2027-01-10 00:00")


def test_says_when_it_opens_again() -> None:
    assert week(WORKING).opens_at(at("2026-11-27 19:00")) == at("2026-11-30 08:30")
    assert week(WORKING).opens_at(at("2026-11-27 10:00")) is None
    assert week(((),) * 7).opens_at(at("2026-11-27 10:00")) is None


def test_a_delay_counts_open_minutes_only() -> None:
    # Friday 17:30, two hours: one on Friday, one on Monday.
    assert week(WORKING).after(at("2026-11-27 17:30"), 120) == at("2026-11-30 09:30")
    # A line that never opens counts every hour, rather than none.
    assert week(((),) * 7).after(at("2026-11-27 17:30"), 60) == at("2026-11-27 18:30")


@pytest.mark.parametrize(("day", "length"), [("2026-03-28", 11), ("2026-10-24", 13)])
def test_a_night_of_a_clock_change_is_an_hour_shorter_or_longer(day: str, length: int) -> None:
    start, end = next(week(NIGHTS).openings(at(f"{day} 21:00")))
    assert end - start == timedelta(hours=length)


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)), st.integers(10, 2880))
def test_a_delay_ends_when_the_line_is_open_and_never_before(moment: datetime, minutes: int) -> None:
    now, open_ = moment.replace(tzinfo=UTC), week(WORKING)
    due = open_.after(now, minutes)
    assert due - now >= timedelta(minutes=minutes)
    assert open_.is_open(due - timedelta(seconds=1))


@given(st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)))
def test_is_open_or_says_when_it_opens(moment: datetime) -> None:
    now, open_ = moment.replace(tzinfo=UTC), week(WORKING)
    assert open_.is_open(now) == (open_.opens_at(now) is None)


# -- rosters -------------------------------------------------------------------------------------------------------


def span(start: str, end: str) -> roster.Moments:
    return at(start), at(end)


def test_a_hole_is_where_nobody_is_expected_in_vain() -> None:
    expected = [span("2026-11-24 08:00", "2026-11-24 20:00")]
    within = span("2026-11-23 00:00", "2026-11-30 00:00")
    present = [span("2026-11-24 06:00", "2026-11-24 10:00"), span("2026-11-24 12:00", "2026-11-24 13:00")]
    assert roster.holes(expected, present, within) == [
        span("2026-11-24 10:00", "2026-11-24 12:00"),
        span("2026-11-24 13:00", "2026-11-24 20:00"),
    ]
    assert roster.holes(expected, expected, within) == []


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 50)), max_size=8))
def test_holes_and_presence_never_meet(taken: list[tuple[int, int]]) -> None:
    zero = at("2026-11-23 00:00")
    present = [(zero + timedelta(hours=a), zero + timedelta(hours=a + b)) for a, b in taken]
    expected = [(zero, zero + timedelta(hours=168))]
    for hole in roster.holes(expected, present, expected[0]):
        assert hole[0] < hole[1]
        assert not any(roster.meet(hole, each) for each in present)


def test_a_week_later_is_the_same_hour_on_the_wall() -> None:
    before = span("2026-10-19 08:00", "2026-10-19 20:00")
    assert roster.moved(before, 1, PARIS) == span("2026-10-26 08:00", "2026-10-26 20:00")
    assert roster.monday(date(2026, 11, 29)) == date(2026, 11, 23)


def test_the_evening_is_that_of_the_hospital_and_two_hours_away_at_least() -> None:
    noon, night = at("2026-11-24 12:00"), at("2026-11-24 23:30")
    assert useful.until("today", noon, PARIS) == at("2026-11-24 19:00")
    assert useful.until("today", night, PARIS) == at("2026-11-25 01:30")
    assert useful.until("tomorrow", night, PARIS) == at("2026-11-25 19:00")
    reunion = ZoneInfo("Indian/Reunion")
    assert useful.until("today", noon, reunion) == at("2026-11-24 19:00", reunion)
