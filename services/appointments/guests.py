"""What somebody without an account sees of one appointment: when and where, and nothing of why."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from auth.guests import objects
from auth.guests.objects import Facts
from portal import db
from services.appointments import queries
from services.appointments.models import SERVICE


def declare() -> None:
    objects.offer(
        objects.Kind(
            "appointment",
            SERVICE,
            _find,
            _shown,
            "appointments/guest.html",
            "admin_appointments.show",
            "appointment_id",
        )
    )


def _find(appointment_id: UUID) -> Facts | None:
    """An appointment to come at a hospital of the agent; the guest has nothing to do with it once it is over."""
    here = db.current_actor().rights.get(SERVICE, frozenset())
    found = queries.one_at(appointment_id, here)
    if found is None or not found.is_to_come:
        return None
    return Facts(found.establishment_id, found.patient_id, found.reference, found.end_at)


def _shown(appointment_id: UUID, patient_id: UUID, establishment_id: UUID) -> Mapping[str, Any] | None:
    found = queries.one_of_patients(appointment_id, [patient_id])
    if found is None or found.establishment_id != establishment_id:
        return None
    assert found.unit.establishment, "read here: the page is rendered when the transaction is over"
    return {"appointment": found}
