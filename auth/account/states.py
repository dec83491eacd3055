"""The life of a request about one's data: transitions as data, and the legal dates.

GDPR, article 12.3: an answer within one month of receipt, extended by two further months where necessary, the person
being told of the extension and of its reasons within the first month.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date

KINDS = ("rectification", "deletion", "restriction", "opposition")
ANSWERS = ("accepted", "partly", "refused")
CLOSED = (*ANSWERS, "withdrawn")
STATES = ("received", "extended", *CLOSED)

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"received"}),
    "received": frozenset({"extended", *CLOSED}),
    "extended": frozenset(CLOSED),
    **{state: frozenset() for state in CLOSED},
}
BY_THE_PERSON = frozenset({"received", "withdrawn"})
"""The other changes are the hospital's."""
FIRST_MONTHS, FURTHER_MONTHS = 1, 2


class TransitionRefused(Exception):
    """The request is not in a state that allows this change: somebody else changed it, or it is over."""


def check(from_state: str, to_state: str) -> None:
    """Raises TransitionRefused."""
    if to_state not in TRANSITIONS[from_state]:
        raise TransitionRefused(f"{from_state or 'nothing'} to {to_state}")


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day when it has no such day (Regulation 1182/71, art. 3)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
