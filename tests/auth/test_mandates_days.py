"""When a mandate begins and ends: birthdays, 29 February, midnight where it was decided; and what may follow what."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text

from auth.mandates import ages, states
from auth.mandates.states import TransitionRefused
from portal import db
from portal.db import SCOPES

BIRTHS = st.dates(date(1930, 1, 1), date(2060, 12, 31))
# Every part of France where a hospital may stand, and the two ends of the day.
ZONES = st.sampled_from(
    ["Europe/Paris", "America/Guadeloupe", "America/Martinique", "America/Cayenne", "Indian/Reunion", "Indian/Mayotte",
     "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis", "America/Miquelon", "Pacific/Marquesas"]
)  # fmt: skip


class TestMajority:
    @pytest.mark.parametrize(
        ("born", "of_age"),
        [
            (date(2008, 7, 14), date(2026, 7, 14)),
            (date(2008, 2, 29), date(2026, 3, 1)),  # C. proc. civ. 641: 28 February at 24 h
            (date(2008, 2, 28), date(2026, 2, 28)),
            (date(2008, 3, 1), date(2026, 3, 1)),
            (date(2008, 12, 31), date(2026, 12, 31)),
        ],
    )
    def test_is_the_eighteenth_birthday(self, born: date, of_age: date) -> None:
        assert ages.majority_on(born) == of_age

    @given(BIRTHS)
    def test_comes_the_day_after_the_last_day_of_minority(self, born: date) -> None:
        last = ages.last_day_of_minority(born)
        assert ages.age_on(born, last) == 17
        assert ages.age_on(born, last + timedelta(days=1)) == 18

    @given(BIRTHS)
    def test_falls_in_the_same_month_or_on_the_first_of_march(self, born: date) -> None:
        of_age = ages.majority_on(born)
        if (born.month, born.day) == (2, 29):
            assert (of_age.month, of_age.day) == (3, 1)
        else:
            assert (of_age.month, of_age.day) == (born.month, born.day)

    @given(BIRTHS, st.integers(0, 100), ZONES)
    def test_is_midnight_of_the_place_that_checked(self, born: date, seconds: int, zone: str) -> None:
        over = ages.over_at(ages.last_day_of_minority(born), zone)
        assert over.tzinfo is UTC
        assert ages.today_in(zone, over + timedelta(seconds=seconds)) == ages.majority_on(born)
        assert ages.today_in(zone, over - timedelta(seconds=seconds + 1)) < ages.majority_on(born)

    def test_comes_hours_apart_in_tahiti_and_in_noumea(self) -> None:
        last = date(2026, 7, 13)
        assert ages.over_at(last, "Pacific/Noumea") == datetime(2026, 7, 13, 13, 0, tzinfo=UTC)
        assert ages.over_at(last, "Europe/Paris") == datetime(2026, 7, 13, 22, 0, tzinfo=UTC)
        assert ages.over_at(last, "Pacific/Tahiti") == datetime(2026, 7, 14, 10, 0, tzinfo=UTC)


class TestAge:
    @given(BIRTHS, st.integers(0, 40), st.integers(1, 25))
    def test_born_by_are_exactly_those_old_enough(self, born: date, shift: int, years: int) -> None:
        """Around the day itself, where a mistake of one day would show."""
        day = ages.reaches(born, years) + timedelta(days=shift - 20)
        assert (born <= ages.born_by(day, years)) == (ages.reaches(born, years) <= day)

    @given(BIRTHS, st.integers(0, 36500))
    def test_grows_by_one_at_each_birthday(self, born: date, days: int) -> None:
        day = born + timedelta(days=days)
        before, after = ages.age_on(born, day - timedelta(days=1)), ages.age_on(born, day)
        assert after - before == (1 if days > 0 and ages.reaches(born, after) == day else 0) or days == 0

    @given(BIRTHS)
    def test_a_year_is_at_most_366_days_first_one_included(self, day: date) -> None:
        assert (ages.a_year_from(day) - day).days in (364, 365)


class TestTheDatabase:
    @given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), ZONES)
    def test_counts_civil_days_as_we_do(self, app: Flask, moment: datetime, zone: str) -> None:
        """`open_web_session` decides in SQL, the pages in Python: never two answers."""
        at = moment.replace(tzinfo=UTC)
        with db.transaction(db.ANONYMOUS) as current:
            there = current.scalar(
                text("select (cast(:at as timestamptz) at time zone :zone)::date"), {"at": at, "zone": zone}
            )
        assert there == ages.today_in(zone, at) == at.astimezone(ZoneInfo(zone)).date()


class Life(RuleBasedStateMachine):
    """Any story of a mandate: only what the table allows happens, and what is over stays over."""

    def __init__(self) -> None:
        super().__init__()
        self.state, self.was_over = "", False

    @rule(wanted=st.sampled_from(states.STATES))
    @precondition(lambda self: True)
    def try_to_become(self, wanted: str) -> None:
        try:
            states.check(self.state, wanted)
        except TransitionRefused:
            return
        assert not self.was_over, "nothing follows an end"
        assert wanted != "active" or self.state in ("", "requested", "offered", "active")
        self.state = wanted
        self.was_over = wanted in states.OVER

    @invariant()
    def is_one_we_know(self) -> None:
        assert self.state in {"", *states.STATES}


TestLife = Life.TestCase


class TestTheTables:
    def test_every_state_can_be_reached(self) -> None:
        reached, waiting = {""}, [""]
        while waiting:
            for each in states.TRANSITIONS.get(waiting.pop(), frozenset()) - reached:
                reached.add(each)
                waiting.append(each)
        assert reached == {"", *states.STATES}

    def test_a_curator_never_reads_what_is_medical(self) -> None:
        assert "medical" not in states.SCOPES_OF["curator"]
        assert all(set(scopes) <= set(SCOPES) for scopes in states.SCOPES_OF.values())

    @pytest.mark.parametrize(("act", "both"), [("appointment", False), ("surgery", True), ("anaesthesia", True)])
    def test_unusual_acts_need_both_parents(self, act: str, both: bool) -> None:
        assert states.NEEDS_BOTH[act] is both
