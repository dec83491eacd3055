"""Who may have money given back: one person below the hospital's threshold, two above it."""

from collections.abc import Collection
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError

from portal import db, jobs
from portal.db import session
from services.billing import queries as billing
from services.billing.disputes import queries as disputes
from services.billing.ledger.models import LedgerEntry
from services.billing.refunds import queries
from services.billing.refunds.actions.facts import NotRefundable, SamePerson, TooLate, UnknownRefund
from services.billing.refunds.actions.traces import hold_bills, hold_payment, locked, move, record, trace
from services.billing.refunds.models import TO_CHOOSE, Refund
from services.billing.refunds.queries import Held


def ask(
    places: Collection[UUID],
    entry_id: UUID,
    bill_id: UUID,
    amount_cents: int,
    reason: str,
    note: str = "",
    *,
    by_transfer: bool = False,
) -> Refund:
    """Ask that some of what a payment brought for a bill be given back; it leaves at once below the threshold.

    reason: one of `models.TO_CHOOSE`. note: for colleagues, no word about care. by_transfer: the public accountant
    gives it back though Stripe could, for a card that does not exist any more. Raises UnknownRefund, NotRefundable.
    """
    held = _held(places, entry_id, bill_id)
    if held.obstacle and held.obstacle != "nothing":
        raise NotRefundable(held.obstacle)
    most = held.most_cents[reason] if reason in TO_CHOOSE else 0
    if not 0 < amount_cents <= most:
        raise NotRefundable("too_much" if most else "nothing", most)
    psp = "bank" if by_transfer and held.entry.psp == "stripe" else held.entry.psp
    refund = _written(held.entry, bill_id, psp, amount_cents, reason, note)
    trace(refund, "")
    record("refund.asked", refund, reason=reason)
    if not refund.needs_second:
        _let_go(refund)
    return refund


def _held(places: Collection[UUID], entry_id: UUID, bill_id: UUID) -> Held:
    """The payment as it is once everybody else has had their turn. Raises UnknownRefund."""
    entry = session.get(LedgerEntry, entry_id)
    if entry is None or entry.establishment_id not in places:
        raise UnknownRefund(entry_id)
    hold_payment(entry)
    hold_bills([bill_id])
    found = billing.one_at(places, bill_id)
    held = next((each for each in queries.held_of(found) if each.entry.id == entry_id), None) if found else None
    if held is None:
        raise UnknownRefund(bill_id)
    return held


def _written(entry: LedgerEntry, bill_id: UUID, psp: str, amount_cents: int, reason: str, note: str) -> Refund:
    actor = db.current_actor()
    # What was given back already counts: three small refunds are one large one.
    in_all = amount_cents + queries.given_back_cents(entry.id)
    refund = Refund(
        id=uuid4(),
        establishment_id=entry.establishment_id,
        bill_id=bill_id,
        entry_id=entry.id,
        psp=psp,
        amount_cents=amount_cents,
        reason=reason,
        note=note,
        state="asked",
        needs_second=in_all >= queries.threshold_cents(entry.establishment_id),
        asked_by=actor.account_id,
        asked_by_name=actor.name,
    )
    try:
        with session.begin_nested():
            session.add(refund)
    except IntegrityError as refused:
        if "does not hold so much" not in str(refused.orig):
            raise
        raise NotRefundable("too_much") from refused
    return refund


def approve(places: Collection[UUID], refund_id: UUID) -> Refund:
    """The second person agrees: it leaves. Raises UnknownRefund, SamePerson, TooLate, NotRefundable (disputed,
    too_much)."""
    refund, actor = locked(refund_id, places), db.current_actor()
    if refund.state != "asked":
        raise TooLate(refund.state)
    if actor.account_id is None or actor.account_id == refund.asked_by:
        raise SamePerson
    if disputes.disputed([refund.entry_id]):
        raise NotRefundable("disputed")
    if not queries.is_still_owed(refund):
        raise NotRefundable("too_much")
    refund.approved_by, refund.approved_by_name, refund.approved_at = actor.account_id, actor.name, db.now()
    record("refund.approved", refund)
    _let_go(refund)
    return refund


def cancel(places: Collection[UUID], refund_id: UUID) -> Refund:
    """Anybody with the right gives up a refund that has not left. Raises UnknownRefund, TooLate."""
    refund = locked(refund_id, places)
    move(refund, "cancelled")
    record("refund.cancelled", refund)
    return refund


def _let_go(refund: Refund) -> None:
    """Nothing is missing any more: a provider is told soon; for PayFiP, the accountant's transfer is waited for."""
    move(refund, "approved")
    if refund.reason == "cancelled_care":
        _close_bill(refund)
    if not refund.is_by_transfer:
        jobs.enqueue("billing.send_refund", refund_id=str(refund.id))


def _close_bill(refund: Refund) -> None:
    """Nothing is due any more: all that came in is to be given back, and nobody is asked to pay again."""
    bill = refund.bill
    if not bill.closed_reason:
        bill.closed_reason, bill.closed_at = "cancelled", db.now()
        record("bill.closed", refund, reason="cancelled")
