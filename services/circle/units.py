"""The hospital units that have somebody in care: rooms above say which, and this one knows nothing of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class CareUnit:
    """A unit that receives the patient. why: a lazy translation (an appointment, a stay). on: the day nearest to now,
    of the hospital's calendar."""

    unit: str
    hospital: str
    why: Any
    on: date
    phone: str = ""


_rooms: dict[str, Callable[[UUID], Sequence[CareUnit]]] = {}


def offer(room: str, units: Callable[[UUID], Sequence[CareUnit]]) -> None:
    """A room says which units have a patient in care now. Asked as the patient, or whoever acts for them."""
    _rooms[room] = units


def of(patient_id: UUID) -> list[CareUnit]:
    """Each unit once, with the nearest day, by hospital then unit."""
    found = sorted((each for room in _rooms.values() for each in room(patient_id)), key=lambda each: each.on)
    once = {(each.hospital, each.unit): each for each in reversed(found)}
    return [once[known] for known in sorted(once)]
