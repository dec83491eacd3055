"""Raw events lie by month, a table each: made ahead, thrown away whole, and asked for by the name of the whole only."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import insert, text

from portal import db, jobs, kpi, schema
from portal.kpi import GROUP_WIDE, Definition, Figure, KpiDay, KpiEvent, catalogue, forgetting, months
from portal.kpi.models import GROUP_ZONE
from portal.retention import erasing
from tests.conftest import Database
from tests.factories import hospitals
from tests.ground import prepared, rows
from tests.writers import until

MARCH, APRIL, MAY = (date(2040, month, 1) for month in (3, 4, 5))
"""Of years that no migration made a table for."""
MADE = "kpi_event_2040_03"
BY_PART = text("select tableoid::regclass::text, count(*) from kpi_event group by 1 order by 1")
BOUNDS = (
    "select c.relname, pg_get_expr(c.relpartbound, c.oid) from pg_inherits i join pg_class c on c.oid = i.inhrelid"
    " where i.inhparent = 'kpi_event'::regclass"
)
FIGURES = text("select * from kpi_day order by 1, 2, 3, 4, 5, 6")
BELOW_WHAT_RUNS = text("select pg_snapshot_xmin(pg_current_snapshot()) > (select max(xid) from kpi_event)")


@pytest.fixture
def above(app: Flask, database: Database) -> Iterator[psycopg.Connection]:
    """A superuser's connection; what a test made is taken away, and what it took away is made again."""
    with psycopg.connect(database.superuser_url, autocommit=True) as opened:
        there = dict(opened.execute(BOUNDS).fetchall())
        yield opened
        opened.execute("delete from kpi_event")
        present = dict(opened.execute(BOUNDS).fetchall())
        for part in present.keys() - there.keys():
            opened.execute(sql.SQL("drop table {}").format(sql.Identifier(part)))
    with psycopg.connect(database.owner_url) as owner:
        for part in there.keys() - present.keys():
            name = sql.Identifier(part)
            owner.execute(sql.SQL("create table {} partition of kpi_event {}").format(name, sql.SQL(there[part])))
            for closed in ("enable", "force"):
                owner.execute(sql.SQL("alter table {} {} row level security").format(name, sql.SQL(closed)))


@pytest.fixture
def few_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """One definition: closing a month computes each of them at each hospital."""
    visits = Definition("T1", "Visits", "Visits", "", lambda p: Figure(kpi.counted("visit_started", p)))
    monkeypatch.setattr(catalogue, "_definitions", {"T1": visits})


def read(query: Any, **values: Any) -> list[Any]:
    with db.transaction(db.system("tests")) as current:
        return [tuple(row) for row in current.execute(query, values)]


def make(*wanted: date) -> list[int | None]:
    return [read(text("select kpi_make_month(:month)"), month=month)[0][0] for month in wanted]


def happened(*moments: datetime, place: Any = GROUP_WIDE) -> None:
    usual = {"event": "visit_started", "channel": "web", "audience": "patient", "dimension": "", "quantity": 0,
             "pseudonym": "", "establishment_id": place}  # fmt: skip
    with prepared():
        db.session.execute(insert(KpiEvent).inline(), [usual | {"at": at} for at in moments])
    until(lambda: bool(db.session.scalar(BELOW_WHAT_RUNS)), lambda: None)


def in_march(times: int) -> list[datetime]:
    return [datetime(2040, 3, 2, tzinfo=UTC) + timedelta(hours=each) for each in range(times)]


def lying() -> dict[str, int]:
    return dict(read(BY_PART))


class TestMaking:
    def test_an_event_lies_in_the_table_of_its_month(self, above: psycopg.Connection) -> None:
        make(MARCH, APRIL)
        happened(datetime(2040, 3, 31, 23, 59, tzinfo=UTC), datetime(2040, 4, 1, tzinfo=UTC))
        assert lying() == {MADE: 1, "kpi_event_2040_04": 1}

    def test_an_event_without_a_table_fails_nobody_is_counted_and_is_moved(self, above: psycopg.Connection) -> None:
        happened(*in_march(3))
        assert lying() == {"kpi_event_others": 3}
        with prepared():
            kpi.roll_up()
        figures = read(FIGURES)
        before = read(text("select id, xid::text, at from kpi_event order by id"))
        assert sum(each.events for each in rows(KpiDay)) == 3
        assert make(MARCH) == [3]
        assert lying() == {MADE: 3}
        assert read(text("select id, xid::text, at from kpi_event order by id")) == before
        with prepared():
            kpi.roll_up()
        assert read(FIGURES) == figures

    def test_a_month_that_was_taken_away_by_hand_is_made_again(self, above: psycopg.Connection) -> None:
        for (part,) in above.execute("select part from kpi_parts() where first > '-infinity'").fetchall():
            above.execute(sql.SQL("drop table {}").format(sql.Identifier(part)))
        now = datetime.now(UTC)
        with prepared():
            kpi.count("visit_started")
        in_others = lying() == {"kpi_event_others": 1}
        kept = months.keep_months(now)
        assert kept.moved == int(in_others)
        assert "kpi_event_others" not in lying()
        assert read(text("select max(next) > now() + interval '3 months' from kpi_parts()")) == [(True,)]

    def test_months_are_ready_ahead(self, above: psycopg.Connection, work_jobs: Callable[[], None]) -> None:
        (until_when,) = above.execute("select max(next) from kpi_parts()").fetchone() or (None,)
        assert until_when
        later = until_when + timedelta(days=10)
        made = months.keep_months(later).made
        assert len(made) == months.AHEAD + 1
        assert made[0] == until_when.astimezone(UTC).date()
        assert months.keep_months(later) == months.Kept((), 0, ())
        with prepared():
            jobs.enqueue("kpi.keep_months", timestamp=0)
        work_jobs()

    def test_a_month_is_made_once_and_is_a_month(self, above: psycopg.Connection) -> None:
        assert make(MARCH, MARCH) == [0, None]
        for wrong in (date(2040, 3, 2), date(1999, 1, 1)):
            with pytest.raises(Exception, match="not a month"):
                make(wrong)

    def test_whoever_holds_the_table_comes_first(self, above: psycopg.Connection, database: Database) -> None:
        with psycopg.connect(database.superuser_url) as holder:
            holder.execute("select set_config('lock_timeout', '0', true)")
            holder.execute("lock table kpi_event_others in access share mode")
            above.execute("alter function kpi_make_month(date) set lock_timeout = '50ms'")
            try:
                made = months.keep_months(datetime(2026, 1, 1, tzinfo=UTC)).made
                far = months._try(months._MAKE, month=MARCH)
            finally:
                above.execute("alter function kpi_make_month(date) set lock_timeout = '2s'")
        assert (made, far) == ((), None)
        assert make(MARCH) == [0]


@pytest.mark.usefixtures("few_definitions")
class TestThrowingAway:
    def test_a_month_goes_whole_and_its_figures_stay(self, above: psycopg.Connection) -> None:
        make(MARCH, APRIL, MAY)
        with prepared():
            reunion = hospitals.hospital(time_zone="Indian/Reunion").establishment.id
        happened(*in_march(40), datetime(2040, 4, 9, tzinfo=UTC))
        # The first of April on the island, still March in UTC: it goes with April. And the first of March, in February.
        happened(datetime(2040, 3, 31, 20, 30, tzinfo=UTC), datetime(2040, 2, 29, 20, 30, tzinfo=UTC), place=reunion)
        kpi.close_months(date(2040, 6, 10))
        figures = read(FIGURES)
        file_of = text("select pg_relation_filenode('kpi_event_2040_03')")
        before = read(file_of)
        forgotten = {each.rule.code: each.erased for each in erasing.run(datetime(2042, 4, 15, tzinfo=UTC))}
        assert forgotten["counted_event"] >= 1
        assert read(file_of) != before  # its file was thrown away, no row was deleted
        assert lying() == {MADE: 1, "kpi_event_2040_04": 1}
        assert MADE not in months.keep_months(datetime(2026, 1, 1, tzinfo=UTC)).dropped
        erasing.run(datetime(2042, 5, 15, tzinfo=UTC))
        assert lying() == {}
        assert set(months.keep_months(datetime(2026, 1, 1, tzinfo=UTC)).dropped) >= {MADE, "kpi_event_2040_04"}
        assert read(text("select part from kpi_parts() where part like '%2040_03'")) == []
        assert read(FIGURES) == figures
        with prepared():
            assert kpi.rebuild().differences == ()
        assert read(FIGURES) == figures

    def test_what_comes_late_to_a_forgotten_month_goes_with_it(self, above: psycopg.Connection) -> None:
        make(MARCH, APRIL)
        happened(*in_march(1), datetime(2040, 4, 9, tzinfo=UTC))
        kpi.close_months(date(2040, 5, 10))
        erasing.run(datetime(2042, 4, 15, tzinfo=UTC))
        happened(*in_march(2))
        assert MADE in months.keep_months(datetime(2026, 1, 1, tzinfo=UTC)).dropped
        assert lying() == {"kpi_event_2040_04": 1}

    def test_where_most_belongs_elsewhere_rows_go_one_by_one(self, above: psycopg.Connection) -> None:
        make(MARCH, APRIL)
        with prepared():
            reunion = hospitals.hospital(time_zone="Indian/Reunion").establishment.id
        happened(*in_march(1))
        happened(*[datetime(2040, 3, 31, 20, 30, tzinfo=UTC)] * 120, place=reunion)
        kpi.close_months(date(2040, 5, 10))
        with prepared():
            assert forgetting.forget(MARCH, datetime(2042, 4, 15, tzinfo=UTC))
        assert lying() == {MADE: 120}

    def test_it_waits_for_nobody_long(self, above: psycopg.Connection, database: Database) -> None:
        make(MARCH)
        happened(*in_march(1))
        kpi.close_months(date(2040, 5, 10))
        erasing.run(datetime(2042, 4, 15, tzinfo=UTC))
        with psycopg.connect(database.superuser_url) as reader:
            reader.execute("select from kpi_event")
            assert months._try(months._DROP, part=MADE, zone=GROUP_ZONE) is None
        assert MADE in months.keep_months(datetime(2026, 1, 1, tzinfo=UTC)).dropped

    def test_a_month_that_is_open_or_not_forgotten_stays(self, above: psycopg.Connection) -> None:
        make(MARCH)
        happened(*in_march(2))
        with pytest.raises(Exception, match="not closed"):
            read(text("select kpi_forget_month(:month, :zone)"), month=MARCH, zone=GROUP_ZONE)
        kpi.close_months(date(2040, 5, 10))
        assert read(text("select kpi_drop_part(:part, :zone)"), part=MADE, zone=GROUP_ZONE) == [(False,)]
        assert lying() == {MADE: 2}


class TestWhoMay:
    @pytest.mark.parametrize("part", [MADE, "kpi_event_before", "kpi_event_others"])
    @pytest.mark.parametrize(
        "asked", ["select from {}", "insert into {} default values", "delete from {}", "truncate {}"]
    )
    def test_the_application_reaches_no_part(
        self, above: psycopg.Connection, database: Database, part: str, asked: str
    ) -> None:
        make(MARCH)
        schema.grant(database.owner_url, schema.role_of(database.application_url))
        with psycopg.connect(database.application_url) as application:
            application.execute("select set_config('parvis.system', 'tests', true)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(sql.SQL(asked).format(sql.Identifier(part)))

    def test_the_owner_sees_nothing_in_a_part(self, above: psycopg.Connection, database: Database) -> None:
        make(MARCH)
        happened(*in_march(2))
        with psycopg.connect(database.owner_url) as owner:
            owner.execute("select set_config('parvis.system', 'tests', true)")
            assert owner.execute(f"select count(*) from {MADE}").fetchone() == (0,)
            assert owner.execute("select count(*) from kpi_event").fetchone() == (2,)

    def test_every_part_is_closed_whoever_made_it(self, above: psycopg.Connection) -> None:
        make(MARCH)
        open_ones = above.execute(
            "select relname from pg_class where relispartition and relkind = 'r'"
            " and not (relrowsecurity and relforcerowsecurity)"
        ).fetchall()
        assert open_ones == []

    def test_whoever_is_no_system_job_throws_nothing_away(self, above: psycopg.Connection, database: Database) -> None:
        make(MARCH)
        happened(*in_march(2))
        calls = (f"kpi_forget_month('{MARCH}', 'UTC')", f"kpi_drop_part('{MADE}', 'UTC')", f"kpi_make_month('{APRIL}')")
        for begun in ("begin", "begin isolation level repeatable read"):
            for call in calls:
                with psycopg.connect(database.application_url, autocommit=True) as application:
                    application.execute(begun)
                    if "repeatable" in begun:
                        application.execute("select set_config('parvis.system', 'tests', true)")
                    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only a system job"):
                        application.execute(f"select {call}")
        assert lying() == {MADE: 2}


def test_a_question_about_a_month_reads_the_table_of_that_month(above: psycopg.Connection) -> None:
    make(MARCH, APRIL, MAY)
    plan = "explain select count(*) from kpi_event where at >= '2040-04-01 00:00Z' and at < '2040-05-01 00:00Z'"
    asked = [part for (part,) in above.execute("select part from kpi_parts()") if part in _said(above, plan)]
    assert asked == ["kpi_event_2040_04"]


def test_numbers_of_events_go_on(above: psycopg.Connection) -> None:
    make(MARCH)
    happened(*in_march(5))
    numbers = [number for (number,) in read(text("select id from kpi_event order by id"))]
    assert len(set(numbers)) == 5


def _said(above: psycopg.Connection, query: str) -> str:
    return "\n".join(line for (line,) in above.execute(query))  # type: ignore[call-overload]  # a text of ours
