"""Free time as bits: where an appointment may begin. Pure arithmetic on moments and integers.

A consultation session is cut into at most 60 cells of `step_min` minutes (they fit a signed 64-bit integer on every
machine); bit 0 is its first cell. `bookable` is the one answer to "may this begin here?": the list of slots and the
booking both ask it. Moments are UTC, so a night when clocks change is no special case.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    """The moments between which an appointment may begin, both included."""

    earliest: datetime
    latest: datetime


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


def bookable(free: int, start_at: datetime, step_min: int, count: int, window: Window) -> int:
    """Bits where an appointment of `count` cells may begin, in a session that starts at `start_at`."""
    step = timedelta(minutes=step_min)
    first = max(0, -((start_at - window.earliest) // step))
    last = (window.latest - start_at) // step
    return starts(free, count) & mask(first, max(0, last + 1 - first))


def proposed(found: int, count: int) -> Iterator[int]:
    """Cells to propose among the bookable ones: the earliest, then the next that does not overlap it, and so on.

    Proposing every cell would flood the page and let bookings leave holes too short for anybody.
    """
    while found:
        cell = (found & -found).bit_length() - 1
        yield cell
        found &= -1 << (cell + count)


def claim_cells(start_at: datetime, end_at: datetime) -> range:
    """Five-minute cells since 2020 that an appointment fills."""
    step = timedelta(minutes=CLAIM_MIN)
    return range((start_at - _ORIGIN) // step, -((_ORIGIN - end_at) // step))
