"""Terminals of a hall."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from portal import db
from services.appointments.kiosk import actions
from services.appointments.kiosk.actions import Described
from services.appointments.kiosk.models import Kiosk

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def waiting(establishment_id: UUID, name: str = "Grand hall", units: Sequence[UUID] = (),
            now: datetime | None = None) -> tuple[Kiosk, str]:  # fmt: skip
    """A terminal that waits for its code, and the code."""
    return actions.add(establishment_id, Described(name, "Hall d’entrée, à gauche", units), now or db.now())


def in_service(establishment_id: UUID, name: str = "Grand hall", units: Sequence[UUID] = ()) -> tuple[Kiosk, str]:
    """A terminal, and what its browser shows."""
    kiosk, code = waiting(establishment_id, name, units)
    return kiosk, actions.activate(code, db.now())


def demonstrate(world: "World") -> None:
    """One terminal in the hall of Arceau, one that waits for its code."""
    in_service(world.north.establishment.id)
    waiting(world.north.establishment.id, "Consultations externes")
