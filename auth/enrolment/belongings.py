"""What the rooms hold for a patient, and how it follows a link to a hospital's patient number (IPP) and comes back.

Rooms depend on auth, never the reverse: each room registers here what it knows how to prove and to move. A link moves
the rows of one establishment from the hospital's own patient to the account's; what moved is remembered row by row, so
that a wrong link is undone exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

Rows = Mapping[str, Sequence[UUID]]
"""Table → keys of its rows."""


@dataclass(frozen=True)
class Move:
    """From whom to whom, at which hospital. ipp: the number the link is about, "" when there is none.

    since: when the link that is being undone was made (None while linking).
    """

    establishment_id: UUID
    from_id: UUID
    to_id: UUID
    ipp: str
    since: datetime | None = None


def _proves_nothing(_establishment_id: UUID, _number: str) -> UUID | None:
    return None


@dataclass(frozen=True)
class Belongings:
    """One room's part.

    adopt: gives `to_id` what `from_id` has at that hospital, and what nobody could be found for under that number;
    returns the rows it moved. release: the same way back. `from_id` is the account's patient and `to_id` the
    hospital's; it gives back the rows that moved, and whatever the hospital sent for that number since.
    proves: the hospital's patient to whom a number on paper (invoice, visit) belongs, or None.
    All three run as the system, one statement a table.
    """

    room: str
    adopt: Callable[[Move], Rows]
    release: Callable[[Move, Rows], None]
    proves: Callable[[UUID, str], UUID | None] = _proves_nothing


_rooms: dict[str, Belongings] = {}


def register(belongings: Belongings) -> None:
    """A room says what it holds; said again, it keeps its place."""
    _rooms[belongings.room] = belongings


def rooms() -> Sequence[Belongings]:
    """Every room's part, in the order they were registered."""
    return list(_rooms.values())


def owner_of(establishment_id: UUID, number: str) -> UUID | None:
    """The hospital's patient to whom a number on paper belongs, whichever room knows it."""
    found = (room.proves(establishment_id, number) for room in rooms())
    return next((patient_id for patient_id in found if patient_id is not None), None)
