"""What a death leaves open: each room lists its own, an agent decides. Nothing is cancelled by itself."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from auth.records import as_system


@dataclass(frozen=True)
class Affair:
    """One thing left open: at which hospital, for which day, under which reference. Never why: agents of the
    identity unit have no business with health. arguments: of the room's `endpoint`, to look at it there."""

    establishment_id: UUID
    reference: str
    on: date | None
    arguments: dict[str, Any] = field(default_factory=dict)


Query = Callable[[UUID, Collection[UUID]], Sequence[Affair]]


@dataclass(frozen=True)
class Kind:
    """What a room lists. title: lazy translation; right: who may look at it there; endpoint: the staff's page."""

    code: str
    title: Any
    right: str
    endpoint: str
    query: Query


_kinds: dict[str, Kind] = {}


def offer(kind: Kind) -> None:
    """A room says what it may leave open."""
    _kinds[kind.code] = kind


def left_by(patient_id: UUID, establishments: Collection[UUID]) -> list[tuple[Kind, Sequence[Affair]]]:
    """Everything left open at these hospitals, room by room. As the system: the agent who settles a death sees that
    it exists, and needs the room's own right to open it."""
    with as_system("death.affairs"):
        found = [(kind, kind.query(patient_id, establishments)) for kind in _kinds.values()]
    return [(kind, affairs) for kind, affairs in found if affairs]
