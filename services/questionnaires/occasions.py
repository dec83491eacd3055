"""What questionnaires are sent around: rooms above say what happens on a day, and this one knows nothing of them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Happening:
    """One thing that happens to somebody on a day: an appointment, a stay. about: the finer kind that a plan may name
    (a reason, a kind of stay). day: of the hospital's calendar. masked: kept from those who act for the person."""

    object_id: UUID
    patient_id: UUID
    establishment_id: UUID
    unit_id: UUID
    day: date
    about: str = ""
    masked: bool = False


@dataclass(frozen=True)
class Subject:
    """What a plan may be attached to, in words. unit_id: whose it is; None: of every unit of the hospital."""

    about: str
    title: Any
    establishment_id: UUID | None = None
    unit_id: UUID | None = None


@dataclass(frozen=True)
class Occasion:
    """A kind of happening. title: a lazy translation.

    on: those of one hospital from a day to another, both included, that still stand. standing: those of these ids that
    still stand, as they are now. subjects: the finer kinds at these hospitals. All of them run as the system.
    """

    code: str
    title: Any
    on: Callable[[UUID, date, date], Sequence[Happening]]
    standing: Callable[[Collection[UUID]], Mapping[UUID, Happening]]
    subjects: Callable[[Collection[UUID]], Sequence[Subject]]


_occasions: dict[str, Occasion] = {}


def offer(occasion: Occasion) -> None:
    """A room says what happens; said again, it is replaced."""
    _occasions[occasion.code] = occasion


def every() -> Sequence[Occasion]:
    return list(_occasions.values())


def of(code: str) -> Occasion | None:
    """The kind of this code; None when its room is not open here."""
    return _occasions.get(code)
