"""The life of a pre-admission (domain reference, section 4.4): transitions as data, one immutable row per change."""

from collections.abc import Mapping
from datetime import date, timedelta
from uuid import uuid4

from portal import db
from portal.db import Actor
from services.preadmission.models import Preadmission, PreadmissionChange

_CANCELLED = frozenset({"cancelled_by_patient", "cancelled_by_hospital"})
_GIVEN_UP = _CANCELLED | {"lapsed"}
_PURGED = frozenset({"purged"})

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"draft"}),
    "draft": _GIVEN_UP | _PURGED | {"submitted"},
    "submitted": _GIVEN_UP | {"in_review"},
    "in_review": _GIVEN_UP | {"to_complete", "validated", "refused"},
    "to_complete": _GIVEN_UP | {"completed", "in_review"},
    "completed": _GIVEN_UP | {"in_review"},
    "validated": _CANCELLED | {"in_review", "transmitted", "closed"},
    "transmitted": _CANCELLED | {"in_review", "integrated", "closed"},
    "integrated": _CANCELLED | {"closed"},
    "closed": _PURGED,
    "refused": _PURGED,
    "cancelled_by_patient": _PURGED,
    "cancelled_by_hospital": _PURGED,
    "lapsed": _PURGED,
    "purged": frozenset(),
}
"""`to_complete` to `in_review`: the patient brought the paper to the desk, the agent goes on. `validated` and
`transmitted` to `in_review`: an agent opens it again, or the hospital system refused it."""

EVENTS: Mapping[str, str] = {
    "draft": "started",
    "submitted": "submitted",
    "in_review": "taken",
    "to_complete": "sent_back",
    "completed": "completed",
    "validated": "validated",
    "transmitted": "transmitted",
    "integrated": "integrated",
    "closed": "closed",
    "refused": "refused",
    "cancelled_by_patient": "cancelled",
    "cancelled_by_hospital": "cancelled_there",
    "lapsed": "lapsed",
    "purged": "purged",
}
"""State entered → what audit (`preadmission.…`) and figures (`preadmission_…`) call it."""

TO_PROCESS = ("submitted", "in_review", "completed")
"""Where the hospital is expected to act."""

READY = ("validated", "transmitted", "integrated")
"""The patient goes straight to the ward."""

AT_RISK = timedelta(days=3)


class TransitionRefused(Exception):
    """The file is not in a state that allows this change (somebody else changed it, or it is over)."""

    def __init__(self, from_state: str, to_state: str) -> None:
        super().__init__(f"{from_state} to {to_state}")
        self.from_state, self.to_state = from_state, to_state


def change(preadmission: Preadmission, to_state: str, actor: Actor, reason: str = "") -> PreadmissionChange:
    """Move the file and return the row that says so. Raises TransitionRefused."""
    from_state = preadmission.state or ""
    if to_state not in TRANSITIONS[from_state]:
        raise TransitionRefused(from_state, to_state)
    row = PreadmissionChange(
        id=uuid4(),
        preadmission_id=preadmission.id,
        patient_id=preadmission.patient_id,
        at=db.now(),
        actor=actor.label,
        actor_name=actor.name,
        from_state=from_state,
        to_state=to_state,
        reason=reason,
    )
    preadmission.state, preadmission.changed_at = to_state, row.at
    return row


def is_at_risk(preadmission: Preadmission, today: date) -> bool:
    """The stay is near (three days or less) and the hospital has not validated the file."""
    return preadmission.is_open and preadmission.planned_on <= today + AT_RISK


def usual_deadline(preadmission: Preadmission, today: date, life: timedelta = timedelta(days=5)) -> date:
    """Five days to complete, but not after the eve of the stay, and never before today."""
    return max(today, min(today + life, preadmission.planned_on - timedelta(days=1)))
