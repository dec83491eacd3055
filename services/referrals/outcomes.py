"""What an accepted request became lives in another room: an appointment, a stay. Here one asks where it stands.

Rooms beside this one do not know referrals; whoever stands above both says how to look (`follow`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

STANDING: Final = "standing"
DONE: Final = "done"
MISSED: Final = "missed"
FALLEN: Final = "fallen"


@dataclass(frozen=True)
class Standing:
    """Where it stands: STANDING, DONE (the patient came), MISSED (they did not), FALLEN (it was cancelled); and when
    it is (aware)."""

    state: str
    at: datetime


Look = Callable[[Collection[UUID]], Mapping[UUID, Standing]]
_looks: dict[str, Look] = {}


def follow(kind: str, look: Look) -> None:
    """Say how outcomes of this kind are looked at, as the system. An id without an answer is left as it is."""
    _looks[kind] = look


def standings(kind: str, ids: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Where these stand now."""
    look = _looks.get(kind)
    return look(ids) if look and ids else {}
