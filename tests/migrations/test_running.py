"""How migrations run: one at a time, never holding people back for long, again when a table was busy."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from click.testing import CliRunner
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from migrations import online
from portal import cli, config, db, schema
from tests.conftest import Database


@pytest.fixture
def owner(database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.owner_url, autocommit=True) as opened:
        opened.execute("create table busy (id integer primary key, colour text)")
        opened.execute("insert into busy select n, 'blue' from generate_series(1, 100) n")
        yield opened
        opened.execute("drop table busy")


def test_the_schema_is_at_its_head_and_says_so_twice(database: Database) -> None:
    schema.upgrade(database.owner_url, database.application_url)
    with psycopg.connect(database.owner_url) as connection:
        assert connection.execute("select version_num from alembic_version").fetchone() == (schema.head(),)


def test_a_migration_waits_for_a_lock_for_two_seconds_and_runs_for_two_minutes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(schema.command, "upgrade", lambda config, _revision: seen.extend(
        config.attributes["connection"].exec_driver_sql(f"show {name}").scalar()
        for name in ("lock_timeout", "statement_timeout")
    ))  # fmt: skip
    schema.upgrade(database.owner_url, database.application_url)
    assert seen == [schema.LOCK_TIMEOUT, "2min"] == ["2s", "2min"]


def test_a_table_that_was_busy_is_tried_again(
    owner: psycopg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(schema, "_PAUSE_S", 0.05)
    attempts = []
    released = threading.Event()

    def change(config: object, _revision: str) -> None:
        attempts.append(time.monotonic())
        if len(attempts) == 2:
            released.set()
            holder.join()
        config.attributes["connection"].exec_driver_sql("alter table busy add column kind text")  # type: ignore[attr-defined]

    def hold() -> None:
        with psycopg.connect(database.owner_url) as reader:
            reader.execute("select 1 from busy")
            held.set()
            released.wait(10)

    held = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    monkeypatch.setattr(schema.command, "upgrade", change)
    schema.upgrade(database.owner_url, database.application_url)
    assert len(attempts) == 2


def test_a_table_that_stays_busy_is_said(
    owner: psycopg.Connection, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(schema, "_PAUSE_S", 0.01)
    monkeypatch.setattr(schema, "ATTEMPTS", 3)
    monkeypatch.setattr(schema.command, "upgrade", lambda config, _revision: config.attributes[
        "connection"].exec_driver_sql("alter table busy add column kind text"))  # fmt: skip
    with psycopg.connect(database.owner_url) as reader:
        reader.execute("select 1 from busy")
        with pytest.raises(schema.Busy):
            schema.upgrade(database.owner_url, database.application_url)


def test_whoever_upgrades_is_told_what_holds_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_urls: str) -> None:
        raise schema.Busy

    monkeypatch.setattr(schema, "upgrade", busy)
    monkeypatch.setattr(cli, "settings", lambda: config.Settings(database_owner_url="postgresql://owner"))
    done = CliRunner().invoke(cli.parvis, ["db", "upgrade"])
    assert done.exit_code == 1
    assert "transaction that stays open" in done.output


def test_two_machines_that_upgrade_together_take_turns(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_PAUSE_S", 0.02)
    inside, most = [], []

    def change(_config: object, _revision: str) -> None:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.1)
        inside.pop()

    monkeypatch.setattr(schema.command, "upgrade", change)
    monkeypatch.setattr(schema, "grant", lambda *_: None)
    both = [
        threading.Thread(target=schema.upgrade, args=(database.owner_url, database.application_url))
        for _one in range(2)
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert most == [1, 1]


def changed(database: Database, *changes: object) -> None:
    """Run these changes as a migration, twice: what was interrupted is run again."""
    engine = create_engine(db.sqlalchemy_url(database.owner_url), poolclass=NullPool)
    for _time in range(2):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            with Operations.context(context), context.begin_transaction():
                for change in changes:
                    change()  # type: ignore[operator]


def test_an_index_is_built_beside_the_work_and_again_when_it_was_interrupted(
    owner: psycopg.Connection, database: Database
) -> None:
    changed(database, lambda: online.add_index("ix_busy_colour", "busy", "(colour)"))
    valid = "select indisvalid from pg_index where indexrelid = 'ix_busy_colour'::regclass"
    assert owner.execute(valid).fetchone() == (True,)
    changed(database, lambda: online.drop_index("ix_busy_colour"))
    assert owner.execute("select to_regclass('ix_busy_colour')").fetchone() == (None,)


def test_a_column_is_required_once_every_row_has_it(owner: psycopg.Connection, database: Database) -> None:
    changed(database, lambda: online.require("busy", "colour"))
    with pytest.raises(psycopg.errors.NotNullViolation):
        owner.execute("insert into busy values (0, null)")
    left = owner.execute("select count(*) from pg_constraint where conname = 'ck_busy_colour_is_there'").fetchone()
    assert left == (0,)


def test_rows_that_break_a_check_are_told_and_the_table_goes_on(owner: psycopg.Connection, database: Database) -> None:
    with pytest.raises(Exception, match="ck_busy_colour"):
        changed(database, lambda: online.add_check("ck_busy_colour", "busy", "colour <> 'blue'"))
    owner.execute("insert into busy values (0, 'red')")


def test_a_reference_is_checked_without_holding_writers_back(owner: psycopg.Connection, database: Database) -> None:
    owner.execute("alter table busy add column other integer")
    changed(database, lambda: online.add_reference("fk_busy_other", "busy", "other", "busy", then="on delete set null"))
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute("insert into busy values (0, 'red', 12345)")
