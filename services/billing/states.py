"""States of an attempt to pay, as data, and when its provider is asked about it again. No I/O here.

A provider's "refused", "abandoned" and "not known yet", and our own "expired", are soft: money may still arrive. Only
a payment and an accepted debit order move money, and what is settled never goes back.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from portal.gateways.payments.means import Ending
from services.billing.models import SETTLED

_HEARD = frozenset({"paid", "debit_accepted", "refused", "abandoned", "to_review"})
TRANSITIONS: dict[str, frozenset[str]] = {
    "created": frozenset({"awaiting", "failed"}),
    "awaiting": _HEARD | {"expired"},
    "to_review": _HEARD | {"expired"},
    "refused": _HEARD,
    "abandoned": _HEARD,
    "expired": _HEARD,
    "failed": frozenset(),
    "paid": frozenset(),
    "debit_accepted": frozenset(),
}

OF_ENDING: dict[Ending, str] = {
    Ending.PAID: "paid",
    Ending.DEBIT_ACCEPTED: "debit_accepted",
    Ending.REFUSED: "refused",
    Ending.ABANDONED: "abandoned",
}

ANOTHER_TRY_AFTER = timedelta(minutes=20)
"""Between two attempts on one bill when the first one's result is not known (the delay other portals keep)."""
CREATION_LOST_AFTER = timedelta(minutes=2)
"""An attempt without idop this old was interrupted: nobody knows its idop, nobody can pay it."""
PAGE_OPEN_FOR = timedelta(minutes=45)
"""How long a payment page stays open where we choose; drawn from the attempt, which says the same when sent again."""
FOLLOWED_FOR = timedelta(days=8)
_SOFT_FOLLOWED_FOR = timedelta(minutes=30)
AFTER_TROUBLE = timedelta(minutes=30)
"""PayFiP's guide asks for this pause after a technical error."""
AFTER_LEFT_ALONE = timedelta(minutes=1)
_SPREAD_FROM = timedelta(minutes=10)
_SPREAD, _SPREAD_AFTER_TROUBLE = 10, 3
"""Percent of the wait."""


def allowed(before: str, after: str) -> bool:
    return after in TRANSITIONS[before]


def next_poll_at(state: str, created_at: datetime, state_at: datetime, now: datetime) -> datetime | None:
    """When to ask again about an attempt that PayFiP has just answered for; None to stop asking by ourselves.

    1, 2, 5, 10, 20, 40 minutes after the start, every hour to one day, every day to eight days.
    """
    if state in (*SETTLED, "failed"):
        return None
    if state in ("refused", "abandoned") and now - state_at > _SOFT_FOLLOWED_FOR:
        return None
    return next((created_at + delay for delay in _delays() if created_at + delay > now), None)


def spread(at: datetime | None, now: datetime, key: UUID) -> datetime | None:
    """The same moment a little sooner, up to a tenth of the wait, and always the same for the same attempt: those that
    began together do not all ask in one minute. Short waits are spread by the payers themselves."""
    if at is None or at - now < _SPREAD_FROM:
        return at
    return at - _part(at - now, key, _SPREAD)


def after_trouble(now: datetime, key: UUID) -> datetime:
    """When to ask again after a technical error: never sooner than the guide says, and not all at once."""
    return now + AFTER_TROUBLE + _part(AFTER_TROUBLE, key, _SPREAD_AFTER_TROUBLE)


def _part(wait: timedelta, key: UUID, percent: int) -> timedelta:
    return wait * (key.int % 1000) * percent // (1000 * 100)


def _delays() -> Iterator[timedelta]:
    yield from (timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 40))
    yield from (timedelta(hours=hours) for hours in range(1, 25))
    yield from (timedelta(days=days) for days in range(2, FOLLOWED_FOR.days + 1))
