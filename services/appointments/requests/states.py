"""The life of a request for an appointment: allowed changes as data. Each change is one immutable row."""

from collections.abc import Mapping

SENT = "sent"
HANDLED = "handled"
MORE_ASKED = "more_asked"
PROPOSED = "proposed"
ACCEPTED = "accepted"
REFUSED = "refused"
WITHDRAWN = "withdrawn"
EXPIRED = "expired"

TO_ANSWER = (SENT, HANDLED)
"""The hospital's clock runs."""
WITH_PATIENT = (MORE_ASKED, PROPOSED)
"""The patient's turn."""
OPEN = (*TO_ANSWER, *WITH_PATIENT)
CLOSED = (ACCEPTED, REFUSED, WITHDRAWN, EXPIRED)
STATES = (*OPEN, *CLOSED)

_ANYTIME = frozenset({SENT, MORE_ASKED, PROPOSED, ACCEPTED, REFUSED, WITHDRAWN})
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({SENT}),
    SENT: _ANYTIME | {HANDLED},
    HANDLED: _ANYTIME | {HANDLED},
    MORE_ASKED: _ANYTIME | {HANDLED, EXPIRED},
    PROPOSED: _ANYTIME | {HANDLED},
    ACCEPTED: frozenset(),
    REFUSED: frozenset(),
    WITHDRAWN: frozenset(),
    EXPIRED: frozenset(),
}
"""To SENT again: it was given to another unit, where nobody has it in hand yet."""

# Codes, never free text: a reason typed by hand would hold health data.
REFUSED_BECAUSE = (
    "not_here",
    "letter_needed",
    "seen_sooner_elsewhere",
    "not_needed",
    "no_time_soon",
    "already_booked",
    "no_answer",
    "unit_closed",
)
BACK_BECAUSE = ("other_dates", "proposal_expired", "taken_back", "answered", "transferred", "left")
"""Why a request is in the tray again."""


class NotAllowed(Exception):
    """A request in this state cannot go to that one."""


def check(from_state: str, to_state: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if to_state not in TRANSITIONS[from_state]:
        raise NotAllowed(f"{from_state} → {to_state}")
