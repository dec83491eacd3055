"""A month is closed 35 days after its end: figures are final, nobody can be recognised, late events are told apart."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text, update

from portal import db, kpi
from portal.kpi import GROUP_WIDE, Definition, Figure, KpiDay, KpiEvent, Period, catalogue, keys
from portal.kpi.models import KpiClosedMonth, KpiMonthKey
from portal.retention import erasing
from tests.emptying import Tables
from tests.factories import hospitals, people
from tests.ground import count, prepared, rows
from tests.writers import GivesUp, all_rolled_up, until

MARCH = (date(2026, 3, 1), date(2026, 3, 31))
CLOSES_MARCH = date(2026, 5, 6)
FIGURES = text(
    "select day, event, establishment_id, channel, dimension, events, quantity from kpi_day order by 1,2,3,4,5"
)
SUMS = {
    grain: text(
        f"select date_trunc('{grain}', day)::date, event, establishment_id, channel, audience, dimension, sum(events),"
        " sum(quantity) from kpi_day group by 1, 2, 3, 4, 5, 6 except"
        f" select {grain}, event, establishment_id, channel, audience, dimension, events, quantity from kpi_{grain}"
    )
    for grain in ("week", "month")
}
PEOPLE = text("select * from kpi_month_total order by 1, 2, 3")


def read(query: Any) -> Sequence[Any]:
    with db.transaction(db.system("tests")) as current:
        return [tuple(row) for row in current.execute(query)]


def happened(*events: dict[str, Any]) -> None:
    usual = {"establishment_id": GROUP_WIDE, "channel": "web", "audience": "patient", "dimension": "", "quantity": 0,
             "pseudonym": "", "event": "visit_started", "at": datetime(2026, 3, 2, 12, tzinfo=UTC)}  # fmt: skip
    with prepared():
        db.session.execute(insert(KpiEvent).inline(), [usual | event for event in events])
    until(lambda: bool(db.session.scalar(_BELOW_WHAT_RUNS)), lambda: None)


_BELOW_WHAT_RUNS = text("select pg_snapshot_xmin(pg_current_snapshot()) > (select max(xid) from kpi_event)")


def march(event: str = "visit_started") -> int:
    with db.transaction(db.system("tests")):
        return kpi.counted(event, Period(*MARCH))


class TestOpenMonths:
    @pytest.mark.parametrize(
        ("today", "first_open"),
        [
            (date(2026, 5, 6), date(2026, 4, 1)),
            (date(2026, 5, 5), date(2026, 3, 1)),
            (date(2026, 1, 1), date(2025, 11, 1)),
            (date(2026, 3, 31), date(2026, 2, 1)),
            (date(2026, 4, 4), date(2026, 2, 1)),
            (date(2026, 4, 5), date(2026, 3, 1)),
        ],
    )
    def test_a_month_is_open_until_35_days_after_its_end(self, today: date, first_open: date) -> None:
        assert keys.first_open_month(today) == first_open

    @given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
    def test_the_month_before_the_first_open_one_is_over_for_35_days(self, today: date) -> None:
        first = keys.first_open_month(today)
        assert first + timedelta(days=35) <= today < keys.next_month(first) + timedelta(days=35)


class TestClosing:
    def test_what_comes_after_is_told_and_changes_nothing(self, app: Flask) -> None:
        happened({}, {"quantity": 5})
        assert kpi.close_months(CLOSES_MARCH) == [date(2026, 3, 1)]
        happened({"quantity": 7}, {"quantity": 1}, {"at": datetime(2026, 4, 2, tzinfo=UTC)})
        all_rolled_up()
        assert march() == 2
        assert read(text("select month, event, events, quantity from kpi_late")) == [
            (date(2026, 3, 1), "visit_started", 2, 8)
        ]
        with db.transaction(db.system("tests")):
            assert kpi.counted("visit_started", Period(date(2026, 4, 1), date(2026, 4, 30))) == 1

    def test_closing_again_changes_nothing(self, app: Flask) -> None:
        happened({})
        kpi.close_months(CLOSES_MARCH)
        before = read(text("select * from kpi_closed_month"))
        assert kpi.close_months(CLOSES_MARCH) == []
        assert read(text("select * from kpi_closed_month")) == before

    def test_months_without_figures_close_with_the_others(self, app: Flask) -> None:
        happened({"at": datetime(2026, 1, 9, tzinfo=UTC)}, {"at": datetime(2026, 3, 9, tzinfo=UTC)})
        all_rolled_up()
        assert kpi.close_months(CLOSES_MARCH) == [date(2026, month, 1) for month in (1, 2, 3)]

    def test_what_was_told_before_the_roll_up_is_in_the_figures(self, app: Flask) -> None:
        """Closing rolls up first: an event committed in time is not late because the worker was slow."""
        happened({"at": datetime(2026, 2, 2, tzinfo=UTC)})
        all_rolled_up()
        happened({})
        kpi.close_months(CLOSES_MARCH)
        assert march() == 1

    def test_definitions_keep_the_value_and_the_version_of_that_day(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(catalogue, "_definitions", {
            "T1": Definition("T1", "Visits", "Visits", "", lambda p: Figure(kpi.counted("visit_started", p))),
            "T2": Definition("T2", "Not fed", "", "", lambda _p: Figure(0, fed=False), portal=True),
            "T3": Definition("T3", "Broken", "", "", lambda _p: Figure(1 // 0)),
        })  # fmt: skip
        with prepared():
            place = hospitals.hospital().establishment.id
            kpi.store_definitions()
        happened({}, {"establishment_id": place}, {"establishment_id": place})
        kpi.close_months(CLOSES_MARCH)
        kept = read(text("select code, establishment_id, version, numerator from kpi_closed_figure order by 1, 2"))
        assert kept == [("T1", GROUP_WIDE, 1, 3), ("T1", place, 1, 2), ("T2", GROUP_WIDE, 1, None)]
        with db.transaction(db.system("tests")):
            assert kpi.closed_figures("T1", Period(*MARCH, place))[date(2026, 3, 1)].numerator == 2
            assert kpi.closed_figures("T1", Period(date(2026, 3, 1), date(2026, 3, 30), place)) == {}

    def test_an_administrator_reads_the_closed_figures_of_their_hospitals(self, app: Flask) -> None:
        with prepared():
            north, south = hospitals.hospital("990000017"), hospitals.hospital("990000025")
            agent = people.agent(north.establishment.id, "administration")
        happened({"establishment_id": north.establishment.id})
        kpi.close_months(CLOSES_MARCH)
        own = Period(*MARCH, north.establishment.id)
        with db.transaction(people.as_agent(agent, north.establishment.id, "administration")):
            assert kpi.closed_figures("R1", own)
            assert kpi.closed_figures("U3", Period(*MARCH)), "what is of the portal is every administrator's"
            assert not kpi.closed_figures("R1", Period(*MARCH)), "less their own, it would be the other hospital's"
            assert not kpi.closed_figures("R1", Period(*MARCH, south.establishment.id))
        with db.transaction(people.as_agent(agent, north.establishment.id, "billing")):
            assert not kpi.closed_figures("R1", own)


class TestPseudonyms:
    def test_two_visits_of_a_month_are_one_person_and_the_next_month_another(self, app: Flask) -> None:
        account = uuid4()
        noon = datetime(2026, 3, 15, 12, tzinfo=UTC)
        one, same = keys.pseudonym(account, noon), keys.pseudonym(account, noon + timedelta(days=10))
        assert one == same != ""
        assert keys.pseudonym(account, noon + timedelta(days=20)) != one
        assert keys.pseudonym(uuid4(), noon) != one

    def test_the_month_is_the_group_s(self, app: Flask) -> None:
        account = uuid4()
        before, after = datetime(2026, 3, 31, 21, 59, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
        assert keys.pseudonym(account, before) != keys.pseudonym(account, after)
        assert keys.month_of(before) == date(2026, 3, 1)
        assert keys.month_of(after) == date(2026, 4, 1)

    def test_another_process_has_the_same_key(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keys, "_keys", {})
        first = keys.of_month(date(2026, 3, 1))
        monkeypatch.setattr(keys, "_keys", {})
        assert keys.of_month(date(2026, 3, 1)) == first
        assert len(first) == 32

    def test_a_key_stays_when_whoever_needed_it_first_changes_their_mind(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "_keys", {})

        def give_up() -> None:
            kpi.count("visit_started", account_id=uuid4())
            raise GivesUp

        with pytest.raises(GivesUp), db.transaction(db.system("tests")):
            give_up()
        assert count(KpiMonthKey) == 1
        assert count(KpiEvent) == 0

    def test_nobody_but_the_system_reads_a_key(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keys, "_keys", {})
        keys.of_month(date(2026, 3, 1))
        with prepared():
            place = hospitals.hospital().establishment.id
            agent = people.agent(place, *db.RIGHTS)
        for actor in (db.ANONYMOUS, people.as_agent(agent, place, *db.RIGHTS)):
            with db.transaction(actor) as current:
                assert current.scalar(text("select count(*) from kpi_month_key")) == 0

    def test_they_are_destroyed_with_their_key_and_their_number_stays(
        self, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "_keys", {})
        at = datetime(2026, 3, 15, 12, tzinfo=UTC)
        anna, bob = uuid4(), uuid4()
        with prepared():
            for account in (anna, anna, bob):
                kpi.count("session_opened", audience="patient", account_id=account, at=at)
        kpi.close_months(CLOSES_MARCH)
        assert [row.pseudonym for row in rows(KpiEvent)] == ["", "", ""]
        assert read(text("select count(*) from kpi_month_unique")) == [(0,)]
        assert [(row.month, row.key, row.destroyed_at is None) for row in rows(KpiMonthKey)] == [
            (date(2026, 3, 1), b"", False)
        ]
        assert keys.pseudonym(anna, at) == "", "nobody is told apart in a month whose key is gone"
        with db.transaction(db.system("tests")):
            assert kpi.uniques("session_opened", Period(*MARCH)) == 2

    def test_one_that_comes_late_is_destroyed_the_next_night(self, app: Flask) -> None:
        happened({"pseudonym": "anna"})
        kpi.close_months(CLOSES_MARCH)
        happened({"pseudonym": "late"})
        all_rolled_up()
        assert read(PEOPLE) == [(date(2026, 3, 1), "visit_started", "patient", 1)]
        kpi.close_months(CLOSES_MARCH + timedelta(days=1))
        assert {row.pseudonym for row in rows(KpiEvent)} == {""}

    def test_an_open_month_keeps_its_own(self, app: Flask) -> None:
        happened({"pseudonym": "anna"}, {"pseudonym": "bob", "at": datetime(2026, 3, 31, 22, tzinfo=UTC)})
        kpi.close_months(CLOSES_MARCH)
        assert sorted(row.pseudonym for row in rows(KpiEvent)) == ["", "bob"]


class TestRebuilding:
    def test_a_closed_month_is_compared_and_never_written(self, app: Flask) -> None:
        happened({}, {"quantity": 5})
        kpi.close_months(CLOSES_MARCH)
        happened({"quantity": 7}, {"at": datetime(2026, 4, 9, tzinfo=UTC)})
        all_rolled_up()
        before = read(FIGURES)
        with prepared():
            done = kpi.rebuild()
        assert read(FIGURES) == before
        assert (done.events, done.rows, done.compared, done.altered) == (1, 1, (date(2026, 3, 1),), ())
        (found,) = done.differences
        assert (found.frozen, found.late, found.events, found.quantity) == (2, 1, 3, 12)
        assert not found.is_unexplained

    def test_what_came_late_a_moment_ago_is_told_as_late(self, app: Flask) -> None:
        happened({})
        kpi.close_months(CLOSES_MARCH)
        happened({})
        with prepared():
            done = kpi.rebuild()
        assert [(found.late, found.is_unexplained) for found in done.differences] == [(1, False)]

    def test_what_nothing_explains_is_told(self, app: Flask) -> None:
        happened({})
        kpi.close_months(CLOSES_MARCH)
        with prepared():
            db.session.execute(update(KpiDay).values(events=9))
        with prepared():
            done = kpi.rebuild()
        assert done.altered == (date(2026, 3, 1),)
        assert [found.is_unexplained for found in done.differences] == [True]
        assert march() == 9, "told, not overwritten"

    def test_figures_of_open_months_are_mended(self, app: Flask) -> None:
        happened({}, {"pseudonym": "anna"})
        all_rolled_up()
        before, people_before = read(FIGURES), read(PEOPLE)
        with prepared():
            db.session.execute(update(KpiDay).values(events=9))
            db.session.execute(text("delete from kpi_month_total"))
        with prepared():
            kpi.rebuild()
        assert read(FIGURES) == before
        assert read(PEOPLE) == people_before != []


@pytest.fixture
def few_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """One definition: closing a month computes each of them at each hospital."""
    visits = Definition("T1", "Visits", "Visits", "", lambda p: Figure(kpi.counted("visit_started", p)))
    monkeypatch.setattr(catalogue, "_definitions", {"T1": visits})


@pytest.mark.usefixtures("few_definitions")
class TestForgetting:
    def test_events_go_after_25_months_and_figures_stay(self, app: Flask) -> None:
        with prepared():
            reunion = hospitals.hospital(time_zone="Indian/Reunion").establishment.id
        happened(
            {}, {"at": datetime(2026, 4, 9, tzinfo=UTC)},
            # The first of April on the island, still March in Paris: it goes with April.
            {"establishment_id": reunion, "at": datetime(2026, 3, 31, 20, 30, tzinfo=UTC)},
        )  # fmt: skip
        kpi.close_months(date(2026, 6, 10))
        before = read(FIGURES)
        moment = datetime(2028, 4, 15, tzinfo=UTC)
        gone = {each.rule.code: each.erased for each in erasing.run(moment)}
        assert gone["counted_event"] == 1
        assert len(rows(KpiEvent)) == 2
        assert {each.rule.code: each.erased for each in erasing.run(moment)}["counted_event"] == 0
        assert read(FIGURES) == before
        with prepared():
            done = kpi.rebuild()
        assert (done.forgotten, done.compared, done.differences) == ((date(2026, 3, 1),), (date(2026, 4, 1),), ())
        assert read(FIGURES) == before

    def test_a_month_that_is_not_closed_keeps_its_events(self, app: Flask) -> None:
        happened({})
        assert {each.rule.code: each.erased for each in erasing.run(datetime(2030, 1, 1, tzinfo=UTC))}[
            "counted_event"
        ] == 0
        assert len(rows(KpiEvent)) == 1


PARIS, REUNION = ZoneInfo("Europe/Paris"), ZoneInfo("Indian/Reunion")
NIGHTS = [
    datetime(2026, 3, 28, 22, 30, tzinfo=UTC), datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC), datetime(2026, 3, 29, 22, 0, tzinfo=UTC),
    datetime(2025, 10, 25, 22, 0, tzinfo=UTC), datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 1, 30, tzinfo=UTC), datetime(2025, 10, 26, 23, 0, tzinfo=UTC),
    datetime(2025, 12, 31, 20, 0, tzinfo=UTC), datetime(2025, 12, 31, 23, 0, tzinfo=UTC),
]  # fmt: skip
"""Around the nights when the hour changes in Paris (never on the island), and around the new year."""


def _moments() -> st.SearchStrategy[datetime]:
    anywhere = st.datetimes(datetime(2025, 10, 1), datetime(2026, 4, 30), timezones=st.just(UTC))
    return anywhere | st.builds(
        lambda night, minutes: night + timedelta(minutes=minutes), st.sampled_from(NIGHTS), st.integers(-90, 90)
    )


@pytest.mark.usefixtures("few_definitions")
class TestWhateverTheOrder:
    """Events told in any order, rolled up, closed and rebuilt at any time: the same figures, and closed ones stay."""

    def test_rebuilding_is_what_increments_gave_and_closed_figures_never_change(
        self, app: Flask, tables: Tables
    ) -> None:
        steps = st.lists(
            st.tuples(st.just("happen"), _moments(), st.integers(0, 10**6))
            | st.tuples(st.just("roll up"), st.none(), st.none())
            | st.tuples(st.just("rebuild"), st.none(), st.none())
            | st.tuples(st.just("close"), st.dates(date(2025, 12, 5), date(2026, 5, 4)), st.none()),
            min_size=4, max_size=10,
        )  # fmt: skip

        @given(steps)
        @settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
        def check(drawn: list[tuple[str, Any, Any]]) -> None:
            tables.empty()
            story = Story()
            for step, when, seed in drawn:
                story.go(step, when, seed)
            story.end()

        check()


class Story:
    """What a draw does, and what must hold after each step."""

    def __init__(self) -> None:
        with prepared():
            self.places = [
                None,
                hospitals.hospital("990000017").establishment.id,
                hospitals.hospital("990000025", time_zone="Indian/Reunion").establishment.id,
            ]
        self.told = 0
        self.closed: dict[date, Sequence[Any]] = {}

    def go(self, step: str, when: Any, seed: Any) -> None:
        if step == "happen":
            self._tell(when, Random(seed))
        elif step == "roll up":
            all_rolled_up()
        elif step == "rebuild":
            with prepared():
                kpi.rebuild()
        else:
            kpi.close_months(when)
            closed = {each.month for each in rows(KpiClosedMonth)}
            self.closed |= {month: self._days_of(month) for month in closed - self.closed.keys()}
        assert {month: self._days_of(month) for month in self.closed} == self.closed
        assert [read(query) for query in SUMS.values()] == [[], []], "weeks and months are the sums of their days"

    def _tell(self, at: datetime, chance: Random) -> None:
        with prepared():
            for _time in range(chance.randint(1, 3)):
                self.told += 1
                place: UUID | None = chance.choice(self.places)
                kpi.count(
                    "visit_started", establishment_id=place, channel=chance.choice(("web", "phone")),
                    quantity=chance.randrange(100), at=at, account_id=UUID(int=chance.randrange(3)),
                )  # fmt: skip

    def _days_of(self, month: date) -> Sequence[Any]:
        return [row for row in read(FIGURES) if row[0].replace(day=1) == month]

    def end(self) -> None:
        all_rolled_up()
        before, people_before = read(FIGURES), read(PEOPLE)
        with prepared():
            done = kpi.rebuild()
        assert read(FIGURES) == before
        assert read(PEOPLE) == people_before
        assert not done.altered
        assert not any(found.is_unexplained for found in done.differences)
        late = read(text("select coalesce(sum(events), 0) from kpi_late"))[0][0]
        assert sum(row[5] for row in before) + late == self.told, "every event is counted once, or told as late"
