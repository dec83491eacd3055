"""The six statuses of the guide and our states, both ways. Pure.

What we tell: nothing was begun (CREATED), the patient is at work (IN_PROGRESS), the hospital may look (READY), it
accepted (COMPLETED), it refused (REFUSED), nobody goes on (CANCELLED).
"""

from collections.abc import Mapping
from typing import Final

CODES: Final = ("CREATED", "IN_PROGRESS", "READY", "COMPLETED", "REFUSED", "CANCELLED")
DISPLAYS: Final[Mapping[str, str]] = {
    "CREATED": "Pré-admission créée",
    "IN_PROGRESS": "Pré-admission en cours",
    "READY": "Pré-admission prête",
    "COMPLETED": "Pré-admission terminée",
    "REFUSED": "Pré-admission refusée",
    "CANCELLED": "Pré-admission annulée",
}
OF_STATE: Final[Mapping[str, str]] = {
    "draft": "IN_PROGRESS",
    "submitted": "READY",
    "in_review": "READY",
    "to_complete": "IN_PROGRESS",
    "completed": "READY",
    "validated": "COMPLETED",
    "transmitted": "COMPLETED",
    "integrated": "COMPLETED",
    "closed": "COMPLETED",
    "refused": "REFUSED",
    "cancelled_by_patient": "CANCELLED",
    "cancelled_by_hospital": "CANCELLED",
    "lapsed": "CANCELLED",
}
"""A draft that nobody touched is CREATED. What was erased (`purged`) is told no more."""

ENCOUNTER: Final[Mapping[str, str]] = {
    "closed": "finished",
    "cancelled_by_patient": "cancelled",
    "cancelled_by_hospital": "cancelled",
    "lapsed": "cancelled",
}
"""Encounter.status of those states; the others are `planned`, as the guide says: the file is refused, not the stay."""

ASKED: Final[Mapping[tuple[str, str], str]] = {
    ("READY", "IN_PROGRESS"): "ask_again",
    ("READY", "COMPLETED"): "accept",
    ("READY", "REFUSED"): "refuse",
    ("READY", "CANCELLED"): "cancel",
    ("CREATED", "CANCELLED"): "cancel",
    ("IN_PROGRESS", "CANCELLED"): "cancel",
    ("COMPLETED", "CANCELLED"): "cancel",
    ("COMPLETED", "READY"): "reopen",
    ("IN_PROGRESS", "READY"): "reopen",
    ("IN_PROGRESS", "COMPLETED"): "accept",
}
"""Where it is, what the hospital's system says → the gesture of an agent that brings it there. A file in progress is
the patient's: only one that was sent back may be taken again, or accepted because the paper came to the desk."""


def code_of(state: str, *, begun: bool) -> str:
    """The status of a state. begun: the patient has written something. KeyError for what was erased."""
    return "CREATED" if state == "draft" and not begun else OF_STATE[state]


def states_of(code: str) -> tuple[str, ...]:
    """Our states under a status; a draft is under two of them."""
    found = tuple(state for state, known in OF_STATE.items() if known == code)
    return ("draft",) if code == "CREATED" else found


def gesture(now: str, asked: str) -> str | None:
    """What to do to get from one status to another: "" when it is there already, None when it cannot be."""
    return "" if now == asked else ASKED.get((now, asked))
