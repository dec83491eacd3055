"""Hours of the week: kept by the roll-up for a few events, on each hospital's clock; few of them leave no hospital."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from portal import db, kpi
from portal.kpi import GROUP_WIDE, hours
from portal.kpi.models import KpiHour
from tests.factories import hospitals, people
from tests.ground import prepared
from tests.portal.test_kpi import all_of, happened
from tests.writers import all_rolled_up, write_while

KEPT = text("select month, event, establishment_id, weekday, hour, events from kpi_hour order by 1, 2, 3, 4, 5")
RECOUNT = text(
    "select date_trunc('month', l)::date, event, establishment_id, extract(isodow from l)::int,"
    " extract(hour from l)::int, count(*) from (select k.*, k.at at time zone coalesce(e.time_zone, 'Europe/Paris') l"
    " from kpi_event k left join establishment e on e.id = k.establishment_id) k"
    " where event in ('visit_started', 'appointment_booked', 'preadmission_submitted') and audience <> 'staff'"
    " group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5"
)
MARCH = date(2026, 3, 1)
SUNDAY = 7


def visit(*at: int, **facts: Any) -> dict[str, Any]:
    return {"event": "visit_started", "at": datetime(*at, tzinfo=UTC)} | facts  # type: ignore[arg-type,misc]  # year, month, day…


def kept() -> Sequence[Any]:
    return all_of(KEPT)


class TestKeeping:
    def test_each_hour_of_the_week_is_counted_on_the_clock_of_its_place(self, app: Flask) -> None:
        with prepared():
            reunion = hospitals.hospital("990000033", "La Réunion")
            reunion.establishment.time_zone = "Indian/Reunion"
            place = reunion.establishment.id
        booked = {"event": "appointment_booked", "establishment_id": place}
        happened(
            visit(2026, 3, 2, 8, 59),  # Monday 2 March, 9:59 in Paris
            visit(2026, 3, 9, 8, 0),  # the next Monday, 9:00
            visit(2026, 3, 31, 22, 0),  # Wednesday 1 April, midnight in Paris
            booked | {"at": datetime(2026, 3, 1, 20, 0, tzinfo=UTC)},  # Monday 2 March, midnight on La Réunion
        )
        assert kept() == [
            (MARCH, "appointment_booked", place, 1, 0, 1),
            (MARCH, "visit_started", GROUP_WIDE, 1, 9, 2),
            (date(2026, 4, 1), "visit_started", GROUP_WIDE, 3, 0, 1),
        ]

    def test_the_hour_that_comes_twice_counts_twice_and_the_one_that_is_skipped_never(self, app: Flask) -> None:
        happened(
            *(visit(2026, 10, 25, hour, 30) for hour in (0, 1, 2)),  # 2:30, 2:30 again, 3:30
            *(visit(2026, 3, 29, hour, 30) for hour in (0, 1)),  # 1:30, 3:30
        )
        assert [(month.month, weekday, hour, count) for month, _, _, weekday, hour, count in kept()] == [
            (3, SUNDAY, 1, 1), (3, SUNDAY, 3, 1), (10, SUNDAY, 2, 2), (10, SUNDAY, 3, 1),
        ]  # fmt: skip

    def test_other_events_and_what_the_staff_does_are_left_out(self, app: Flask) -> None:
        happened({"event": "bill_paid"}, visit(2026, 3, 2, 8, audience="staff"))
        assert kept() == []

    def test_concurrent_writers_are_counted_exactly_and_rebuilding_gives_the_same(self, app: Flask) -> None:
        places = [uuid4(), None]

        def write(chance: Random) -> None:
            event = chance.choice(("visit_started", "appointment_booked", "bill_paid"))
            audience = chance.choice(("patient", "staff"))
            kpi.count(event, establishment_id=chance.choice(places), audience=audience)

        write_while(kpi.roll_up, write, writers=3, rounds=4)
        all_rolled_up()
        counted = kept()
        assert counted == all_of(RECOUNT) != []
        with prepared():
            kpi.rebuild()
        assert kept() == counted

    def test_a_closed_month_keeps_its_hours(self, app: Flask) -> None:
        happened(visit(2026, 3, 2, 8))
        kpi.close_months(date(2026, 5, 6))
        before = kept()
        happened(visit(2026, 3, 2, 8))
        with prepared():
            kpi.rebuild()
        assert kept() == before == [(MARCH, "visit_started", GROUP_WIDE, 1, 9, 1)]


def test_an_administrator_reads_their_hospitals_hours_and_the_portal_s(app: Flask) -> None:
    with prepared():
        mine, other = (hospitals.hospital(each).establishment.id for each in ("990000017", "990000025"))
        ours = people.as_agent(people.agent(mine, "administration"), mine, "administration")
        clerk = people.as_agent(people.agent(mine, "appointments"), mine, "appointments")
    booked = {"event": "appointment_booked"}
    happened(booked | {"establishment_id": mine}, booked | {"establishment_id": other}, visit(2026, 3, 2, 12))
    for actor, seen in ((ours, {mine, GROUP_WIDE}), (clerk, set[UUID]())):
        with db.transaction(actor):
            assert set(db.session.scalars(select(KpiHour.establishment_id))) == seen
    with db.transaction(ours):
        assert hours.week("appointment_booked", date(2026, 3, 20), date(2026, 3, 21), [mine, other])[0][13] == 1
        assert hours.week("visit_started", MARCH, MARCH)[0][13] == 1
        assert not any(map(any, hours.week("visit_started", date(2026, 4, 1), date(2026, 4, 30))))


def _week(**cells: int) -> list[list[int]]:
    """Nothing but `d1_h9=12`: so many on Mondays at nine."""
    grid = [[0] * 24 for _ in range(7)]
    for name, number in cells.items():
        day, hour = name.removeprefix("d").split("_h")
        grid[int(day) - 1][int(hour)] = number
    return grid


class TestMasking:
    def test_hours_of_eleven_and_more_are_shown_as_they_are(self) -> None:
        grid = _week(d1_h9=11, d7_h23=400)
        assert hours.shown(grid) == grid

    def test_an_hour_of_fewer_makes_bands_of_four_hours_of_all_of_them(self) -> None:
        shown = hours.shown(_week(d1_h8=10, d1_h11=1, d2_h9=40))
        assert shown is not None
        assert [len(line) for line in shown] == [6] * 7
        assert (shown[0][2], shown[1][2]) == (11, 40)

    @pytest.mark.parametrize("few", [1, 10])
    def test_a_band_of_fewer_hides_the_whole_week(self, few: int) -> None:
        assert hours.shown(_week(d1_h9=500, d3_h4=few)) is None

    @given(st.lists(st.lists(st.integers(0, 30), min_size=24, max_size=24), min_size=7, max_size=7))
    @settings(max_examples=50)
    def test_whatever_is_shown_has_no_small_number_and_loses_nobody(self, grid: list[list[int]]) -> None:
        shown = hours.shown(grid)
        if shown is not None:
            assert not any(1 <= cell <= 10 for line in shown for cell in line)
            assert sum(map(sum, shown)) == sum(map(sum, grid))
