"""Changes of tables that are being used, in steps that hold nobody back (docs/upgrade.md).

Each opens an autocommit block: what came before it in the migration is committed, and the migration starts again from
there when it is interrupted. Use them alone in a migration of their own, safe to run twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import op

from portal.schema import STATEMENT_TIMEOUT


@contextmanager
def _apart() -> Iterator[None]:
    """Outside a transaction, and for as long as it takes: these statements lock no reader and no writer out."""
    with op.get_context().autocommit_block():
        op.execute("set statement_timeout = 0")
        try:
            yield
        finally:
            op.execute(f"set statement_timeout = '{STATEMENT_TIMEOUT}'")


def add_index(name: str, table: str, what: str, *, unique: bool = False) -> None:
    """An index built beside the work. what: all that follows the table's name, as `(patient_id, booked_at)`, with
    `using gin (…)` or `where …` if need be. What an interrupted attempt left, which PostgreSQL marks invalid, goes
    first."""
    with _apart():
        op.execute(f"drop index concurrently if exists {name}")
        kind = "unique index" if unique else "index"
        op.execute(f"create {kind} concurrently {name} on {table} {what}")


def drop_index(name: str) -> None:
    """An index taken away once nobody reads it any more."""
    with _apart():
        op.execute(f"drop index concurrently if exists {name}")


def add_check(name: str, table: str, condition: str) -> None:
    """A check on every row: new rows from now on, then those that are there, without holding writers back."""
    op.execute(f"alter table {table} drop constraint if exists {name}")
    op.execute(f"alter table {table} add constraint {name} check ({condition}) not valid")
    with _apart():
        op.execute(f"alter table {table} validate constraint {name}")


def add_reference(name: str, table: str, column: str, other: str, *, then: str = "") -> None:
    """A foreign key to `other (id)`, checked as `add_check` checks. then: `on delete cascade`…"""
    op.execute(f"alter table {table} drop constraint if exists {name}")
    rule = f"foreign key ({column}) references {other} (id) {then} not valid"
    op.execute(f"alter table {table} add constraint {name} {rule}")
    with _apart():
        op.execute(f"alter table {table} validate constraint {name}")


def require(table: str, column: str) -> None:
    """A column that is always filled from now on. PostgreSQL believes the check that was validated, and looks at no row
    while it holds the table."""
    name = f"ck_{table}_{column}_is_there"
    add_check(name, table, f"{column} is not null")
    op.execute(f"alter table {table} alter column {column} set not null")
    op.execute(f"alter table {table} drop constraint {name}")
