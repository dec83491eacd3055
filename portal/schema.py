"""The schema's owner at work: roles, migrations and grants. The application never runs any of this."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from portal.db import sqlalchemy_url

LOCK_TIMEOUT = "2s"
"""While a migration waits for a table, everybody who comes after waits behind it: not longer than this."""
STATEMENT_TIMEOUT = "120s"
ATTEMPTS = 30
"""How often a migration that did not get its lock tries again, a second apart, before it says so."""
_PAUSE_S = 1.0
_ALONE = 5_128_207_113
"""The advisory lock of whoever migrates: two machines that are upgraded together take turns."""
_PART = re.compile(r"kpi_event_(\d{4}_\d\d|before|others)")
_SCRIPTS = Path(__file__).parents[1] / "migrations"


class Busy(Exception):
    """A migration did not get its lock: somebody keeps a transaction open on its table. Those before it are done."""


def upgrade(owner_url: str, application_url: str, revision: str = "head") -> None:
    """Bring the schema to a revision and grant the application's role what it needs. Safe to run twice. Raises Busy."""
    _migrate(owner_url, lambda config: command.upgrade(config, revision))
    grant(owner_url, role_of(application_url))


def downgrade(owner_url: str, revision: str) -> None:
    """Bring the schema back to an earlier revision ("base" empties it)."""
    _migrate(owner_url, lambda config: command.downgrade(config, revision))


def head() -> str:
    """The newest revision."""
    return str(ScriptDirectory(str(_SCRIPTS)).get_current_head())


def role_of(url: str) -> str:
    return unquote(urlsplit(url).username or "")


def grant(owner_url: str, role: str) -> None:
    """Let the application read and write, except where the schema is append-only."""
    role_name = sql.Identifier(role)
    with psycopg.connect(owner_url) as connection:
        for statement in (
            "grant usage on schema public to {}",
            "grant select, insert, update, delete on all tables in schema public to {}",
            "grant usage, select on all sequences in schema public to {}",
            "grant execute on all functions in schema public to {}",
            "revoke insert, update, delete on alembic_version from {}",
        ):
            connection.execute(sql.SQL(statement).format(role_name))
        for table in append_only_tables(connection):
            connection.execute(
                sql.SQL("revoke update, delete, truncate on {} from {}").format(sql.Identifier(table), role_name)
            )
        for (part,) in connection.execute(_PARTS).fetchall():
            connection.execute(sql.SQL("revoke all on {} from {}").format(sql.Identifier(part), role_name))


_PARTS = "select relname from pg_class where relispartition and relkind = 'r' and relnamespace = 'public'::regnamespace"
"""Parts of a table that is kept by month: asked for by the name of the whole only, whose policies hold."""


def is_a_part(table: str) -> bool:
    """Whether a table is one month of a larger one: made by a job, and no model's."""
    return _PART.fullmatch(table) is not None


def append_only_tables(connection: psycopg.Connection) -> list[str]:
    """Tables whose comment begins with "append-only": the migrations say so where they make them."""
    rows = connection.execute(
        "select relname from pg_class where relkind in ('r', 'p')"
        " and obj_description(oid, 'pg_class') like 'append-only%'"
    )
    return [str(name) for (name,) in rows]


def create_database(superuser_url: str, name: str, owner: tuple[str, str], application: tuple[str, str]) -> None:
    """Make the two roles (name, password) and a database that the first one owns. Safe to run twice."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        for role, password in (owner, application):
            exists = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
            verb = "alter" if exists else "create"
            connection.execute(
                sql.SQL(verb + " role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}").format(
                    sql.Identifier(role), sql.Literal(password)
                )
            )
        if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            connection.execute(
                sql.SQL("create database {} owner {} template template0").format(
                    sql.Identifier(name), sql.Identifier(owner[0])
                )
            )
            connection.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("grant connect on database {} to {}").format(
                    sql.Identifier(name), sql.Identifier(application[0])
                )
            )


def _migrate(owner_url: str, run: Callable[[Config], None]) -> None:
    engine = create_engine(sqlalchemy_url(owner_url), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with engine.connect() as connection, _alone(connection):
        connection.execute(text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text(f"set statement_timeout = '{STATEMENT_TIMEOUT}'"))
        connection.commit()
        config.attributes["connection"] = connection
        _patiently(connection, lambda: run(config))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """One migration at a time. Asked for again and again: whoever waits in a statement would hold back every
    `create index concurrently` of the other one."""
    taken = text(f"select pg_try_advisory_lock({_ALONE})")
    while not connection.scalar(taken):
        connection.commit()
        time.sleep(_PAUSE_S)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(text(f"select pg_advisory_unlock({_ALONE})"))
        connection.commit()


def _patiently(connection: Connection, run: Callable[[], None]) -> None:
    """Each migration is a transaction of its own: what was done stays, and the one that found its table busy starts
    again."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            run()
            return
        except OperationalError as error:
            connection.rollback()
            if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise
            if attempt == ATTEMPTS:
                raise Busy from error
        time.sleep(_PAUSE_S)
