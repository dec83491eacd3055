"""States of a refund, as data. No I/O here.

approved: it may leave. sending: the key is stored, the provider is being asked. unknown: it was asked and nobody
heard the answer, so it is looked for before anything is sent again. under_way: the provider has taken it and the
money has left. done: the provider, or the public accountant, says that it arrived. failed: nothing left, or what had
left came back, even weeks later. cancelled: an agent or the provider gave it up.
"""

from datetime import timedelta

STATES = ("asked", "approved", "sending", "unknown", "under_way", "done", "failed", "cancelled")
RESERVING = ("asked", "approved", "sending", "unknown")
"""Not in the ledger yet, but kept aside: nobody else may give this money back."""
OVER = ("failed", "cancelled")

_TOLD = frozenset({"under_way", "done", "failed", "cancelled"})
TRANSITIONS: dict[str, frozenset[str]] = {
    "asked": frozenset({"approved", "cancelled"}),
    "approved": frozenset({"sending", "done", "cancelled"}),
    "sending": _TOLD | {"approved", "unknown"},
    "unknown": _TOLD | {"sending"},
    "under_way": frozenset({"done", "failed", "cancelled"}),
    "done": frozenset({"failed"}),
    # A provider may say later that what it had refused has left: money is believed.
    "failed": frozenset({"under_way", "done"}),
    "cancelled": frozenset({"under_way", "done"}),
}

SAME_KEY_FOR = timedelta(hours=23)
"""Stripe keeps a key for 24 hours at least (docs.stripe.com/idempotency): later, the same call would be another one."""
LOST_AFTER = timedelta(minutes=2)
"""A refund that is being sent for this long was interrupted."""


def allowed(before: str, after: str) -> bool:
    return after in TRANSITIONS[before]
