"""Free time as bits: where an appointment may begin. Pure arithmetic on moments and integers.

A consultation session is cut into at most 60 cells of `step_min` minutes (they fit a signed 64-bit integer on every
machine); bit 0 is its first cell. `bookable` is the one answer to "may this begin here?": the list of slots and the
booking both ask it. Moments are UTC, so a night when clocks change is no special case.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

MAX_CELLS = 60
STEPS_MIN = (5, 10, 15)
CLAIM_MIN = 5
"""Resources are claimed by cells of five minutes, whatever the step of their sessions."""

_ORIGIN = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Slot:
    """Where an appointment would begin: a cell of a consultation session. Written `<session id>-<cell>` in forms."""

    session_id: UUID
    first_cell: int

    def __str__(self) -> str:
        return f"{self.session_id}-{self.first_cell}"

    @classmethod
    def parse(cls, text: str) -> "Slot":
        """Raises ValueError on anything that is not a slot."""
        session_id, _dash, cell = text.rpartition("-")
        first_cell = int(cell) if cell.isascii() and cell.isdecimal() and len(cell) <= 2 else MAX_CELLS
        if first_cell >= MAX_CELLS:
            raise ValueError(f"not a slot: {text[:60]!r}")
        return cls(UUID(session_id), first_cell)


@dataclass(frozen=True)
class FreeSlot:
    """A time that may be booked, with whom."""

    slot: Slot
    at: datetime
    practitioner: str


@dataclass(frozen=True)
class Window:
    """The moments between which an appointment may begin, both included, for somebody who asks now by a channel."""

    earliest: datetime
    latest: datetime
    channel: str
    asked_at: datetime


class Opening(Protocol):
    """What a session's row tells of its time. for_web, for_city: the cells meant for patients online and for
    practitioners of the city, None for all; from released_at on everybody sees all that is left."""

    @property
    def start_at(self) -> datetime: ...
    @property
    def step_min(self) -> int: ...
    @property
    def free(self) -> int: ...
    @property
    def for_web(self) -> int | None: ...
    @property
    def for_city(self) -> int | None: ...
    @property
    def released_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Free:
    """An opening as it would be."""

    start_at: datetime
    step_min: int
    free: int
    for_web: int | None
    for_city: int | None
    released_at: datetime | None


def cells_for(duration_min: int, step_min: int) -> int:
    """How many cells of a session a duration fills; a begun cell is a full one."""
    return -(-duration_min // step_min)


def mask(first_cell: int, count: int) -> int:
    """The bits of `count` cells from `first_cell`."""
    return ((1 << count) - 1) << first_cell


def starts(free: int, count: int) -> int:
    """Bits where `count` free cells follow one another."""
    found = free
    for shift in range(1, count):
        found &= free >> shift
    return found


def offered(opening: Opening, channel: str, now: datetime) -> int:
    """Free cells that this channel may take: agents see all of them, others what is meant for them until the rest is
    released to everybody."""
    meant = {"web": opening.for_web, "city": opening.for_city}.get(channel)
    released = opening.released_at is not None and now >= opening.released_at
    return opening.free if meant is None or released else opening.free & meant


def bookable(opening: Opening, count: int, window: Window, grid_min: int = 0) -> int:
    """Bits where an appointment of `count` cells may begin; grid_min: only every so many minutes from the start."""
    step = timedelta(minutes=opening.step_min)
    first = max(0, -((opening.start_at - window.earliest) // step))
    last = (window.latest - opening.start_at) // step
    free = offered(opening, window.channel, window.asked_at)
    found = starts(free, count) & mask(first, max(0, last + 1 - first))
    every = -(-grid_min // opening.step_min)
    return found & _GRIDS[every] if every > 1 else found


_GRIDS = {every: sum(1 << cell for cell in range(0, MAX_CELLS, every)) for every in range(1, MAX_CELLS + 1)}


def proposed(found: int, count: int) -> Iterator[int]:
    """Cells to propose among the bookable ones: the earliest, then the next that does not overlap it, and so on.

    Proposing every cell would flood the page and let bookings leave holes too short for anybody.
    """
    while found:
        cell = (found & -found).bit_length() - 1
        yield cell
        found &= -1 << (cell + count)


def with_resources(opening: Opening, found: int, seen: int, pools: Collection[Collection[Collection[int]]]) -> int:
    """Among the bits found, those where each pool has a resource that nothing else needs meanwhile.

    seen: how many cells of the session the patient is there. pools: for each pool, for each of its resources, the
    five-minute cells in which it is taken.
    """
    kept = 0
    for cell in range(found.bit_length()) if pools else ():
        if found >> cell & 1:
            begins, ends = (opening.start_at + timedelta(minutes=opening.step_min * at) for at in (cell, cell + seen))
            wanted = claim_cells(begins, ends)
            if all(any(_is_clear(taken, wanted) for taken in pool) for pool in pools):
                kept |= 1 << cell
    return kept if pools else found


def _is_clear(taken: Collection[int], wanted: range) -> bool:
    return not any(cell in taken for cell in wanted)


def claim_cells(start_at: datetime, end_at: datetime) -> range:
    """Five-minute cells since 2020 that an appointment fills."""
    step = timedelta(minutes=CLAIM_MIN)
    return range((start_at - _ORIGIN) // step, -((_ORIGIN - end_at) // step))
