"""The life of an entry on the list of those who would come earlier. Each change is one immutable row."""

from collections.abc import Mapping

WAITING = "waiting"
SERVED = "served"
LEFT = "left"
ENDED = "ended"
STATES = (WAITING, SERVED, LEFT, ENDED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({WAITING}),
    WAITING: frozenset({WAITING, SERVED, LEFT, ENDED}),
    SERVED: frozenset(),
    LEFT: frozenset(),
    ENDED: frozenset(),
}
"""WAITING to itself: its place in the order was changed by an agent."""

OUTCOMES = ("", "accepted", "declined", "expired", "withdrawn")
"""Of an offer; "" while the patient may still take it."""

FIRST_BECAUSE = ("practitioner_asked", "cancelled_by_hospital", "long_wait")
"""Why an agent puts somebody before the others."""
ENDED_BECAUSE = ("date_passed", "visit_changed", "unit_closed")


class NotAllowed(Exception):
    """An entry in this state cannot go to that one."""


def check(from_state: str, to_state: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in TRANSITIONS[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
