"""The life of a question about a bill: allowed changes as data. Each change is one immutable row."""

from collections.abc import Mapping

OPEN, ANSWERED, CLOSED = "open", "answered", "closed"
STATES = (OPEN, ANSWERED, CLOSED)
"""open: the hospital owes an answer. answered: it has answered, the payer may go on. closed: for good."""

KINDS = ("question", "unclear", "dispute", "paid", "instalments")
"""A question, I do not understand, I dispute the amount, I have already paid, I cannot pay at once."""

HOLDS_REMINDERS = ("dispute", "paid", "instalments")
"""Whoever says so is not reminded of the bill before the thread is closed; of another question, before its answer."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({OPEN}),
    OPEN: frozenset({ANSWERED, CLOSED}),
    ANSWERED: frozenset({OPEN, CLOSED}),
    CLOSED: frozenset(),
}

CLOSED_BECAUSE = ("settled", "withdrawn", "silent")
"""By the hospital, by whoever asked, by nobody: a month without a word after an answer."""


class NotAllowed(Exception):
    """A question in this state cannot go to that one."""


def check(before: str, after: str) -> None:
    """Raises NotAllowed when the change is not in the table."""
    if after not in TRANSITIONS[before]:
        raise NotAllowed(f"{before} → {after}")
