"""What Stripe says of a dispute, and the entries that follow. A dispute never makes a bill unpaid by itself."""

from collections.abc import Collection
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db
from portal.db import session
from portal.gateways.payments import stripe_account
from portal.gateways.payments.means import CURRENCY
from portal.gateways.payments.stripe_account import Movement
from services.billing.disputes import queries
from services.billing.disputes.models import Dispute, DisputeChange
from services.billing.ledger import payments as ledger
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import DISPUTES, FEES, LedgerEntry, LedgerLine
from services.billing.models import Bill, PaymentAttempt

log = structlog.get_logger(__name__)


class UnknownDispute(Exception):
    """No such dispute at these hospitals."""


def open_dispute(places: Collection[UUID], dispute_id: UUID) -> Dispute:
    """Show one dispute to an agent. Raises UnknownDispute."""
    found = queries.one_at(places, dispute_id)
    if found is None:
        raise UnknownDispute(dispute_id)
    _record("dispute.opened", found)
    return found


def hear(establishment_id: UUID, account: str, told: stripe_account.Dispute) -> Dispute:
    """Draw the consequences of a dispute as Stripe tells it now; news may come twice and in any order.

    account: as in `clearing:stripe:<account>`. Only the movements that Stripe names are written down.
    """
    payment = ledger.payment_numbered("stripe", told.payment_ref)
    if payment is not None and payment.attempt_id is not None:
        # Whoever gives money of this payment back takes turns with us.
        session.execute(
            select(PaymentAttempt.id).where(PaymentAttempt.id == payment.attempt_id).with_for_update(key_share=True)
        )
    dispute = _kept(establishment_id, account, told, payment)
    for movement in told.movements:
        if movement.currency == CURRENCY:
            _book(dispute, movement)
        else:  # the ledger counts cents of euros alone
            log.error("dispute.of_another_currency", psp_ref=told.psp_ref, currency=movement.currency)
    return dispute


def _kept(establishment_id: UUID, account: str, told: stripe_account.Dispute, payment: LedgerEntry | None) -> Dispute:
    """Its row, as Stripe tells it now."""
    gate = upsert(Dispute).values(
        id=uuid4(),
        establishment_id=establishment_id,
        psp="stripe",
        psp_ref=told.psp_ref,
        account=account,
        payment_ref=told.payment_ref,
        amount_cents=told.amount_cents,
        reason=told.reason,
        state="",
    )
    session.execute(gate.on_conflict_do_nothing(index_elements=["psp_ref"]))
    dispute = queries.by_ref(told.psp_ref)
    assert dispute is not None, "it was there, or has just been written"
    session.refresh(dispute)
    dispute.entry_id = payment.id if payment else dispute.entry_id
    dispute.reason, dispute.respond_by = told.reason, told.respond_by or dispute.respond_by
    if dispute.state != told.state:
        before, dispute.state, dispute.state_at = dispute.state, told.state, db.now()
        session.flush()
        session.execute(
            insert(DisputeChange)
            .inline()
            .values(
                id=uuid4(),
                dispute_id=dispute.id,
                establishment_id=establishment_id,
                before=before,
                after=told.state,
                actor=db.current_actor().label,
            )
        )
        _record("dispute.heard" if before else "dispute.begun", dispute, state=told.state)
        if payment is None:
            log.warning("dispute.of_unknown_payment", psp_ref=told.psp_ref)
    return dispute


def _record(action: str, dispute: Dispute, **details: str) -> None:
    bill = session.scalar(select(Bill).where(Bill.id == _first_bill(dispute))) if dispute.entry_id else None
    audit.record(
        action,
        patient_id=bill.patient_id if bill else None,
        establishment_id=dispute.establishment_id,
        object_kind="bill",
        object_id=bill.id if bill else None,
        dispute=dispute.psp_ref,
        **details,
    )


def _first_bill(dispute: Dispute) -> UUID | None:
    return session.scalar(
        select(LedgerLine.bill_id)
        .where(LedgerLine.entry_id == dispute.entry_id, LedgerLine.bill_id.is_not(None))
        .order_by(LedgerLine.bill_id)
        .limit(1)
    )


# -- money -------------------------------------------------------------------------------------------------------


def _book(dispute: Dispute, movement: Movement) -> None:
    """Money taken (below zero) or given back, and Stripe's fee for it, each an entry of its own."""
    clearing = f"clearing:stripe:{dispute.account}"
    if movement.amount_cents < 0:
        cents = -movement.amount_cents
        sides = [*_of_bills(dispute, cents), Side(clearing, credit=cents)]
        _post(dispute, "dispute", movement, sides, dispute.entry_id)
    elif movement.amount_cents > 0:
        taken = next((each for each in queries.entries_of(dispute.psp_ref) if each.kind == "dispute"), None)
        cents = movement.amount_cents
        sides = [Side(each.account, credit=each.debit, bill_id=each.bill_id) for each in _of_bills(dispute, cents)]
        _post(dispute, "dispute_won", movement, [Side(clearing, debit=cents), *sides], taken.id if taken else None)
    if movement.fee_cents > 0:
        fee = movement.fee_cents
        _post(dispute, "dispute_fee", movement, [Side(FEES, debit=fee), Side(clearing, credit=fee)], None)


def _of_bills(dispute: Dispute, cents: int) -> list[Side]:
    """The bills whose payment is disputed, each up to its share; `disputes` tells what became of a bill's money
    without making it unpaid."""
    sides, left = list[Side](), cents
    for bill_id, share in _shares(dispute).items():
        if taken := min(share, left):
            sides.append(Side(DISPUTES, debit=taken, bill_id=bill_id))
            left -= taken
    return [*sides, Side(DISPUTES, debit=left)] if left else sides


def _shares(dispute: Dispute) -> dict[UUID, int]:
    if dispute.entry_id is None:
        return {}
    rows = session.execute(
        select(LedgerLine.bill_id, func.sum(LedgerLine.credit_cents))
        .where(LedgerLine.entry_id == dispute.entry_id, LedgerLine.bill_id.is_not(None))
        .group_by(LedgerLine.bill_id)
        .order_by(LedgerLine.bill_id)
    ).all()
    return {bill_id: int(cents) for bill_id, cents in rows if bill_id is not None}


def _post(dispute: Dispute, kind: str, movement: Movement, sides: list[Side], undoes_id: UUID | None) -> None:
    payment = session.get(LedgerEntry, dispute.entry_id) if dispute.entry_id else None
    written = post(
        Posting(
            establishment_id=dispute.establishment_id,
            psp="stripe",
            psp_ref=dispute.psp_ref,
            kind=kind,
            account=dispute.account,
            sides=sides,
            attempt_id=payment.attempt_id if payment else None,
            undoes_id=undoes_id,
            means=payment.means if payment else "",
            bill_source=payment.bill_source if payment else "",
            is_test=bool(payment and payment.is_test),
            moved_at=movement.created_at,
        )
    )
    if written is not None:
        _record("dispute.booked", dispute, kind=kind)
