"""A stay that the hospital's own system knows already: how its patient is invited to prepare it.

Whoever invites patients fills `invited_by`; until somebody does, a draft waits for the patient, who is told.
"""

from collections.abc import Callable
from uuid import UUID

from services.preadmission import actions
from services.preadmission.actions import Stay, traces
from services.preadmission.models import Preadmission

Inviting = Callable[[UUID, Stay], Preadmission]
"""patient_id, stay → the file that waits for them. Raises UnitNotOpen, StayInThePast."""


def _begin(patient_id: UUID, stay: Stay) -> Preadmission:
    preadmission = actions.start(patient_id, stay, origin="hospital")
    traces.notify(preadmission)
    return preadmission


_ways: list[Inviting] = [_begin]


def invited_by(way: Inviting) -> None:
    """Once, when the application starts: this is how patients are invited."""
    _ways[0] = way


def declare(patient_id: UUID, stay: Stay) -> Preadmission:
    """Invite the patient to prepare a stay that the hospital's system told us of. Raises UnitNotOpen, StayInThePast."""
    return _ways[0](patient_id, stay)
