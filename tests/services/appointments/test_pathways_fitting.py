"""Which free times go together: every way found keeps the rules, and none that exists is missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

from hypothesis import given
from hypothesis import strategies as st

from services.appointments.pathways import fitting

NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)


@dataclass(frozen=True)
class At:
    minute: int
    lasts: int = 30

    @property
    def at(self) -> datetime:
        return NINE + timedelta(minutes=self.minute)

    @property
    def until(self) -> datetime:
        return self.at + timedelta(minutes=self.lasts)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


steps_of_a_day = st.lists(
    st.lists(st.builds(At, st.integers(0, 48).map(lambda n: n * 10), st.sampled_from([10, 20, 30])), max_size=6).map(
        lambda times: sorted(times, key=lambda each: each.at)
    ),
    min_size=1,
    max_size=4,
)


def follows(way: Sequence[At], least: timedelta, most: timedelta) -> bool:
    return all(before.until + least <= after.at <= before.until + most for before, after in pairwise(way))


@given(steps_of_a_day, st.integers(0, 4).map(lambda n: n * 10), st.integers(0, 12).map(lambda n: n * 10))
def test_a_start_is_found_when_and_only_when_a_way_exists(steps: list[list[At]], least: int, more: int) -> None:
    gaps = minutes(least), minutes(least + more)
    found = list(fitting.chains(steps, *gaps))
    possible = [way for way in product(*steps) if follows(way, *gaps)]
    assert all(follows(way, *gaps) for way in found)
    assert {way[0] for way in found} == {way[0] for way in possible}
    for way in found:
        assert way[-1].until == min(each[-1].until for each in possible if each[0] == way[0])


@given(steps_of_a_day)
def test_ways_proposed_are_different_ones(steps: list[list[At]]) -> None:
    shown = fitting.apart(fitting.chains(steps, minutes(0), minutes(60)), 3)
    assert len(shown) <= 3
    assert all(before[0].at < after[0].at for before, after in pairwise(shown))


def test_a_day_full_of_free_times_is_answered_at_once() -> None:
    steps = [[At(minute, 5) for minute in range(600)] for _ in range(6)]
    assert fitting.apart(fitting.chains(steps, minutes(0), minutes(600)), 2)


def test_the_closest_time_is_no_further_than_asked() -> None:
    times = [At(0), At(60), At(120)]
    assert fitting.closest(times, At(70).at, minutes(15)) == At(60)
    assert fitting.closest(times, At(90).at, minutes(30)) == At(60)
    assert fitting.closest(times, At(200).at, minutes(30)) is None
