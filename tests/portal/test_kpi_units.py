"""Figures by unit: told beside the hospital's, in the same instant, and always adding up to it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from portal import db, kpi
from portal.kpi import Period, units
from portal.kpi.units import ByUnit, at_unit
from tests.ground import prepared
from tests.writers import all_rolled_up

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MARCH = [(FIRST, LAST)]
PLACE, HEART, BONES = UUID(int=1), UUID(int=11), UUID(int=12)
BOOKED = "appointment_booked"


def told(event: str, times: int = 1, **facts: Any) -> None:
    with prepared():
        for _each in range(times):
            kpi.count(event, **{"establishment_id": PLACE, "at": NOON} | facts)


def read(code: str, spans: Sequence[tuple[date, date]] = MARCH) -> dict[UUID | None, tuple[int, int | None]]:
    """Unit → the figure of the first span; the hospital under its own name."""
    definition = kpi.definition(code)
    with db.transaction(db.system("tests")):
        found = ByUnit(spans, PLACE, definition.events)
        figures = {unit: definition.compute(found.of(unit)[0]) for unit in (*found.units, None)}
        figures[PLACE] = definition.compute(found.whole[0])
        return {unit: (each.numerator, each.denominator) for unit, each in figures.items()}


def rolled_up() -> list[Any]:
    query = (
        "select event, dimension, events, quantity from kpi_day where event like '%appointment_booked' order by 1, 2"
    )
    with db.transaction(db.system("tests")) as current:
        return [tuple(row) for row in current.execute(text(query))]


class TestTelling:
    def test_an_event_that_knows_its_unit_is_told_twice_at_one_instant(self, app: Flask) -> None:
        with prepared():
            kpi.count(BOOKED, establishment_id=PLACE, dimension="open_online", unit_id=HEART, account_id=uuid4())
            rows = db.session.execute(text("select event, dimension, at, pseudonym from kpi_event order by id")).all()
        (plain, of_unit) = sorted(rows)
        assert (plain.event, plain.dimension) == (BOOKED, "open_online")
        assert (of_unit.event, of_unit.dimension) == (f"unit.{BOOKED}", f"{HEART.hex}:open_online")
        assert plain.at == of_unit.at
        assert (bool(plain.pseudonym), of_unit.pseudonym) == (True, ""), "nobody is recognised by their unit"

    def test_the_others_are_told_once(self, app: Flask) -> None:
        told("appointment_moved", unit_id=HEART)
        told(BOOKED)
        with db.transaction(db.system("tests")) as current:
            assert current.scalar(text("select count(*) from kpi_event")) == 2

    def test_every_figure_by_unit_is_counted_from_events_told_by_unit(self, app: Flask) -> None:
        by_unit = [each for each in kpi.definitions() if units.DIMENSION in each.dimensions]
        assert {"R1", "R2a", "R3", "R4a", "R7", "P1", "P4", "P5a", "C1", "C1d", "L1", "M3a", "M4", "D2S"} <= {
            each.code for each in by_unit
        }
        for each in by_unit:
            assert {*each.events, each.event} <= units.EVENTS, each.code
            assert not each.portal
            assert not each.by_month

    @pytest.mark.parametrize("code", ["R2b", "R2c", "P2", "P8", "D3", "M2"])
    def test_what_units_do_not_know_is_not_asked_of_them(self, app: Flask, code: str) -> None:
        assert units.DIMENSION not in kpi.definition(code).dimensions


class TestReading:
    def test_a_rate_is_that_of_each_unit_and_the_rest_is_of_none(self, app: Flask) -> None:
        for unit, online, phone in ((HEART, 3, 5), (BONES, 4, 0), (None, 1, 1)):
            told(BOOKED, online, dimension="open_online", unit_id=unit)
            told(BOOKED, phone, dimension="open_online", unit_id=unit, channel="phone")
        all_rolled_up()
        assert read("R2a") == {HEART: (3, 8), BONES: (4, 4), None: (1, 2), PLACE: (8, 14)}

    def test_a_delay_is_read_of_each_unit(self, app: Flask) -> None:
        for unit, hours in ((HEART, 1), (HEART, 1), (BONES, 7), (None, 30)):
            with prepared():
                kpi.delays.count_delay(
                    "exchange_first_answer", timedelta(hours=hours), establishment_id=PLACE, unit_id=unit
                )
        all_rolled_up()
        today = datetime.now(UTC).date()
        found = read("M3a", [(today - timedelta(days=2), today + timedelta(days=2))])
        assert {unit: hours for unit, (hours, _none) in found.items()} == {HEART: 1, BONES: 6, None: 32, PLACE: 1}

    def test_what_is_taken_back_is_taken_back_from_its_unit(self, app: Flask) -> None:
        told("appointment_outcome", 6, dimension="seen_alone", unit_id=HEART)
        told("appointment_outcome", 2, dimension="missed_alone", unit_id=HEART)
        told("appointment_outcome_taken_back", 1, dimension="missed_alone", unit_id=HEART)
        told("appointment_outcome", 2, dimension="missed_alone", unit_id=BONES)
        all_rolled_up()
        assert read("R7") == {HEART: (1, 7), BONES: (2, 2), None: (0, 0), PLACE: (3, 9)}

    def test_one_unit_alone_is_read_as_among_the_others(self, app: Flask) -> None:
        told(BOOKED, 3, dimension="open_online", unit_id=HEART)
        told(BOOKED, 2, dimension="open_online", unit_id=BONES)
        all_rolled_up()
        definition = kpi.definition("R1")
        with db.transaction(db.system("tests")):
            (period,) = at_unit(MARCH, PLACE, HEART, definition.events)
            assert definition.compute(period).numerator == 3

    def test_another_hospital_is_not_looked_at(self, app: Flask) -> None:
        told(BOOKED, 3, unit_id=HEART, establishment_id=UUID(int=2))
        all_rolled_up()
        assert read("R1") == {None: (0, None), PLACE: (0, None)}

    def test_units_are_heard_of_from_their_first_month_on(self, app: Flask) -> None:
        told(BOOKED, unit_id=HEART)
        told("deposit_sent", unit_id=BONES, at=NOON + timedelta(days=40))
        all_rolled_up()
        with db.transaction(db.system("tests")):
            found = units.heard_of(PLACE, [LAST, date(2026, 6, 30)])
        assert found == {LAST: {HEART}, date(2026, 6, 30): {HEART, BONES}}

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(st.sampled_from([HEART, BONES, None]), st.sampled_from(["web", "phone"]), st.integers(0, 20)),
            max_size=15,
        )
    )
    def test_units_and_the_rest_add_up_to_the_hospital(
        self, app: Flask, happened: list[tuple[UUID | None, str, int]]
    ) -> None:
        place = uuid4()
        with prepared():
            for unit, channel, day in happened:
                at = NOON + timedelta(days=day)
                kpi.count(BOOKED, establishment_id=place, channel=channel, unit_id=unit, at=at)
        all_rolled_up()
        with db.transaction(db.system("tests")):
            found = ByUnit(MARCH, place, [BOOKED])
            parts = {unit: kpi.counted(BOOKED, found.of(unit)[0]) for unit in (*found.units, None)}
            assert sum(parts.values()) == kpi.counted(BOOKED, Period(FIRST, LAST, place)) == len(happened)
            assert parts.get(HEART, 0) == sum(unit == HEART for unit, _channel, _day in happened)


class TestRebuilding:
    def test_units_are_counted_again_exactly(self, app: Flask) -> None:
        told(BOOKED, 3, dimension="open_online", unit_id=HEART)
        told(BOOKED, 2, unit_id=BONES, quantity=5)
        told(BOOKED)
        all_rolled_up()
        before = rolled_up()
        assert len(before) == 4
        with db.transaction(db.system("tests")):
            assert kpi.rebuild().differences == ()
        assert rolled_up() == before

    def test_what_comes_after_the_closing_changes_no_unit(self, app: Flask) -> None:
        told(BOOKED, 3, unit_id=HEART)
        all_rolled_up()
        with prepared():
            kpi.closing.close(FIRST)
        told(BOOKED, 2, unit_id=HEART)
        all_rolled_up()
        assert read("R1") == {HEART: (3, None), None: (0, None), PLACE: (3, None)}
        with db.transaction(db.system("tests")):
            found = {each.event: (each.frozen, each.late, each.is_unexplained) for each in kpi.rebuild().differences}
        assert found == {BOOKED: (3, 2, False), f"unit.{BOOKED}": (3, 2, False)}
