"""Closed months, kept in the memory of the process: their roll-up never changes again, and pages read two years of it.

What was read is found again by those who may read the same: the reader's rights are part of its name, and so is the
moment of the closing.
"""

from collections.abc import Hashable, Sequence
from datetime import date, datetime
from typing import Any, Final, Generic, TypeVar

from portal import db

Rows = TypeVar("Rows", bound=Sequence[Any])

MOST: Final = 100_000
"""Rows: a few hundred bytes each."""


class Kept(Generic[Rows]):
    """What some questions found in closed months; not more than memory should hold."""

    def __init__(self, most: int = MOST) -> None:
        self._found: dict[Hashable, Rows] = {}
        self._most, self._held = most, 0

    def get(self, name: Hashable) -> Rows | None:
        return self._found.get(name)

    def keep(self, name: Hashable, found: Rows) -> None:
        """Everything else is forgotten when it would be too much."""
        if self._held + len(found) > self._most:
            self._found, self._held = {}, 0
        self._held += len(found)
        self._found[name] = found


def name(question: Hashable, month: date, closed_at: datetime) -> Hashable:
    """What a question to a closed month is kept under, for readers like this one."""
    reader = db.current_actor()
    return reader.kind, frozenset(reader.rights.items()), question, month, closed_at
