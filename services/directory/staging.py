"""Rows of a file on their way: COPY into staging tables, then one merge that touches only what changed.

COPY is refused on tables with policies, hence the staging, which has none. Readers are never kept waiting: the merge
writes rows, and no lock of a table is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from portal.db import session
from services.directory.models import STAGING, directory_activity, directory_box, directory_person, directory_word

_COLUMNS: Final = {name: ", ".join(table.columns.keys()) for name, table in STAGING.items()}
_KEYS: Final = {
    table.name: [column.name for column in table.primary_key]
    for table in (directory_person, directory_activity, directory_box, directory_word)
}
_AT_ONCE: Final = 2000
COUNTED: Final = {"people": "directory_activity", "boxes": "directory_box"}
"""Kind of file → the table of its lines."""


@dataclass(frozen=True)
class Merged:
    """What the merge did to one table. before: rows that were there. repeated: lines that say what another one says."""

    before: int
    added: int
    changed: int
    removed: int
    staged: int

    @property
    def unchanged(self) -> int:
        return self.before - self.changed - self.removed

    @property
    def repeated(self) -> int:
        return self.staged - self.added - self.changed - self.unchanged

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("added", "changed", "removed", "unchanged", "repeated")}


def copy(table: str, rows: Sequence[bytes]) -> None:
    """Append rows of COPY's text format to the staging of a table."""
    if not rows:
        return
    driver: Any = session.connection().connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"copy {table}_staging ({_COLUMNS[table]}) from stdin") as out:
        for first in range(0, len(rows), _AT_ONCE):
            out.write(b"\n".join(rows[first : first + _AT_ONCE]) + b"\n")


def count(table: str) -> int:
    """Rows that wait."""
    return int(session.scalar(text(f"select count(*) from {table}_staging")) or 0)


def empty() -> None:
    """Forget every row that waits."""
    session.execute(text("select directory_empty_staging()"))


def merge(kind: str) -> dict[str, Merged]:
    """Make the directory what the staged file says, and nothing more. What → what was done."""
    session.execute(text("select directory_look_at_staging()"))
    if kind == "boxes":
        return {"boxes": _merge_keyed("directory_box")}
    done = {"people": _merge_keyed("directory_person"), "activities": _merge_activities()}
    _merge_words()
    return done


def _merge_keyed(table: str) -> Merged:
    """A table whose rows are known by a key of the file: the same key with another digest is a change."""
    before, staged = _rows(table), count(table)
    key = _KEYS[table]
    if before == 0 and not _repeats(table):
        added, changed, removed = _insert_all(table), 0, 0
    else:
        _keep_one_each(table)
        removed = _written(f"delete from {table} t where not exists (select from {table}_staging s where {_same(key)})")
        rest = [column.name for column in STAGING[table].columns if column.name not in key]
        upsert = (
            f"with written as (insert into {table} ({_COLUMNS[table]}) select {_COLUMNS[table]} from {table}_staging s"
            f" where not exists (select from {table} t where {_same([*key, 'digest'])})"
            f" on conflict ({', '.join(key)}) do update set {', '.join(f'{n} = excluded.{n}' for n in rest)}"
            " returning xmax = 0 as is_new)"  # xmax = 0 tells an added row from a changed one
            " select count(*) filter (where is_new), count(*) filter (where not is_new) from written"
        )
        added, changed = session.execute(text(upsert)).one()
    return Merged(before, added, changed, removed, staged)


def _merge_activities() -> Merged:
    """Rows known by all they hold: one that goes and one that comes at the same structure, for the same work, are a
    change of it."""
    table, key = "directory_activity", _KEYS["directory_activity"]
    before, staged = _rows(table), count(table)
    if before == 0:
        return Merged(0, _insert_all(table), 0, 0, staged)
    work = "person_id, structure_id, profession, speciality, mode"
    row = session.execute(
        text(
            f"with gone as (delete from {table} t where not exists (select from {table}_staging s where {_same(key)})"
            f" returning {work}),"
            f" fresh as (insert into {table} ({_COLUMNS[table]}) select {_COLUMNS[table]} from {table}_staging s"
            f" where not exists (select from {table} t where {_same(key)}) on conflict do nothing returning {work}),"
            f" went as (select {work}, count(*) as n from gone group by {work}),"
            f" came as (select {work}, count(*) as n from fresh group by {work})"
            " select (select coalesce(sum(n), 0) from went), (select coalesce(sum(n), 0) from came),"
            f" (select coalesce(sum(least(went.n, came.n)), 0) from went join came using ({work}))"
        )
    ).one()
    gone, fresh, changed = (int(number) for number in row)
    return Merged(before, fresh - changed, changed, gone - changed, staged)


def _merge_words() -> None:
    table, key = "directory_word", _KEYS["directory_word"]
    _written(f"delete from {table} t where not exists (select from {table}_staging s where {_same(key)})")
    _insert_all(table, f" where not exists (select from {table} t where {_same(key)})")


def _insert_all(table: str, where: str = "") -> int:
    return _written(
        f"insert into {table} ({_COLUMNS[table]}) select {_COLUMNS[table]} from {table}_staging s{where}"
        " on conflict do nothing"
    )


def _repeats(table: str) -> bool:
    key = ", ".join(_KEYS[table])
    return session.scalar(text(f"select 1 from {table}_staging group by {key} having count(*) > 1 limit 1")) is not None


def _keep_one_each(table: str) -> None:
    """Of rows with the same key, always the same one stays, wherever it stands in the file."""
    if _repeats(table):
        key = _KEYS[table]
        same = " and ".join(f"o.{name} = s.{name}" for name in key)
        _written(
            f"delete from {table}_staging s using {table}_staging o where {same}"
            " and (o.digest, o.ctid) < (s.digest, s.ctid)"
        )


def _same(key: Sequence[str]) -> str:
    return " and ".join(f"s.{name} = t.{name}" for name in key)


def _rows(table: str) -> int:
    return int(session.scalar(text(f"select count(*) from {table}")) or 0)


def _written(statement: str) -> int:
    result: Any = session.execute(text(statement))
    return int(result.rowcount)
