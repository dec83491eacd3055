"""Time that is busy elsewhere, as cells of sessions and as claims. Pure arithmetic on moments and integers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.appointments import slots

LONGEST = timedelta(hours=25)
"""A civil day when clocks go back; what lasts longer is an absence, which the hospital enters as one."""


@dataclass(frozen=True)
class Span:
    """Some of a practitioner's time, between two moments."""

    practitioner_id: UUID
    start_at: datetime
    end_at: datetime

    @property
    def cells(self) -> range:
        """The five-minute cells that it fills, even in part."""
        return slots.claim_cells(self.start_at, self.end_at)


class Opened(Protocol):
    """What a session's row tells of its place in time."""

    @property
    def practitioner_id(self) -> UUID: ...
    @property
    def start_at(self) -> datetime: ...
    @property
    def step_min(self) -> int: ...
    @property
    def n_cells(self) -> int: ...


def bits(opened: Opened, spans: Collection[Span]) -> int:
    """The cells of a session that these spans fill, even in part."""
    step, found = timedelta(minutes=opened.step_min), 0
    for span in spans:
        first = max(0, (span.start_at - opened.start_at) // step)
        last = min(opened.n_cells, -((opened.start_at - span.end_at) // step))
        if span.practitioner_id == opened.practitioner_id and first < last:
            found |= slots.mask(first, last - first)
    return found


def claimed_bits(opened: Opened, claimed: Collection[int]) -> int:
    """The cells of a session in which one of these five-minute cells is claimed."""
    step, found = timedelta(minutes=opened.step_min), 0
    for cell in range(opened.n_cells):
        begins = opened.start_at + cell * step
        if any(each in claimed for each in slots.claim_cells(begins, begins + step)):
            found |= 1 << cell
    return found
