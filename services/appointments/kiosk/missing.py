"""What somebody has still to finish before a visit, as rooms beside this one know it: the desk sees to it."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

Unfinished = Callable[[UUID, UUID, date], bool]
"""A patient, a hospital, a day there → whether something of theirs is not finished."""
_known: dict[str, tuple[Any, Unfinished]] = {}


def declare(code: str, words: Any, unfinished: Unfinished) -> None:
    """words: what to tell them, translatable; said again, it is replaced."""
    _known[code] = (words, unfinished)


def of(patient_id: UUID, establishment_id: UUID, day: date) -> Sequence[str]:
    """What to tell this person, in words that a hall may read."""
    return [str(words) for words, unfinished in _known.values() if unfinished(patient_id, establishment_id, day)]
