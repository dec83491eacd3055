"""The life of a request: allowed changes as data. Each change is one immutable row, and says what the clock does."""

from collections.abc import Mapping
from datetime import date

from services.documents.requests import clock
from services.documents.requests.clock import Clock, Term

DRAFT, RECEIVED, HANDLED, MISSING = "draft", "received", "handled", "missing"
ANSWERED, REFUSED, CANCELLED = "answered", "refused", "cancelled"
STATES = (DRAFT, RECEIVED, HANDLED, MISSING, ANSWERED, REFUSED, CANCELLED)
"""missing: the hospital waits for something of the applicant."""
RUNNING = (RECEIVED, HANDLED)
OPEN = (RECEIVED, HANDLED, MISSING)
CLOSED = (ANSWERED, REFUSED, CANCELLED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({DRAFT}),
    DRAFT: frozenset({RECEIVED}),
    RECEIVED: frozenset({HANDLED, MISSING, ANSWERED, REFUSED, CANCELLED}),
    HANDLED: frozenset({RECEIVED, MISSING, ANSWERED, REFUSED, CANCELLED}),
    MISSING: frozenset({RECEIVED, HANDLED, REFUSED, CANCELLED}),
    ANSWERED: frozenset({RECEIVED}),
    REFUSED: frozenset({RECEIVED}),
    CANCELLED: frozenset({RECEIVED}),
}


class NotAllowed(Exception):
    """A request in this state cannot go to that one."""


def check(before: str, after: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if after not in TRANSITIONS[before]:
        raise NotAllowed(f"{before} → {after}")


def clock_after(before: Clock, after: str, today: date, term: Term, rules: str, *, restarts: bool) -> Clock:
    """What a change of state does to the clock: it runs while the hospital owes an answer, waits while the applicant
    owes something, and is over when nobody owes anything."""
    if after in RUNNING:
        return clock.resumed(before, today, term, rules, restarts=restarts)
    if after == MISSING:
        return clock.paused(before, today)
    return Clock()
