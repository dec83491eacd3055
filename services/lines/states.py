"""The life of a request to be called back: allowed changes as data."""

from collections.abc import Mapping

ASKED = "asked"
TAKEN = "taken"
DONE = "done"
UNREACHABLE = "unreachable"
WITHDRAWN = "withdrawn"
LAPSED = "lapsed"
OPEN = (ASKED, TAKEN)
STATES = (ASKED, TAKEN, DONE, UNREACHABLE, WITHDRAWN, LAPSED)
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({ASKED}),
    ASKED: frozenset({TAKEN, WITHDRAWN, LAPSED}),
    TAKEN: frozenset({ASKED, TAKEN, DONE, UNREACHABLE, WITHDRAWN, LAPSED}),
    DONE: frozenset(),
    UNREACHABLE: frozenset(),
    WITHDRAWN: frozenset(),
    LAPSED: frozenset(),
}
"""To TAKEN again: by a colleague. To ASKED again: given back, for somebody else to take."""


class NotAllowed(Exception):
    """It cannot go from this state to that one."""


def check(from_state: str, to_state: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in TRANSITIONS[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
