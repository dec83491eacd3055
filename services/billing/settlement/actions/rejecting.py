"""A debit order that the bank gave back: an entry of its own, which reopens what it had paid."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import audit, kpi, notifications
from portal.db import session
from services.billing import queries
from services.billing.actions import UnknownBill
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import MEMO, OVERPAID, RECEIVABLE, LedgerEntry, LedgerLine
from services.billing.models import Bill, PaymentAttempt
from services.billing.settlement import mails


class NotRejectable(Exception):
    """No bank gives this payment back: it is no debit order, or was given back already. `reason`: not_a_debit,
    already, amount."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def reject_at(places: Collection[UUID], bill_id: UUID, entry_id: UUID, note: str) -> None:
    """An agent records that the bank gave back a debit order that had paid this bill.

    note: the accountant's reference. Raises UnknownBill, NotRejectable.
    """
    entry = next((each for each in queries.entries_of_bill(bill_id) if each.id == entry_id), None)
    if entry is None or entry.establishment_id not in places:
        raise UnknownBill(bill_id)
    reject(entry, note)


def reject(payment: LedgerEntry, note: str, amount_cents: int | None = None) -> None:
    """Write that the bank gave this debit order back; once, however often it is told. note: who says so.

    amount_cents: what was given back, when the messenger tells it: all of it, or nothing is believed. Raises
    NotRejectable.
    """
    if payment.kind != "payment" or payment.means != "direct_debit":
        raise NotRejectable("not_a_debit")
    if amount_cents not in (None, payment.amount_cents):
        raise NotRejectable("amount")
    bills = _hold(payment)
    if post(_posting(payment, note)) is None:
        raise NotRejectable("already")
    for bill in bills:
        audit.record(
            "payment.rejected",
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            object_kind="bill",
            object_id=bill.id,
            note=note,
        )
    kpi.count(
        "payment_rejected", establishment_id=payment.establishment_id, channel=payment.psp,
        quantity=payment.amount_cents,
    )  # fmt: skip
    _tell_payer(payment, bills)


def _posting(payment: LedgerEntry, note: str) -> Posting:
    return Posting(
        establishment_id=payment.establishment_id,
        psp=payment.psp,
        psp_ref=payment.psp_ref,
        kind="rejection",
        account=payment.account,
        sides=_sides(payment),
        attempt_id=payment.attempt_id,
        undoes_id=payment.id,
        means=payment.means,
        bill_source=payment.bill_source,
        number=payment.number,
        is_memo=payment.is_memo,
        is_test=payment.is_test,
        note=note,
    )


def _hold(payment: LedgerEntry) -> Sequence[Bill]:
    """The attempt, then its bills by id: the order of all who move money."""
    if payment.attempt_id is not None:
        session.get(PaymentAttempt, payment.attempt_id, with_for_update={"key_share": True})
    of_payment = select(LedgerLine.bill_id).where(LedgerLine.entry_id == payment.id)
    return session.scalars(
        select(Bill).where(Bill.id.in_(of_payment)).order_by(Bill.id).with_for_update(key_share=True)
    ).all()


def _sides(payment: LedgerEntry) -> list[Side]:
    """The payment taken back: first what its bills hold beyond what is due, then what they had stopped owing."""
    memo = MEMO if payment.is_memo else ""
    clearing = f"{memo}clearing:{payment.psp}:{payment.account}"
    sides = []
    for bill_id, cents in _shares(payment):
        spare = 0 if memo else min(cents, max(_overpaid(bill_id), 0))
        if spare:
            sides.append(Side(OVERPAID, debit=spare, bill_id=bill_id))
        if cents > spare:
            sides.append(Side(f"{memo}{RECEIVABLE}", debit=cents - spare, bill_id=bill_id))
    return [*sides, Side(clearing, credit=payment.amount_cents)]


def _shares(payment: LedgerEntry) -> Sequence[tuple[UUID, int]]:
    line = LedgerLine
    rows = session.execute(
        select(line.bill_id, cast(func.sum(line.credit_cents), BigInteger))
        .where(line.entry_id == payment.id, line.bill_id.is_not(None), line.credit_cents > 0)
        .group_by(line.bill_id)
        .order_by(line.bill_id)
    )
    return [(bill_id, cents) for bill_id, cents in rows if bill_id is not None]


def _overpaid(bill_id: UUID) -> int:
    held = cast(func.coalesce(func.sum(LedgerLine.credit_cents - LedgerLine.debit_cents), 0), BigInteger)
    return session.scalar(select(held).where(LedgerLine.bill_id == bill_id, LedgerLine.account == OVERPAID)) or 0


def _tell_payer(payment: LedgerEntry, bills: Sequence[Bill]) -> None:
    """Whoever had paid: an account while it may see the bill, or the address given for the payment."""
    attempt = session.get(PaymentAttempt, payment.attempt_id) if payment.attempt_id else None
    if attempt is None or not bills:
        return
    bill, to = bills[0], Address(attempt.email)
    if attempt.account_id is not None and bill.patient_id is not None:
        found = mandates.address_for(
            bill.patient_id, "payment", masked=bill.masked, account_id=attempt.account_id, email=attempt.email
        )
        if found is None:
            return
        to = found
    if to.email:
        notifications.tell(
            mails.debit_given_back(bill.id if attempt.account_id else None),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            locale=attempt.locale,
        )
