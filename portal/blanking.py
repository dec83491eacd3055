"""Words that are hidden while somebody else looks on: in such a transaction every text that comes from the database is
blanked, but those of the columns said to be harmless.

It is done where rows enter the program, under the ORM and under written SQL alike: PostgreSQL says of each column of
a result which column of which table it is (`PQftable`, `PQftablecol`). A text that is computed (`coalesce`, `||`, a
function, a union) belongs to no table and is blanked, as is a column that was added since. Numbers, moments, days,
identifiers and yes or no pass. The transaction is READ ONLY, and stays so whoever acts in it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import Cursor
from psycopg.rows import tuple_row
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import ConnectionPoolEntry

MASK = "•••••"
"""What stands for a text that is hidden; a text that is empty stays so."""

Row = tuple[Any, ...]
Origin = tuple[int, int]

_on: ContextVar[bool] = ContextVar("words are hidden", default=False)
_LISTED = (
    "select a.attrelid, a.attnum, wanted.tab, wanted.col from pg_attribute a"
    " join unnest(%s::text[], %s::text[]) as wanted (tab, col)"
    " on a.attrelid = to_regclass(quote_ident(wanted.tab)) and a.attname = wanted.col"
)


@dataclass(frozen=True)
class StandIn:
    """What is read instead of a code that says too much, where the pages need one that they know."""

    table: str
    column: str
    value: Any
    why: str


@dataclass(frozen=True)
class Harmless:
    """Columns that are shown to whoever looks on, and why they may be."""

    table: str
    columns: tuple[str, ...]
    why: str


_harmless: dict[tuple[str, str], str] = {}
_stand_ins: dict[tuple[str, str], StandIn] = {}
_PLAIN = object()
_known: "WeakKeyDictionary[Any, dict[Origin, Any]]" = WeakKeyDictionary()
"""Driver's connection → the columns that are not blanked, as its database numbers them: _PLAIN, or what stands in."""


def show(*groups: Harmless) -> None:
    """Say that these columns hold nothing to hide."""
    for group in groups:
        for column in group.columns:
            _harmless[group.table, column] = group.why
    _known.clear()


def replace(*columns: StandIn) -> None:
    """Say what stands for the text of these columns, when there is one."""
    for each in columns:
        _stand_ins[each.table, each.column] = each
    _known.clear()


def shown() -> Mapping[tuple[str, str], str]:
    """(table, column) → why it is not blanked."""
    return _harmless


def is_on() -> bool:
    """Whether words are hidden here: nothing that is read now may be remembered for others."""
    return _on.get()


@contextmanager
def hidden() -> Iterator[None]:
    """Blank what every transaction begun inside reads; none of them can write."""
    token = _on.set(True)
    try:
        yield
    finally:
        _on.reset(token)


def cover(engine: Engine) -> None:
    """Give every connection back to the pool as it was: the next page is somebody's own."""
    event.listen(engine, "checkin", _uncover)


def begin(connection: Connection) -> None:
    """First thing in a transaction where words are hidden."""
    connection.exec_driver_sql("set transaction read only")
    raw = connection.connection.driver_connection
    assert raw is not None, "a connection in use has a driver's"
    if raw not in _known:
        _known[raw] = _numbered(raw)
    raw.row_factory = _blanked_rows


def _numbered(raw: Any) -> dict[Origin, Any]:
    listed = {**dict.fromkeys(_harmless, _PLAIN), **{column: each.value for column, each in _stand_ins.items()}}
    with raw.cursor(row_factory=tuple_row) as cursor:
        names = ([table for table, _column in listed], [column for _table, column in listed])
        rows = cursor.execute(_LISTED, names).fetchall()
    return {(table, number): listed[name, column] for table, number, name, column in rows}


def _uncover(raw: Any, _entry: ConnectionPoolEntry) -> None:
    if raw is not None:
        raw.row_factory = tuple_row


def _blanked_rows(cursor: Cursor[Any]) -> Callable[[Sequence[Any]], Row]:
    """psycopg's row factory, asked once a result."""
    result = cursor.pgresult
    if result is None or not result.nfields:
        return tuple
    known = _known.get(cursor.connection, {})
    origins = [(result.ftable(n), result.ftablecol(n)) for n in range(result.nfields)]
    kept = [known.get(origin) for origin in origins]
    return lambda values: tuple(map(_seen, values, kept))


def _seen(value: Any, kept: Any) -> Any:
    if kept is _PLAIN or not value:
        return value
    return blank(value) if kept is None else kept


def blank(value: Any) -> Any:
    """The same value without its words: texts in lists and objects too, whose shape stays; keys are code."""
    if isinstance(value, str):
        return MASK if value else value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b""
    if isinstance(value, Mapping):
        return {key: blank(each) for key, each in value.items()}
    if isinstance(value, list):
        return [blank(each) for each in value]
    return value
