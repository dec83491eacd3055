"""What the tables held at one moment of the log: counted on the living server, counted again on what was restored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

_SUMMED = 100_000
"""Rows of larger tables are counted, not summed."""
_A_FEW = 100
"""Rows that one transaction which was being committed at that very moment may have moved."""
_TABLES = (
    "select relname, greatest(reltuples, 0) from pg_class where relkind = 'r' and relpersistence = 'p'"
    " and relnamespace = 'public'::regnamespace order by 1"
)
_SAME_WORDS = (
    "set local timezone = 'UTC'", "set local datestyle = 'ISO'", "set local intervalstyle = 'iso_8601'",
    "set local bytea_output = 'hex'", "set local extra_float_digits = 1",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """tables: name → (rows, sum over the rows' text or None). lsn: where in the log. snapshot: who was committed."""

    lsn: str
    snapshot: str
    revision: str
    tables: Mapping[str, tuple[int, str | None]]

    def as_json(self) -> dict[str, Any]:
        return {"lsn": self.lsn, "snapshot": self.snapshot, "revision": self.revision, "tables": self.tables}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Facts":
        tables = {name: (int(rows), total) for name, (rows, total) in found["tables"].items()}
        return cls(found["lsn"], found["snapshot"], found["revision"], tables)


def gather(connection: psycopg.Connection, then: Callable[[], object] = lambda: None) -> Facts:
    """Count every table of the schema at one moment, without holding anybody up. then: called right after it."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read, read only")
        row = connection.execute("select pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text").fetchone()
        assert row is not None
        then()
        for statement in _SAME_WORDS:
            connection.execute(statement)
        sizes = connection.execute(_TABLES).fetchall()
        tables = {str(name): _counted(connection, str(name), summed=rows < _SUMMED) for name, rows in sizes}
        return Facts(row[1], row[0], _revision(connection), tables)


def differences(connection: psycopg.Connection, facts: Facts) -> Iterator[str]:
    """What a database restored to that moment says otherwise, in words."""
    with connection.transaction():
        for statement in _SAME_WORDS:
            connection.execute(statement)
        found = {str(name) for name, _rows in connection.execute(_TABLES)}
        late = _committed_meanwhile(connection, facts)
        yield from (f"table {name} is missing" for name in sorted(set(facts.tables) - found))
        for name in sorted(found & set(facts.tables)):
            rows, total = facts.tables[name]
            seen = _counted(connection, name, summed=total is not None)
            if seen != (rows, total) and not (late and abs(seen[0] - rows) <= _A_FEW * late):
                yield f"table {name}: {rows} rows then, {seen[0]} now" + (
                    ", the same number with another content" if seen[0] == rows else ""
                )
        if (revision := _revision(connection)) != facts.revision:
            yield f"schema at revision {revision or 'none'}, it was {facts.revision}"


def _counted(connection: psycopg.Connection, table: str, *, summed: bool) -> tuple[int, str | None]:
    total = sql.SQL("sum(hashtextextended(t::text, 0)::numeric)::text") if summed else sql.SQL("null::text")
    query = sql.SQL("select count(*), {} from public.{} t").format(total, sql.Identifier(table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0]), row[1]


def _committed_meanwhile(connection: psycopg.Connection, facts: Facts) -> int:
    """Transactions that the log already had and the counting did not see yet: those being committed then."""
    row = connection.execute(
        "select count(*) from generate_series(pg_snapshot_xmin(%(then)s::pg_snapshot)::text::bigint,"
        " pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1) x"
        " where not pg_visible_in_snapshot(x::text::xid8, %(then)s::pg_snapshot)"
        " and pg_visible_in_snapshot(x::text::xid8, pg_current_snapshot())"
        " and pg_xact_status(x::text::xid8) = 'committed'",
        {"then": facts.snapshot},
    ).fetchone()
    return int(row[0]) if row else 0


def _revision(connection: psycopg.Connection) -> str:
    if connection.execute("select to_regclass('public.alembic_version')").fetchone() == (None,):
        return ""
    row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else ""
