"""What other rooms lay on the shelf (bills, receipts): a room above this one, or the application, connects them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Line:
    """One thing of another room, as a line of the shelf. at: the moment it is sorted by. href: where it is read."""

    title: str
    at: datetime
    hospital: str
    href: str
    detail: str = ""


@dataclass(frozen=True)
class Source:
    """code: the word of the filter in the address. title, text, icon: of the card that leads to the other room.

    count and lines are asked for a patient for whom the actor may act; row-level security says the rest. scope: what
    a mandate must cover (`portal.db.SCOPES`). lines: the latest first, that many at most.
    """

    code: str
    title: Any
    text: Any
    icon: str
    scope: str
    endpoint: str
    count: Callable[[UUID], int]
    lines: Callable[[UUID, int], Sequence[Line]]


_sources: dict[str, Source] = {}


def offer(source: Source) -> None:
    """Lay the things of a room on the shelf. Said again, it is replaced."""
    _sources[source.code] = source


def sources() -> Sequence[Source]:
    """Those that rooms offered, in the order they came."""
    return list(_sources.values())
