"""A receipt, and what it says of each bill; the certificate that a bill is paid in full."""

import base64
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, exists, func, select
from sqlalchemy.orm import aliased, joinedload

from auth.identity import sealing
from portal import db
from portal.db import session
from services.billing import queries as bills
from services.billing.ledger.models import PAYERS, LedgerEntry, LedgerLine
from services.billing.models import Bill, Receipt
from services.billing.queries import Standing


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


# -- the certificate for a complementary insurance ---------------------------------------------------------------

_DEBIT_HOLDS_AFTER = timedelta(days=10)
"""A debit order that the bank has not given back by then is taken to be paid (SEPA rulebook: five business days)."""


@dataclass(frozen=True)
class Attestation:
    """That a régie's bill is paid in full. receipt: of the payment that left nothing to pay.

    holds: whether it is still so: the bank may give a debit back, the hospital may change the bill.
    """

    bill: Bill
    receipt: Receipt
    holds: bool

    @property
    def label(self) -> str:
        """Its number, made of the receipt's: `A2026-000042`."""
        return f"A{self.receipt.label}"

    @property
    def printed_code(self) -> str:
        code = _attestation_codes(self.bill, self.receipt)[0]
        return f"{code[:5]}-{code[5:]}"

    @property
    def is_test(self) -> bool:
        return self.receipt.entry.is_test


def attestation_of(found: Standing) -> Attestation | None:
    """What certifies that this bill is paid; None when it is not, when a debit may still be given back, when nothing
    came in here, or when it is a titre: the Treasury certifies those."""
    receipt = _last_receipt(found.bill.id)
    if found.bill.source == "titre" or receipt is None or not _is_paid(found, receipt):
        return None
    return Attestation(found.bill, receipt, holds=True)


def debit_has_gone(found: Standing) -> bool:
    """Whether an accepted debit order has left the payer's account for good, as far as one may tell by its age."""
    if found.state != "debit_accepted":
        return False
    receipt = _last_receipt(found.bill.id)
    return receipt is not None and _is_paid(found, receipt)


def attestation_by_code(number: str, code: str) -> Attestation | None:
    """The certificate that bears this number and code, whether or not it still holds; for the public page's job."""
    wanted = number_of_attestation(number)
    if wanted is None:
        return None
    year, rank = wanted
    found = session.scalars(
        select(Receipt)
        .options(joinedload(Receipt.entry), joinedload(Receipt.establishment))
        .where(Receipt.year == year, Receipt.number == rank)
    ).all()
    for receipt in found:
        for bill, _cents in _shares(receipt.entry_id):
            if sealing.one_of(code, _attestation_codes(bill, receipt)):
                return Attestation(bill, receipt, _is_paid(bills.standing(bill.id), receipt))
    return None


def number_of_attestation(text: str) -> tuple[int, int] | None:
    """`A2026-000042` → the year and the number of its receipt."""
    year, _, rank = text[1:].partition("-")
    if text[:1] not in ("A", "a") or not (_is_number(year, 4) and _is_number(rank, 9)):
        return None
    return int(year), int(rank)


def _is_number(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isascii() and text.isdecimal()


def _is_paid(found: Standing, receipt: Receipt) -> bool:
    if found.state == "debit_accepted":
        entry = receipt.entry
        return (entry.moved_at or entry.booked_at) <= db.now() - _DEBIT_HOLDS_AFTER
    return found.state in ("paid", "overpaid") and not found.bill.closed_reason


def _attestation_codes(bill: Bill, receipt: Receipt) -> list[str]:
    """What proves that it is ours: ten signs that nobody else can make, and others once the bill is changed. One for
    each of the portal's secrets; the first is printed."""
    made = sealing.digests("bill attestation", f"{bill.id} {receipt.id} {bill.total_cents} {bill.due_cents}")
    return [base64.b32encode(each).decode()[:10] for each in made]


def _last_receipt(bill_id: UUID) -> Receipt | None:
    """Of the newest payment that the bank has not given back."""
    undone = aliased(LedgerEntry)
    of_bill = select(LedgerLine.entry_id).where(LedgerLine.bill_id == bill_id, LedgerLine.account.in_(PAYERS))
    kept = ~exists().where(undone.undoes_id == Receipt.entry_id, undone.kind == "rejection")
    return session.scalar(
        select(Receipt)
        .options(joinedload(Receipt.entry), joinedload(Receipt.establishment))
        .where(Receipt.entry_id.in_(of_bill), kept)
        .order_by(Receipt.issued_at.desc(), Receipt.number.desc())
        .limit(1)
    )
