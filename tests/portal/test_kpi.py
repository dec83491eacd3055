"""Figures: every committed event is counted once, on its civil day, whatever the order in which writers commit."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import insert, text

from portal import db, kpi
from portal.kpi import GROUP_WIDE, KpiEvent, Period
from tests.factories import hospitals, people
from tests.ground import prepared
from tests.statements import executed
from tests.writers import UNCOUNTED, all_rolled_up, until, write_while

RECOUNT = text(
    "select (k.at at time zone coalesce(e.time_zone, 'Europe/Paris'))::date as day, k.event, k.establishment_id,"
    " k.channel, k.audience, k.dimension, count(*), sum(k.quantity)"
    " from kpi_event k left join establishment e on e.id = k.establishment_id"
    " group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6"
)
ROLLED_UP = text(
    "select day, event, establishment_id, channel, audience, dimension, events, quantity from kpi_day"
    " order by 1, 2, 3, 4, 5, 6"
)
UNIQUES = text("select month, event, audience, pseudonym from kpi_month_unique order by 1, 2, 3, 4")
UNIQUES_RECOUNT = text(
    "select distinct date_trunc('month', at at time zone 'Europe/Paris')::date, event, audience, pseudonym"
    " from kpi_event where pseudonym <> '' order by 1, 2, 3, 4"
)


def all_of(query: Any) -> Sequence[Any]:
    with db.transaction(db.system("tests")) as current:
        return [tuple(row) for row in current.execute(query)]


def happened(*events: dict[str, Any]) -> None:
    """Committed events with their moment, and their roll-up."""
    usual = {"establishment_id": GROUP_WIDE, "channel": "web", "audience": "patient", "dimension": "", "quantity": 0,
             "pseudonym": "", "at": datetime(2026, 3, 2, 12, tzinfo=UTC)}  # fmt: skip
    with prepared():
        db.session.execute(insert(KpiEvent).inline(), [usual | event for event in events])
    all_rolled_up()


def read(event: str, first: date, last: date, establishment_id: UUID | None = None, **narrowed: Any) -> int:
    with db.transaction(db.system("tests")):
        return kpi.counted(event, Period(first, last, establishment_id), **narrowed)


class TestRollUp:
    def test_concurrent_writers_with_late_commits_and_rollbacks_are_counted_exactly(self, app: Flask) -> None:
        places = [uuid4() for _ in range(3)]

        def write(chance: Random) -> None:
            kpi.count(
                chance.choice(("visit_started", "appointment_booked")),
                establishment_id=chance.choice([None, *places]),
                channel=chance.choice(("web", "phone")),
                dimension=chance.choice(("", "open_online")),
                quantity=chance.randrange(10_000),
                account_id=uuid4(),
            )

        write_while(kpi.roll_up, write)
        all_rolled_up()

        counted = all_of(ROLLED_UP)
        assert len(counted) > 10
        assert counted == all_of(RECOUNT)
        assert all_of(UNIQUES) == all_of(UNIQUES_RECOUNT)

    def test_an_event_committed_late_is_counted_although_later_ones_were_before(self, app: Flask) -> None:
        with prepared():
            kpi.count("slow")
            _in_another_thread(lambda: kpi.count("quick"))
            _in_another_thread(kpi.roll_up)
        all_rolled_up()
        assert sorted(row[1] for row in all_of(ROLLED_UP)) == ["quick", "slow"]
        assert all(row[6] == 1 for row in all_of(ROLLED_UP))

    def test_rolling_up_again_adds_nothing(self, app: Flask) -> None:
        happened({"event": "visit_started"})
        once = all_of(ROLLED_UP)
        all_rolled_up()
        assert all_of(ROLLED_UP) == once

    def test_rebuilding_gives_the_same_figures(self, app: Flask) -> None:
        happened({"event": "visit_started"}, {"event": "visit_started", "quantity": 5, "pseudonym": "p"})
        before, uniques = all_of(ROLLED_UP), all_of(text("select * from kpi_month_unique"))
        with prepared():
            kpi.rebuild()
        all_rolled_up()
        assert all_of(ROLLED_UP) == before
        assert all_of(text("select * from kpi_month_unique")) == uniques != []

    def test_the_worker_rolls_up_by_itself(self, app: Flask, work_jobs: Any) -> None:
        with prepared():
            kpi.count("visit_started")
        with prepared():
            db.session.execute(text(
                "select procrastinate_defer_jobs_v1(array[row('clock', 'kpi.roll_up', 0, null, null,"
                " '{\"timestamp\": 0}'::jsonb, null)::procrastinate_job_to_defer_v1])"))  # fmt: skip
        until(lambda: db.session.scalar(UNCOUNTED) == 0, work_jobs)
        assert [row[1] for row in all_of(ROLLED_UP)].count("visit_started") == 1


class TestCivilDays:
    @pytest.mark.parametrize(
        ("zone", "moment", "day"),
        [
            ("Europe/Paris", datetime(2026, 3, 1, 22, 59, tzinfo=UTC), date(2026, 3, 1)),
            ("Europe/Paris", datetime(2026, 3, 1, 23, 0, tzinfo=UTC), date(2026, 3, 2)),
            ("Indian/Reunion", datetime(2026, 3, 1, 19, 59, tzinfo=UTC), date(2026, 3, 1)),
            ("Indian/Reunion", datetime(2026, 3, 1, 20, 0, tzinfo=UTC), date(2026, 3, 2)),
            ("America/Martinique", datetime(2026, 3, 2, 3, 59, tzinfo=UTC), date(2026, 3, 1)),
            # Paris goes to summer time on 29 March 2026: the 30th begins an hour earlier, in UTC, than the 29th did.
            ("Europe/Paris", datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
            ("Europe/Paris", datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
            ("Europe/Paris", datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
            # And back on 25 October: a day of 25 hours.
            ("Europe/Paris", datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25)),
            ("Europe/Paris", datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),
        ],
    )
    def test_an_event_belongs_to_the_civil_day_of_its_establishment(
        self, app: Flask, zone: str, moment: datetime, day: date
    ) -> None:
        with prepared():
            place = hospitals.hospital(time_zone=zone).establishment.id
        happened({"event": "appointment_booked", "establishment_id": place, "at": moment})
        assert [row[0] for row in all_of(ROLLED_UP)] == [day]

    def test_what_belongs_to_no_establishment_has_the_days_of_the_group(self, app: Flask) -> None:
        happened({"event": "visit_started", "at": datetime(2026, 3, 1, 23, 30, tzinfo=UTC)})
        assert read("visit_started", date(2026, 3, 2), date(2026, 3, 2)) == 1


class TestUniques:
    def test_somebody_who_comes_on_several_days_is_one_person_of_the_month(self, app: Flask) -> None:
        happened(*[
            {"event": "session_opened", "pseudonym": who, "at": datetime(2026, 3, day, 9, tzinfo=UTC)}
            for who, day in (("anna", 2), ("anna", 3), ("anna", 3), ("bob", 3))
        ])  # fmt: skip
        with db.transaction(db.system("tests")):
            assert kpi.uniques("session_opened", Period(date(2026, 3, 3), date(2026, 3, 3))) == 2
            assert kpi.uniques("session_opened", Period(date(2026, 2, 1), date(2026, 3, 31))) == 2
            assert kpi.uniques("session_opened", Period(date(2026, 3, 31), date(2026, 4, 1))) == 0

    def test_a_pseudonym_and_its_roll_up_change_month_at_the_same_moment(self, app: Flask) -> None:
        """Between midnight in Paris and midnight UTC, the month of the pseudonym would lag behind the roll-up's."""
        own = uuid4()
        with prepared():
            kpi.count("session_opened", account_id=own)
            kpi.count("session_opened", account_id=own)
        all_rolled_up()
        assert len(all_of(text("select month from kpi_month_unique"))) == 1
        happened({"event": "session_opened", "pseudonym": "p", "at": datetime(2026, 3, 31, 22, 30, tzinfo=UTC)})
        months = all_of(text("select month from kpi_month_unique where pseudonym = 'p'"))
        assert months == [(date(2026, 4, 1),)]


class TestReading:
    MARCH = (date(2026, 3, 1), date(2026, 3, 31))

    def test_counts_are_narrowed_by_channel_audience_and_dimension(self, app: Flask) -> None:
        happened(
            {"event": "appointment_booked", "channel": "web", "dimension": "open_online"},
            {"event": "appointment_booked", "channel": "phone", "dimension": "open_online", "audience": "staff"},
            {"event": "appointment_booked", "channel": "phone", "audience": "staff"},
            {"event": "appointment_cancelled"},
        )
        assert read("appointment_booked", *self.MARCH) == 3
        assert read("appointment_booked", *self.MARCH, channels=("web",)) == 1
        assert read("appointment_booked", *self.MARCH, channels=("web", "phone")) == 3
        assert read("appointment_booked", *self.MARCH, audience="staff") == 2
        assert read("appointment_booked", *self.MARCH, dimension="open_online") == 2
        assert read("appointment_booked", date(2026, 3, 3), date(2026, 3, 31)) == 0

    def test_quantities_are_summed(self, app: Flask) -> None:
        happened({"event": "bill_paid", "quantity": 1990}, {"event": "bill_paid", "quantity": 10})
        with db.transaction(db.system("tests")):
            assert kpi.summed("bill_paid", Period(*self.MARCH)) == 2000

    def test_one_establishment_is_read_without_the_others_nor_the_portal(self, app: Flask) -> None:
        north, south = uuid4(), uuid4()
        happened(
            *({"event": "bill_paid", "establishment_id": place} for place in (north, south, south)),
            {"event": "bill_paid"},
        )
        assert read("bill_paid", *self.MARCH, north) == 1
        assert read("bill_paid", *self.MARCH, south) == 2
        assert read("bill_paid", *self.MARCH, GROUP_WIDE) == 1
        assert read("bill_paid", *self.MARCH) == 4

    def test_a_stock_counts_from_the_beginning(self, app: Flask) -> None:
        happened(*[
            {"event": "account_created", "audience": audience, "at": datetime(2026, month, 2, 9, tzinfo=UTC)}
            for month, audience in ((1, "patient"), (2, "patient"), (3, "patient"), (3, "staff"), (4, "patient"))
        ])  # fmt: skip
        with db.transaction(db.system("tests")):
            march = Period(*self.MARCH)
            assert kpi.stock("account_created", march) == 4
            assert kpi.stock("account_created", march, audiences=("patient",)) == 3
            spans = [(date(2026, 2, 1), date(2026, 2, 28)), self.MARCH, (date(2026, 4, 1), date(2026, 4, 30))]
            beside = kpi.side_by_side(spans, None, [])
            assert [kpi.stock("account_created", period) for period in beside] == [2, 4, 5]

    def test_periods_side_by_side_are_read_in_one_statement_and_say_what_each_alone_says(self, app: Flask) -> None:
        place = uuid4()
        happened(*[
            {"event": event, "establishment_id": place, "at": datetime(2026, 3, day, 9, tzinfo=UTC)}
            for day in range(1, 21) for event in ("bill_paid", "visit_started") for _time in range(day)
        ])  # fmt: skip
        spans = [(date(2026, 3, day), date(2026, 3, day + 4)) for day in range(1, 20)]
        with db.transaction(db.system("tests")):
            beside = kpi.side_by_side(spans, place, [])
            db.current_actor()
            with executed(app) as statements:
                together = [kpi.counted(event, period) for period in beside for event in ("bill_paid", "visit_started")]
            assert len(statements) == 1
            assert together == [
                kpi.counted(event, Period(*span, place)) for span in spans for event in ("bill_paid", "visit_started")
            ]

    def test_an_administrator_reads_their_hospitals_and_the_portal_only(self, app: Flask) -> None:
        with prepared():
            north, south = hospitals.hospital("990000017"), hospitals.hospital("990000025")
            agent = people.agent(north.establishment.id, "administration")
        happened(*({"event": "bill_paid", "establishment_id": place}
                   for place in (north.establishment.id, south.establishment.id, GROUP_WIDE)))  # fmt: skip
        with db.transaction(people.as_agent(agent, north.establishment.id, "administration")):
            assert kpi.counted("bill_paid", Period(*self.MARCH)) == 2
            assert kpi.counted("bill_paid", Period(*self.MARCH, south.establishment.id)) == 0

    @pytest.mark.parametrize("right", ["appointments", "audit"])
    def test_other_staff_read_no_figure(self, app: Flask, right: str) -> None:
        with prepared():
            place = hospitals.hospital().establishment.id
            agent = people.agent(place, right)
        happened({"event": "bill_paid", "establishment_id": place}, {"event": "visit_started"})
        with db.transaction(people.as_agent(agent, place, right)):
            assert kpi.counted("bill_paid", Period(*self.MARCH)) == 0
            assert kpi.counted("visit_started", Period(*self.MARCH)) == 0


def _in_another_thread(act: Any) -> None:
    import threading

    failures: list[BaseException] = []

    def run() -> None:
        try:
            with db.transaction(db.system("tests.other")):
                act()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failures, failures
