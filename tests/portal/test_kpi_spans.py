"""Spans of days are read as whole months, whole weeks and days: each day once, and the parts make the whole."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text

from portal import db, kpi
from portal.kpi import GROUP_WIDE, KpiEvent, Period, spanning
from tests.factories import hospitals, people
from tests.ground import prepared
from tests.statements import executed
from tests.writers import all_rolled_up

DAYS = st.dates(date(2023, 12, 1), date(2026, 2, 28))
NORTH, SOUTH = UUID(int=17), UUID(int=25)


def days_of(grain: str, first: date, last: date) -> Iterator[date]:
    """The days that a piece stands for."""
    end = last
    if grain == "month":
        end = (last + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    elif grain == "week":
        end = last + timedelta(days=6)
    while first <= end:
        yield first
        first += timedelta(days=1)


class TestPieces:
    @given(DAYS, DAYS)
    @settings(max_examples=300)
    def test_every_day_is_in_one_piece(self, one: date, other: date) -> None:
        first, last = min(one, other), max(one, other)
        found = [day for piece in spanning.pieces(first, last) for day in days_of(*piece)]
        assert found == list(days_of("day", first, last))

    @given(DAYS, DAYS)
    def test_months_and_weeks_begin_where_they_begin(self, one: date, other: date) -> None:
        for grain, first, last in spanning.pieces(min(one, other), max(one, other)):
            if grain == "month":
                assert (first.day, last.day) == (1, 1)
            elif grain == "week":
                assert (first.weekday(), last.weekday()) == (0, 0)

    def test_two_years_are_months_and_few_days(self) -> None:
        found = list(spanning.pieces(date(2024, 1, 15), date(2025, 12, 20)))
        assert found == [
            ("week", date(2024, 1, 15), date(2024, 1, 22)),
            ("day", date(2024, 1, 29), date(2024, 1, 31)),
            ("month", date(2024, 2, 1), date(2025, 11, 1)),
            ("week", date(2025, 12, 1), date(2025, 12, 8)),
            ("day", date(2025, 12, 15), date(2025, 12, 20)),
        ]


@pytest.fixture
def counted(app: Flask) -> list[tuple[date, UUID, str]]:
    """One event a day or so over fourteen months, at two hospitals and for the portal."""
    facts = [
        (date(2025, 1, 1) + timedelta(days=number), place, event)
        for number in range(425)
        for rank, place in enumerate((NORTH, SOUTH, GROUP_WIDE))
        for event in ("bill_paid", "visit_started")
        if number % (rank + 2) == 0
    ]
    usual: dict[str, Any] = {"channel": "web", "audience": "patient", "dimension": "", "quantity": 3, "pseudonym": ""}
    with prepared():
        db.session.execute(
            insert(KpiEvent).inline(),
            [
                usual | {"event": event, "establishment_id": place, "at": datetime.combine(day, time(12), UTC)}
                for day, place, event in facts
            ],
        )  # fmt: skip
    all_rolled_up()
    return facts


class TestReading:
    def test_any_spans_say_what_their_days_say(self, counted: list[tuple[date, UUID, str]]) -> None:
        spans = st.lists(
            st.tuples(st.dates(date(2024, 12, 20), date(2026, 3, 20)), st.integers(0, 400)), min_size=1, max_size=6
        )

        @given(spans, st.sampled_from([None, NORTH, SOUTH, GROUP_WIDE]), st.sampled_from([None, (), ("bill_paid",)]))
        @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
        def check(drawn: list[tuple[date, int]], place: UUID | None, events: tuple[str, ...] | None) -> None:
            wanted = [(first, first + timedelta(days=length)) for first, length in drawn]
            with db.transaction(db.system("tests")):
                for period in kpi.side_by_side(wanted, place, [NORTH, SOUTH], events):
                    mine = [
                        day for day, where, event in counted
                        if event == "bill_paid" and place in (None, where) and period.first <= day <= period.last
                    ]  # fmt: skip
                    assert kpi.counted("bill_paid", period) == len(mine)
                    assert kpi.summed("bill_paid", period) == 3 * len(mine)
                    assert kpi.stock("bill_paid", period) == sum(
                        event == "bill_paid" and place in (None, where) and day <= period.last
                        for day, where, event in counted
                    )

        check()

    @pytest.mark.usefixtures("counted")
    def test_the_parts_make_the_whole(self) -> None:
        """Hospitals and the portal make the group; months make the year."""
        with db.transaction(db.system("tests")):
            whole = kpi.counted("visit_started", Period(date(2025, 1, 1), date(2025, 12, 31)))
            parts = [
                kpi.counted("visit_started", Period(date(2025, 1, 1), date(2025, 12, 31), place))
                for place in (NORTH, SOUTH, GROUP_WIDE)
            ]
            assert sum(parts) == whole > 300

    @pytest.mark.usefixtures("counted")
    def test_what_is_asked_for_is_read_at_once_and_the_rest_when_needed(self, app: Flask) -> None:
        with db.transaction(db.system("tests")):
            db.current_actor()
            months = [(date(2025, month, 1), date(2025, month, 28)) for month in range(1, 13)]
            beside = kpi.side_by_side(months, None, [NORTH, SOUTH], ["bill_paid"])
            with executed(app) as statements:
                assert all(kpi.counted("bill_paid", period) for period in beside)
            assert len(statements) == 1
            with executed(app) as statements:
                assert all(kpi.counted("visit_started", period) for period in beside)
            assert len(statements) == 1

    @pytest.mark.usefixtures("counted")
    def test_hospitals_are_compared_for_one_statement(self, app: Flask) -> None:
        span = (date(2025, 1, 3), date(2025, 11, 20))
        with db.transaction(db.system("tests")):
            alone = {place: kpi.counted("bill_paid", Period(*span, place)) for place in (NORTH, SOUTH)}
            db.current_actor()
            with executed(app) as statements:
                apart = kpi.place_by_place([span], [NORTH, SOUTH], ["bill_paid"])
                assert {place: kpi.counted("bill_paid", periods[0]) for place, periods in apart.items()} == alone
                assert kpi.counted("visit_started", apart[NORTH][0].portal) > 0
            assert len(statements) == 2, "one for what was announced, one for what was not"
            assert alone[NORTH] != alone[SOUTH]


class TestClosedMonths:
    """They never change again: a process reads them once."""

    SPANS = ((date(2025, 1, 1), date(2025, 12, 31)), (date(2025, 3, 1), date(2025, 3, 31)))

    def read(self, app: Flask) -> tuple[list[int], list[str]]:
        director = db.Actor("staff", "Director", UUID(int=3), rights={"administration": frozenset({NORTH, SOUTH})})
        with db.transaction(director):
            db.current_actor()
            with executed(app) as statements:
                beside = kpi.side_by_side(self.SPANS, None, [NORTH, SOUTH], ["bill_paid"])
                return [kpi.counted("bill_paid", period) for period in beside], list(statements)

    @pytest.mark.usefixtures("counted")
    def test_they_are_read_once_and_open_ones_every_time(self, app: Flask) -> None:
        before, _statements = self.read(app)
        kpi.close_months(date(2025, 12, 20))
        assert [self.read(app)[0] for _ in range(2)] == [before, before]
        with prepared():
            db.session.execute(text("update kpi_month set events = events + 1 where month = '2025-12-01'"))
            db.session.execute(text("update kpi_month set events = events + 1000 where month = '2025-03-01'"))
        after, statements = self.read(app)
        assert after == [before[0] + 3, before[1]], "a hospital, the other, the portal: one more each in December"
        assert len(statements) == 2
        kpi.close_months(date(2026, 2, 28))
        self.read(app)
        assert len(self.read(app)[1]) == 1, "nothing is open any more"

    def test_what_a_reader_found_is_not_what_another_may_read(self, app: Flask) -> None:
        with prepared():
            north, south = hospitals.hospital("990000017"), hospitals.hospital("990000025")
            agents = {
                place: people.agent(place, "administration")
                for place in (north.establishment.id, south.establishment.id)
            }
            told = datetime(2025, 3, 3, 12, tzinfo=UTC)
            db.session.add_all(KpiEvent(event="bill_paid", establishment_id=place, at=told) for place in agents)
        all_rolled_up()
        kpi.close_months(date(2025, 12, 20))
        everywhere = list(agents)
        for _again in range(2):
            for place, agent in agents.items():
                with db.transaction(people.as_agent(agent, place, "administration")):
                    (march,) = kpi.side_by_side([(date(2025, 3, 1), date(2025, 3, 31))], None, everywhere)
                    assert kpi.counted("bill_paid", march) == 1
                    apart = kpi.place_by_place([(date(2025, 3, 1), date(2025, 3, 31))], everywhere)
                    assert [place for place, (alone,) in apart.items() if kpi.counted("bill_paid", alone)] == [place]
