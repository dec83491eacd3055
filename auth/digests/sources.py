"""What may wait for an agent: each room offers its trays (`offer`), and one statement counts them all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, Select, cast, func, literal

from portal.establishments import Establishment

Rows = Select[*tuple[Any, ...]]
"""One row for each thing that waits: establishment_id, unit_id (null: the whole hospital), since, is_late."""


@dataclass(frozen=True)
class Waiting:
    """One kind of thing that waits for agents. label: a lazy translation, in the plural, that names no care.

    right: who may act on it (`portal.db.RIGHTS`). endpoint: Flask's, of its tray, without parameters. rows: given the
    present moment, a select of one row for each thing that waits, with exactly these columns, in this order:
    establishment_id, unit_id (null: the whole hospital), since (when it came), is_late (it is past what was promised).
    It is asked as the agent, and as the system for the morning's mail: it filters nothing by who asks.
    """

    code: str
    label: Any
    right: str
    endpoint: str
    rows: Callable[[datetime], Rows]


_sources: dict[str, Waiting] = {}


def offer(*waiting: Waiting) -> None:
    """Add kinds of things that wait; offered again, each keeps its place."""
    _sources.update({each.code: each for each in waiting})


def sources(rights: Sequence[str] | None = None) -> Sequence[Waiting]:
    """What rooms have offered, all of it or for these rights only."""
    return [each for each in _sources.values() if rights is None or each.right in rights]


def civil_day(now: datetime) -> ColumnElement[date]:
    """The day of `now` at the hospital of the row, in a select that joins `Establishment`."""
    return cast(func.timezone(Establishment.time_zone, literal(now, DateTime(timezone=True))), Date)
