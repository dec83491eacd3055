"""A receipt, and what it says of each bill."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, select
from sqlalchemy.orm import joinedload

from portal.db import session
from services.billing.ledger.models import PAYERS, LedgerEntry, LedgerLine
from services.billing.models import Bill, Receipt


@dataclass(frozen=True)
class Proof:
    """A receipt and its bills, each with what was paid of it in cents, in the order of their references.

    is_rejected: the bank gave the debit order back, and the receipt holds no longer.
    """

    receipt: Receipt
    shares: Sequence[tuple[Bill, int]]
    is_rejected: bool

    @property
    def bill(self) -> Bill:
        return self.shares[0][0]

    @property
    def entry(self) -> LedgerEntry:
        return self.receipt.entry


def proof_of_patient(patient_id: UUID, receipt_id: UUID) -> Proof | None:
    """One of the patient's receipts."""
    found = _proof(Receipt.id == receipt_id)
    return found if found and all(bill.patient_id == patient_id for bill, _cents in found.shares) else None


def proof_of_bills(bill_ids: Collection[UUID], receipt_id: UUID) -> Proof | None:
    """A receipt about these bills alone; for a payer without an account, in a system job."""
    found = _proof(Receipt.id == receipt_id)
    return found if found and all(bill.id in bill_ids for bill, _cents in found.shares) else None


def proof_at(places: Collection[UUID], receipt_id: UUID) -> Proof | None:
    """A receipt of one of these hospitals."""
    return _proof((Receipt.id == receipt_id) & Receipt.establishment_id.in_(places))


def proof_by_code(number: str, code: str) -> Proof | None:
    """The receipt that bears this number and code; for the public page's system job."""
    found = _proof(Receipt.code == code)
    return found if found and found.receipt.label == number else None


def _proof(condition: ColumnElement[bool]) -> Proof | None:
    receipt = session.scalar(
        select(Receipt).options(joinedload(Receipt.entry), joinedload(Receipt.establishment)).where(condition)
    )
    shares = _shares(receipt.entry_id) if receipt else []
    if receipt is None or not shares:  # whoever sees no bill of it has no business with the receipt
        return None
    rejection = select(LedgerEntry.id).where(LedgerEntry.undoes_id == receipt.entry_id, LedgerEntry.kind == "rejection")
    return Proof(receipt, shares, session.scalars(rejection).first() is not None)


def _shares(entry_id: UUID) -> list[tuple[Bill, int]]:
    paid = (
        select(LedgerLine.bill_id, cast(func.sum(LedgerLine.credit_cents), BigInteger).label("cents"))
        .where(LedgerLine.entry_id == entry_id, LedgerLine.account.in_(PAYERS))
        .group_by(LedgerLine.bill_id)
        .subquery()
    )
    rows = session.execute(
        select(Bill, paid.c.cents)
        .join(paid, paid.c.bill_id == Bill.id)
        .options(joinedload(Bill.establishment), joinedload(Bill.patient))
        .order_by(Bill.reference, Bill.id)
    )
    return [(bill, cents) for bill, cents in rows]
