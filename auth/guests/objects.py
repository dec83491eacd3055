"""What a guest may be invited to: each room says how one of its objects is found, and shows it itself.

A guest's page runs as the system (docs/decisions/0014): every finder takes the object's id, the patient's and the
hospital's, and answers for that one alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Facts:
    """One object. ends_at: when a guest has nothing more to do with it, the end of the stay or of the day."""

    establishment_id: UUID
    patient_id: UUID
    reference: str
    ends_at: datetime


@dataclass(frozen=True)
class Kind:
    """code: `GuestInvitation.object_kind`. right: of the agents who invite. find: what an agent may invite to, by id.
    shown: what `template` shows a guest (id, patient, hospital → its variables, None when it is gone). staff_endpoint,
    argument: the agents' page of the object."""

    code: str
    right: str
    find: Callable[[UUID], Facts | None]
    shown: Callable[[UUID, UUID, UUID], Mapping[str, Any] | None]
    template: str
    staff_endpoint: str
    argument: str


_kinds: dict[str, Kind] = {}


def offer(kind: Kind) -> None:
    """A room lets guests be invited to its objects."""
    _kinds[kind.code] = kind


def kind(code: str) -> Kind | None:
    return _kinds.get(code)
