"""The life of an appointment: allowed changes as data, and why one changes. Each change is one immutable row."""

from collections.abc import Mapping

BOOKED = "booked"
ARRIVED = "arrived"
DONE = "done"
MISSED = "missed"
CANCELLED = "cancelled"
STATES = (BOOKED, ARRIVED, DONE, MISSED, CANCELLED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({BOOKED}),
    BOOKED: frozenset({ARRIVED, DONE, MISSED, CANCELLED}),
    ARRIVED: frozenset({DONE, BOOKED}),
    DONE: frozenset({BOOKED}),
    MISSED: frozenset({BOOKED}),
    CANCELLED: frozenset(),
}
"""What an agent said of a visit may be taken back; a cancellation gave the time to others and may not."""

CHANNELS = ("web", "phone", "city", "walk_in")

# Codes, never free text: a reason typed by hand would hold health data.
CANCELLED_BY_PATIENT = ("unavailable", "not_needed", "seen_elsewhere", "other")
CANCELLED_BY_HOSPITAL = ("patient_asked", "practitioner_absent", "unit_closed", "entered_by_mistake")
MOVED_BY_HOSPITAL = ("patient_asked", "practitioner_absent", "unit_closed", "entered_by_mistake")
MISSED_BECAUSE = ("unknown", "told_late", "hospitalised", "transport", "mistaken_day", "refused_waiting")


class NotAllowed(Exception):
    """An appointment in this state cannot go to that one."""


def check(from_state: str, to_state: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in TRANSITIONS[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
