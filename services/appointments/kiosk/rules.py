"""What a terminal answers to somebody who is expected, or not, or not here, or not now. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.appointments import states

WELCOME: Final = "welcome"
VERDICTS: Final = (
    WELCOME, "already", "cancelled", "over", "remote", "other_hospital", "other_day", "other_unit", "early", "late",
)  # fmt: skip
"""Only `welcome` tells the unit; every other one sends to the desk, or elsewhere."""


@dataclass(frozen=True)
class Terminal:
    """Where a terminal stands and whom it serves. units: none for the whole hospital. early_min, late_min: how long
    before and after the time one is asked to be there."""

    establishment_id: UUID
    units: Collection[UUID]
    early_min: int
    late_min: int


@dataclass(frozen=True)
class Expected:
    """What the answer hangs on. be_there_at: when the patient is asked to be there. day: in the hospital's zone."""

    establishment_id: UUID
    unit_id: UUID
    state: str
    is_remote: bool
    be_there_at: datetime
    start_at: datetime
    day: date


def answer(terminal: Terminal, expected: Expected, now: datetime, today: date) -> str:
    """One of VERDICTS: the first that holds. today: in the hospital's zone."""
    if expected.establishment_id != terminal.establishment_id:
        return "other_hospital"
    if expected.state == states.CANCELLED:
        return "cancelled"
    if expected.state == states.ARRIVED:
        return "already"
    if expected.state != states.BOOKED:
        return "over"
    if expected.is_remote:
        return "remote"
    if expected.day != today:
        return "other_day"
    if terminal.units and expected.unit_id not in terminal.units:
        return "other_unit"
    if now < expected.be_there_at - timedelta(minutes=terminal.early_min):
        return "early"
    if now > expected.start_at + timedelta(minutes=terminal.late_min):
        return "late"
    return WELCOME
