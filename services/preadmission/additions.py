"""What other parts of the room add to the patient's pages: they offer it, the pages show it.

Each is asked once a page, under the rights of whoever looks at it; what somebody may not see is simply not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.preadmission.models import Preadmission


@dataclass(frozen=True)
class Card:
    """One more thing on the page of a patient's stays (an invitation). tone: of `ui.tag`."""

    title: Any
    text: Any
    href: str
    action: Any = ""
    tag: Any = ""
    tone: str = "info"


@dataclass(frozen=True)
class Note:
    """One more word on the page of a file (a signature that is awaited). kind: of `ui.notice`."""

    kind: str
    title: Any
    text: Any = ""
    href: str = ""
    action: Any = ""


CardsOf = Callable[[UUID], Sequence[Card]]
NotesOn = Callable[[Preadmission], Sequence[Note]]
Late = Callable[[Preadmission], bool]

_cards: list[CardsOf] = []
_notes: list[NotesOn] = []
_late: list[Late] = []
_desk_notes: list[NotesOn] = []


def offer_cards(of_patient: CardsOf) -> None:
    """of_patient: patient → what their page shows before their files."""
    if of_patient not in _cards:
        _cards.append(of_patient)


def offer_notes(on_file: NotesOn) -> None:
    """on_file: file → what its page says besides."""
    if on_file not in _notes:
        _notes.append(on_file)


def offer_desk_notes(on_file: NotesOn) -> None:
    """on_file: file → what its page says besides to agents, under their rights."""
    if on_file not in _desk_notes:
        _desk_notes.append(on_file)


def judge_lateness(late: Late) -> None:
    """late: whether a file sent now comes after the hospital's cut-off."""
    if late not in _late:
        _late.append(late)


def cards(patient_id: UUID) -> Sequence[Card]:
    return [card for of_patient in _cards for card in of_patient(patient_id)]


def notes(file: Preadmission) -> Sequence[Note]:
    return [note for on_file in _notes for note in on_file(file)]


def is_late(file: Preadmission) -> bool:
    return any(late(file) for late in _late)


def desk_notes(file: Preadmission) -> Sequence[Note]:
    return [note for on_file in _desk_notes for note in on_file(file)]
