"""The life of an appointment: allowed changes as data, and why one is cancelled. Each change is one immutable row."""

from collections.abc import Mapping

BOOKED = "booked"
CANCELLED = "cancelled"
STATES = (BOOKED, CANCELLED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({BOOKED}),
    BOOKED: frozenset({CANCELLED}),
    CANCELLED: frozenset(),
}

CHANNELS = ("web", "phone")

# Codes, never free text: a reason typed by hand would hold health data.
CANCELLED_BY_PATIENT = ("unavailable", "not_needed", "seen_elsewhere", "other")
CANCELLED_BY_HOSPITAL = ("patient_asked", "practitioner_absent", "unit_closed", "entered_by_mistake")


class NotAllowed(Exception):
    """An appointment in this state cannot go to that one."""


def check(from_state: str, to_state: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in TRANSITIONS[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
