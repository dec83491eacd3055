"""When a weekly template opens: on any date, any clock, any rhythm, night or day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal import calendar
from services.appointments import slots
from services.appointments.agendas import rules
from services.appointments.agendas.rules import OneDay, Place, Rule

PARIS = ZoneInfo("Europe/Paris")
PLACES = [
    Place(ZoneInfo(zone), calendar.holiday_rules("", zone))
    for zone in ("Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Cayenne", "Pacific/Noumea")
]
SPRING, AUTUMN = date(2027, 3, 28), date(2026, 10, 25)
DAY = timedelta(days=1)

times = some.builds(time, some.integers(0, 23), some.sampled_from(range(0, 60, 5)))
dates = some.dates(date(2026, 1, 1), date(2028, 12, 31))
around_changes = some.sampled_from([SPRING - DAY, SPRING, SPRING + DAY, AUTUMN - DAY, AUTUMN, AUTUMN + DAY]) | dates
plain = some.builds(
    Rule,
    weekday=some.integers(0, 6),
    opens=times,
    closes=times,
    first_on=dates,
    step_min=some.sampled_from(slots.STEPS_MIN),
    every_weeks=some.integers(1, 8),
    on_public_holidays=some.booleans(),
)
monthly = some.builds(
    Rule,
    weekday=some.integers(0, 6),
    opens=times,
    closes=times,
    first_on=dates,
    nth=some.sampled_from([-1, 1, 2, 3, 4, 5]),
)


@given(plain | monthly, dates, some.integers(0, 400), some.sampled_from(PLACES))
def test_days_are_those_on_which_the_rule_opens_and_no_other(rule: Rule, since: date, count: int, place: Place) -> None:
    until = since + DAY * count
    every = [since + DAY * ahead for ahead in range(count + 1)]
    assert list(rules.days(rule, since, until, place, {})) == [day for day in every if rules.opens_on(rule, day, place)]


@given(plain, dates, some.sampled_from(PLACES))
def test_weeks_are_counted_from_the_first_one(rule: Rule, since: date, place: Place) -> None:
    found = list(rules.days(rule, max(since, rule.first_on), since + DAY * 200, place, {}))
    for day in found:
        assert day >= rule.first_on
        assert day.weekday() == rule.weekday
        weeks, rest = divmod((day - (rule.first_on - DAY * rule.first_on.weekday())).days - rule.weekday, 7)
        assert (rest, weeks % rule.every_weeks) == (0, 0)


@given(monthly, dates, some.sampled_from(PLACES))
def test_the_nth_of_the_month_comes_once_a_month_at_most(rule: Rule, since: date, place: Place) -> None:
    found = list(rules.days(rule, since, since + DAY * 300, place, {}))
    assert len({(day.year, day.month) for day in found}) == len(found)
    for day in found:
        rank = (day.day - 1) // 7 + 1
        assert rank == rule.nth if rule.nth != -1 else (day + 7 * DAY).month != day.month


@given(plain, around_changes, some.sampled_from(PLACES))
def test_what_opens_is_what_the_wall_says(rule: Rule, day: date, place: Place) -> None:
    """However many hours the night really lasts, it opens and closes when the wall says so, or when the clock jumps
    over it; nothing of it is lost but what is shorter than a step."""
    begins, ends = rules.span(rule, day, place.tz)
    last = day if rule.closes > rule.opens else day + DAY
    for moment, on, at in ((begins, day, rule.opens), (ends, last, rule.closes)):
        wall = moment.astimezone(place.tz)
        told = calendar.to_utc(on, at, place.tz)
        assert wall.replace(tzinfo=None) == datetime.combine(on, at) if told else wall.time() > at
    pieces = rules.pieces((begins, ends), rule.step_min, [])
    step = timedelta(minutes=rule.step_min)
    assert all(1 <= count <= slots.MAX_CELLS for _at, count in pieces)
    assert sum(count for _at, count in pieces) == max(timedelta(), ends - begins) // step
    for (start, count), (following, _count) in pairwise(pieces):
        assert start + step * count == following


@given(plain, around_changes, some.lists(some.tuples(some.integers(-60, 200), some.integers(1, 60)), max_size=4))
def test_pieces_never_overlap_what_is_kept_nor_leave_a_step_unused(
    rule: Rule, day: date, kept: list[tuple[int, int]]
) -> None:
    begins, ends = rules.span(rule, day, PARIS)
    five = timedelta(minutes=5)
    spans = [(begins + five * first, begins + five * (first + count)) for first, count in kept]
    step = timedelta(minutes=rule.step_min)
    pieces = [(start, start + step * count) for start, count in rules.pieces((begins, ends), rule.step_min, spans)]
    for start, end in pieces:
        assert begins <= start < end <= ends
        assert all(end <= other_start or other_end <= start for other_start, other_end in spans)
    free = begins
    while free + step <= ends:
        inside = [each for each in (*pieces, *spans) if each[0] < free + step and free < each[1]]
        assert inside, "a whole step that nobody has is open"
        free += step


cells = some.integers(1, 60)


@given(cells, some.sampled_from(slots.STEPS_MIN), some.integers(-500, 1500), some.integers(0, 1500))
def test_a_part_and_its_rest_share_no_cell_but_the_ones_it_cuts(n: int, step: int, first: int, lasts: int) -> None:
    start = datetime(2027, 1, 4, 8, tzinfo=UTC)
    part = (start + timedelta(minutes=first), start + timedelta(minutes=first + lasts))
    inside, touched = rules.within(start, step, n, part), rules.meeting(start, step, n, [part] if lasts else [])
    for cell in range(n):
        begins, ends = (start + timedelta(minutes=step * at) for at in (cell, cell + 1))
        assert bool(inside >> cell & 1) == (part[0] <= begins and ends <= part[1])
        assert bool(touched >> cell & 1) == (part[0] < ends and begins < part[1] and lasts > 0)
    assert inside >> n == touched >> n == 0


# -- nights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "opens", "closes", "hours"),
    [
        (SPRING - DAY, time(22), time(6), 7), (AUTUMN - DAY, time(22), time(6), 9), (SPRING, time(0), time(4), 3),
        (AUTUMN, time(1), time(4), 4), (SPRING, time(2, 30), time(4), 1), (SPRING, time(1), time(2, 30), 1),
        (date(2027, 1, 4), time(22), time(2), 4), (SPRING, time(2), time(2, 45), 0),
    ],
)  # fmt: skip
def test_nights_of_clock_change_last_what_they_last(day: date, opens: time, closes: time, hours: int) -> None:
    begins, ends = rules.span(Rule(day.weekday(), opens, closes, day), day, PARIS)
    assert ends - begins == timedelta(hours=hours)


def test_a_night_of_fifteen_hours_is_cut_when_the_clock_gives_one_more() -> None:
    rule = Rule((AUTUMN - DAY).weekday(), time(18), time(9), AUTUMN - DAY)
    whole = rules.span(rule, AUTUMN - DAY, PARIS)
    assert [count for _at, count in rules.pieces(whole, 15, [])] == [60, 4]


def test_overseas_no_clock_ever_changes_and_the_wall_is_theirs() -> None:
    for zone, hour in (("Indian/Reunion", 5), ("America/Martinique", 13)):
        for day in (SPRING, AUTUMN):
            begins, _ends = rules.span(Rule(6, time(9), time(12), day), day, ZoneInfo(zone))
            assert begins.hour == hour


def test_the_part_for_a_channel_past_midnight_is_on_the_second_day() -> None:
    rule = Rule(0, time(22), time(4), date(2027, 1, 4))
    part = rules.meant_for("part", (time(1), time(3)), rule, date(2027, 1, 4), PARIS)
    assert part == (datetime(2027, 1, 5, 0, tzinfo=UTC), datetime(2027, 1, 5, 2, tzinfo=UTC))
    late = rules.meant_for("part", (time(23), time(1)), rule, date(2027, 1, 4), PARIS)
    assert late == (datetime(2027, 1, 4, 22, tzinfo=UTC), datetime(2027, 1, 5, 0, tzinfo=UTC))
    assert rules.meant_for("all", (None, None), rule, date(2027, 1, 4), PARIS) is None


# -- holidays ----------------------------------------------------------------------------------------------------


def test_templates_stay_closed_on_public_holidays_unless_told_otherwise() -> None:
    christmas = date(2026, 12, 25)
    weekly = Rule(christmas.weekday(), time(9), time(12), date(2026, 12, 1))
    paris = Place(PARIS)
    assert not rules.opens_on(weekly, christmas, paris)
    assert rules.opens_on(Rule(4, time(9), time(12), date(2026, 12, 1), on_public_holidays=True), christmas, paris)
    boxing = Rule(5, time(9), time(12), date(2026, 12, 1))
    assert rules.opens_on(boxing, date(2026, 12, 26), paris)
    assert not rules.opens_on(boxing, date(2026, 12, 26), Place(PARIS, "alsace-moselle"))


def test_templates_may_follow_school_holidays() -> None:
    place = Place(PARIS, school=[(date(2027, 2, 6), date(2027, 2, 21))])
    only = Rule(2, time(9), time(12), date(2027, 1, 1), school_holidays="only")
    outside = Rule(2, time(9), time(12), date(2027, 1, 1), school_holidays="outside")
    february = (date(2027, 2, 1), date(2027, 2, 28))
    assert [day.day for day in rules.days(only, *february, place, {})] == [10, 17]
    assert [day.day for day in rules.days(outside, *february, place, {})] == [3, 24]


def test_one_day_wins_over_the_rule_and_over_holidays() -> None:
    weekly = Rule(4, time(9), time(12), date(2026, 12, 1))
    given_days = {date(2026, 12, 25): OneDay(True), date(2026, 12, 18): OneDay(False), date(2026, 12, 19): OneDay(True)}
    found = rules.days(weekly, date(2026, 12, 12), date(2026, 12, 31), Place(PARIS), given_days)
    assert [day.day for day in found] == [19, 25]
