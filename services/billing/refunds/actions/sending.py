"""A refund on its way to a provider, and what the provider says of it, at once or weeks later.

The key is stored, and committed, before the provider hears of it. What nobody heard the end of is looked for under
that key before anything is sent again (payments.md of the project's field notes, 4: idempotency).
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog

from portal import db
from portal.db import session
from services.billing.ledger import payments as ledger
from services.billing.models import PaymentAttempt
from services.billing.refunds import queries, states
from services.billing.refunds.actions.booking import book, book_back
from services.billing.refunds.actions.traces import hold_bills, hold_payment, locked, move, record, trace
from services.billing.refunds.models import Refund

log = structlog.get_logger(__name__)

_SAID = {"pending": "under_way", "done": "done", "failed": "failed", "cancelled": "cancelled"}
"""Everybody's words for a provider's answer (`portal.gateways.payments.means.Refund`) as states."""


@dataclass(frozen=True)
class Order:
    """What to ask of a provider. look_first: it may have heard of it. may_send: whether its key still lives."""

    refund_id: UUID
    establishment_id: UUID
    psp: str
    account: str
    mode: str
    payment: str
    amount_cents: int
    key: str
    look_first: bool
    may_send: bool


def begin(refund_id: UUID) -> Order | None:
    """Write down that a provider is about to be asked; None when there is nothing to send now."""
    refund, now = locked(refund_id), db.now()
    interrupted = refund.state == "sending" and now >= refund.state_at + states.LOST_AFTER
    if refund.is_by_transfer or (refund.state not in ("approved", "unknown") and not interrupted):
        return None
    heard_before = refund.state != "approved"
    if interrupted:
        move(refund, "unknown", "interrupted")
    move(refund, "sending")
    first = refund.first_sent_at = refund.first_sent_at or now
    record("refund.sent", refund)
    return _order(refund, heard_before, now - first)


def _order(refund: Refund, look_first: bool, age: timedelta) -> Order:
    entry = refund.entry
    attempt = session.get(PaymentAttempt, entry.attempt_id) if entry.attempt_id else None
    return Order(
        refund_id=refund.id,
        establishment_id=refund.establishment_id,
        psp=refund.psp,
        account=entry.account,
        mode=attempt.mode if attempt else "",
        payment=entry.number,
        amount_cents=refund.amount_cents,
        key=refund.key,
        look_first=look_first,
        may_send=age < states.SAME_KEY_FOR,
    )


def put_back(refund_id: UUID) -> None:
    """Nothing was sent: the provider is away. It will be tried again with the same key."""
    refund = locked(refund_id)
    if refund.state == "sending":
        move(refund, "approved", "away")
        record("refund.put_back", refund)


def record_unknown(refund_id: UUID) -> None:
    """It was sent and nobody heard the answer."""
    refund = locked(refund_id)
    if refund.state == "sending":
        move(refund, "unknown")
        record("refund.unheard", refund)


def refused(refund_id: UUID, code: str) -> None:
    """The provider says no: nothing left."""
    refund = locked(refund_id)
    if refund.state == "sending":
        refund.failure = code
        move(refund, "failed", code)
        record("refund.failed", refund, code=code)


def lose(refund_id: UUID) -> None:
    """Its key is too old to be sent again, and the provider has never heard of it: nothing left."""
    refused(refund_id, "lost")


def hear(refund_id: UUID, psp_ref: str, told: str, failure: str = "", *, has_left: bool = False) -> str:
    """Draw the consequences of what the provider says of a refund; returns its state.

    told: pending, done, failed, cancelled. has_left: the provider names the movement of the money, though it came
    back since. News may come twice, late and in any order.
    """
    refund = locked(refund_id)
    if refund.psp_ref is None:
        refund.psp_ref = psp_ref
    elif refund.psp_ref != psp_ref:
        log.error("refund.two_names", refund_id=str(refund_id))
        return refund.state
    after = _SAID[told]
    if after in states.OVER:
        refund.failure = failure or refund.failure
    before = refund.state
    if states.allowed(before, after):
        move(refund, after, failure)
    if has_left or after not in states.OVER:
        book(refund)
    if after in states.OVER:
        if before != refund.state:
            record("refund.failed", refund, code=failure)
        book_back(refund, failure)
    return refund.state


def adopt(psp: str, payment: str, psp_ref: str, amount_cents: int) -> Refund | None:
    """Somebody gave money back at the provider's own site: it left, so it is written down. None when the payment is
    not ours, or not here yet."""
    entry = ledger.payment_numbered(psp, payment)
    if entry is None:
        log.warning("refund.of_unknown_payment", psp=psp, psp_ref=psp_ref)
        return None
    hold_payment(entry)
    holds = queries.shares_of(entry.id)
    hold_bills(list(holds))
    if (known := queries.by_provider(psp, psp_ref)) is not None:
        return known
    refund = Refund(
        id=uuid4(), establishment_id=entry.establishment_id, bill_id=next(iter(holds)), entry_id=entry.id, psp=psp,
        psp_ref=psp_ref, amount_cents=amount_cents, reason="at_provider", note="", state="under_way",
    )  # fmt: skip
    session.add(refund)
    trace(refund, "")
    record("refund.seen_at_provider", refund)
    book(refund, _spread(amount_cents, holds))
    return refund


def _spread(amount_cents: int, holds: dict[UUID, int]) -> dict[UUID, int]:
    """What leaves of each bill: as much as the payment holds of the first, then of the next; whatever exceeds all of
    them is still true, and is the first one's."""
    left, shares = amount_cents, dict[UUID, int]()
    for bill_id, cents in holds.items():
        taken = min(max(cents, 0), left)
        if taken:
            shares[bill_id] = taken
            left -= taken
    if left:
        first = next(iter(holds))
        shares[first] = shares.get(first, 0) + left
    return shares
