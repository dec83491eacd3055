"""A stay that the hospital's own system knows already: its patient is told, and a file waits for them."""

from uuid import UUID

from services.preadmission import actions
from services.preadmission.actions import Stay, traces
from services.preadmission.models import Preadmission


def declare(patient_id: UUID, stay: Stay) -> Preadmission:
    """Invite the patient to prepare a stay that the hospital's system told us of. Raises UnitNotOpen, StayInThePast."""
    preadmission = actions.start(patient_id, stay, origin="hospital")
    traces.notify(preadmission)
    return preadmission
