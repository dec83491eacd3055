"""The entries of a refund: what left, and what came back. Each is written once, whoever brings the news."""

from datetime import UTC, datetime, time
from uuid import UUID

from portal import jobs
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import BANK, OVERPAID, RECEIVABLE, LedgerEntry
from services.billing.refunds import queries
from services.billing.refunds.actions.traces import record
from services.billing.refunds.models import Refund


def book(refund: Refund, shares: dict[UUID, int] | None = None) -> None:
    """The money has left. shares: what leaves of each bill, when it is not of the refund's bill alone."""
    payment = refund.entry
    sides = [side for bill_id, cents in (shares or {refund.bill_id: refund.amount_cents}).items()
             for side in _of_bill(bill_id, cents)]  # fmt: skip
    sides.append(Side(_from_account(refund, payment), credit=refund.amount_cents))
    if post(_posting(refund, payment, "refund", sides, payment.id)) is None:
        return
    record("refund.booked", refund)
    jobs.enqueue("billing.tell_of_refund", refund_id=str(refund.id))


def book_back(refund: Refund, code: str = "") -> None:
    """What had left came back: the very sides of the entry, turned round. Nothing, when nothing had left."""
    left = queries.entry_of(refund)
    if left is None:
        return
    sides = [Side(line.account, debit=line.credit_cents, credit=line.debit_cents, bill_id=line.bill_id)
             for line in left.lines]  # fmt: skip
    if post(_posting(refund, refund.entry, "refund_failed", sides, left.id)) is not None:
        record("refund.came_back", refund, code=code)


def _of_bill(bill_id: UUID, cents: int) -> list[Side]:
    """First out of what was held apart as too much; the rest, out of what had been paid."""
    apart = min(max(queries.balance_cents(bill_id, OVERPAID), 0), cents)
    sides = [Side(OVERPAID, debit=apart, bill_id=bill_id)] if apart else []
    return [*sides, Side(RECEIVABLE, debit=cents - apart, bill_id=bill_id)] if cents > apart else sides


def _from_account(refund: Refund, payment: LedgerEntry) -> str:
    return BANK if refund.is_by_transfer else f"clearing:{refund.psp}:{payment.account}"


def _posting(refund: Refund, payment: LedgerEntry, kind: str, sides: list[Side], undoes_id: UUID) -> Posting:
    moved_on = refund.moved_on if kind == "refund" else None
    return Posting(
        establishment_id=refund.establishment_id,
        psp=refund.psp,
        psp_ref=queries.reference_of(refund),
        kind=kind,
        account=payment.account,
        sides=sides,
        attempt_id=payment.attempt_id,
        undoes_id=undoes_id,
        means=payment.means,
        bill_source=payment.bill_source,
        is_test=payment.is_test,
        note=refund.accountant_ref,
        moved_at=datetime.combine(moved_on, time(12), UTC) if moved_on else None,
    )
