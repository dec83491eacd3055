"""The table of events becomes parts by month while people use the portal, and one table again: nothing is lost."""

import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from portal import db, schema
from tests.conftest import Database, with_database
from tests.migrations.linting import module_of

WRITE = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym)"
    " values ('visit_started', '00000000-0000-0000-0000-000000000000', 'web', 'patient', '', 0, '')"
)
FILL = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym, at)"
    " select 'visit_started', '00000000-0000-0000-0000-000000000000', 'web', 'patient', '', n, '',"
    " timestamptz '2024-01-05 12:00Z' + make_interval(days => n % 700) from generate_series(1, 5000) n"
)
CONTENT = "select count(*), md5(string_agg(k::text, ';' order by k.id)) from kpi_event k"
BESIDE = {
    "policies": "select policyname, cmd, qual, with_check from pg_policies where tablename = 'kpi_event' order by 1",
    "rights": "select grantee, privilege_type from information_schema.role_table_grants"
    " where table_name = 'kpi_event' and grantee like 'm_app_%' order by 1, 2",
    "indexes": "select indexname from pg_indexes where tablename = 'kpi_event' order by 1",
    "closed": "select relrowsecurity, relforcerowsecurity, obj_description(oid, 'pg_class') from pg_class"
    " where relname = 'kpi_event'",
}


@pytest.fixture(scope="module")
def former(server_url: str) -> Iterator[Database]:
    """A database of the release before."""
    stamp = secrets.token_hex(4)
    name, owner, application = f"m_{stamp}", (f"m_owner_{stamp}", "x" * 20), (f"m_app_{stamp}", "x" * 20)
    schema.create_database(server_url, name, owner, application)
    urls = Database(
        with_database(server_url, name),
        with_database(server_url, name, *owner),
        with_database(server_url, name, *application),
    )
    schema.upgrade(urls.owner_url, urls.application_url, "0082")
    yield urls
    with psycopg.connect(server_url, autocommit=True) as superuser:
        superuser.execute(f'drop database "{name}" with (force)')
        superuser.execute(f'drop role "{owner[0]}"')
        superuser.execute(f'drop role "{application[0]}"')


@pytest.fixture
def above(former: Database) -> Iterator[psycopg.Connection]:
    """A superuser's connection to it, at the release before whatever a test did."""
    with psycopg.connect(former.superuser_url, autocommit=True) as opened:
        yield opened
        schema.downgrade(former.owner_url, "0082")
        schema.grant(former.owner_url, schema.role_of(former.application_url))
        opened.execute("delete from kpi_event")


def read(connection: psycopg.Connection, query: str) -> list[Any]:
    return connection.execute(sql.SQL(query)).fetchall()  # type: ignore[arg-type]  # texts of ours


def beside(connection: psycopg.Connection) -> dict[str, list[Any]]:
    return {name: read(connection, query) for name, query in BESIDE.items()}


def test_a_filled_table_goes_up_and_down_and_keeps_every_row(former: Database, above: psycopg.Connection) -> None:
    read_before = beside(above)
    above.execute(FILL)
    before = read(above, CONTENT)
    file_before = read(above, "select pg_relation_filenode('kpi_event')")
    schema.upgrade(former.owner_url, former.application_url, "0083")
    assert read(above, CONTENT) == before
    assert beside(above) == read_before
    assert read(above, "select pg_relation_filenode('kpi_event_before')") == file_before  # nothing was copied
    assert read(above, "select tableoid::regclass::text, count(*) from kpi_event group by 1") == [
        ("kpi_event_before", 5000)
    ]
    # The three indexes it had serve the whole: none was made twice.
    assert len(read(above, "select from pg_indexes where tablename = 'kpi_event_before'")) == 3
    assert read(above, "select conname from pg_constraint where conname = 'ck_kpi_event_before'") == []
    above.execute(WRITE)
    assert read(above, "select max(id) = count(*) from kpi_event") == [(True,)]
    more = read(above, CONTENT)
    schema.downgrade(former.owner_url, "0082")
    assert read(above, CONTENT) == more
    assert beside(above) == read_before
    above.execute(WRITE)
    assert read(above, "select count(*), count(distinct id) from kpi_event") == [(5002, 5002)]


def test_the_release_before_writes_all_the_while(former: Database, above: psycopg.Connection) -> None:
    """As its own role, before anything was granted anew, by statements that the database had prepared."""
    above.execute(FILL)
    written, failures, is_over = [0], [], threading.Event()

    def write() -> None:
        with psycopg.connect(former.application_url, autocommit=True) as application:
            while not is_over.is_set():
                try:
                    application.execute(WRITE, prepare=True)
                    written[0] += 1
                except psycopg.Error as error:
                    failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        schema._migrate(former.owner_url, lambda config: schema.command.upgrade(config, "0083"))
    finally:
        is_over.set()
        writer.join()
    assert failures == []
    assert written[0] > 0
    assert read(above, "select count(*), count(distinct id) from kpi_event") == [(5000 + written[0],) * 2]


def test_a_change_of_names_that_got_no_lock_starts_again_from_there(
    former: Database, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    above.execute(FILL)
    before = read(above, CONTENT)
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "100ms")
    monkeypatch.setattr(schema, "_PAUSE_S", 0.01)
    monkeypatch.setattr(schema, "ATTEMPTS", 2)
    above.execute("create unique index pk_kpi_event_before on kpi_event (id, at)")
    with psycopg.connect(former.owner_url) as reader:
        reader.execute("select from kpi_event")
        with pytest.raises(schema.Busy):
            schema.upgrade(former.owner_url, former.application_url, "0083")
    assert read(above, CONTENT) == before
    assert read(above, "select version_num from alembic_version") == [("0082",)]
    above.execute(WRITE)
    schema.upgrade(former.owner_url, former.application_url, "0083")
    assert read(above, "select count(*) from kpi_event") == [(5001,)]


def test_where_nothing_was_counted_months_begin_at_once(former: Database, above: psycopg.Connection) -> None:
    schema.upgrade(former.owner_url, former.application_url, "0083")
    parts = [part for (part,) in read(above, "select part from kpi_parts() order by first")]
    assert parts[:2] == ["kpi_event_before", f"kpi_event_{datetime.now(UTC):%Y_%m}"]
    above.execute(WRITE)
    assert read(above, "select tableoid::regclass::text from kpi_event") == [(parts[1],)]


def test_a_row_in_the_way_stops_it_and_nothing_is_lost(
    former: Database, above: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the migration believed about the rows: here, that there are none."""
    above.execute(FILL)
    above.execute(WRITE)
    before, read_before = read(above, CONTENT), beside(above)
    months = module_of("0083")
    monkeypatch.setattr(months, "_latest", lambda: None)
    engine = create_engine(db.sqlalchemy_url(former.owner_url), poolclass=NullPool)
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)):
        with pytest.raises(IntegrityError, match="kpi_event_before"):
            months.upgrade()
        connection.rollback()
    assert (read(above, CONTENT), beside(above)) == (before, read_before)
