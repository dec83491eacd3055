"""Practitioners at work in the demonstration: a doctor lets a secretary act in her stead."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from auth.models import Delegation
from portal import db
from portal.db import session
from tests.ground import today

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    doctor, secretary = world.professionals["roumillac"], world.professionals["quesnoy"]
    session.add(
        Delegation(
            id=uuid4(),
            professional_id=doctor.id,
            delegate_id=secretary.id,
            professional_name="Dr Claire ROUMILLAC",
            delegate_name=secretary.full_name,
            created_at=db.now() - timedelta(days=12),
            ends_on=today() + timedelta(days=180),
            professional_seen_at=db.now(),
        )
    )
    session.flush()
