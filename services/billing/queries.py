"""What is read about bills: for a patient, for a hospital's staff, for the jobs. A bill's state is derived here.

`receivable` is the ledger account of what patients owe: credited by a payment, debited by a refund.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, exists, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from auth.models import Account
from portal import db, establishments
from portal.db import session
from portal.gateways.payments import Mode
from services.billing.models import (
    IN_PROGRESS,
    LIVE,
    SETTLED,
    Bill,
    LedgerEntry,
    LedgerLine,
    PaymentAttempt,
    PspExchange,
    Receipt,
)
from services.billing.states import ANOTHER_TRY_AFTER, CREATION_LOST_AFTER

RECEIVABLE = "receivable"
PAGE_SIZE = 50
MIN_ONLINE_CENTS = 100
MAX_ONLINE_CENTS = 9_999_999
"""What PayFiP takes in one payment: from 1 euro to 99 999.99 euros."""


# -- a bill and what the ledger says of it -----------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A bill with its derived state (`models.BILL_STATES`) and the sums of its ledger."""

    bill: Bill
    state: str
    paid_cents: int
    refunded_cents: int

    @property
    def left_cents(self) -> int:
        """What is still to pay, never below zero."""
        return max(self.bill.due_cents - self.paid_cents + self.refunded_cents, 0)


def _sum_of(side: Any, *conditions: ColumnElement[bool]) -> Any:
    # sum() of bigint is numeric, which would come back as a Decimal.
    lines = select(cast(func.coalesce(func.sum(side), 0), BigInteger)).where(
        LedgerLine.bill_id == Bill.id, LedgerLine.account == RECEIVABLE, *conditions
    )
    return lines.correlate(Bill).scalar_subquery()


_PAID = _sum_of(LedgerLine.credit_cents)
_REFUNDED = _sum_of(LedgerLine.debit_cents)
_BY_DEBIT = exists().where(LedgerEntry.bill_id == Bill.id, LedgerEntry.means == "direct_debit").correlate(Bill)
_UNDER_WAY = exists().where(PaymentAttempt.bill_id == Bill.id, PaymentAttempt.state.in_(IN_PROGRESS)).correlate(Bill)
_NET = _PAID - _REFUNDED
_CLOSED = Bill.closed_reason != ""

STATE: Any = case(
    ((Bill.due_cents < _NET) | (_CLOSED & (_NET > 0)), "overpaid"),
    (_CLOSED, "closed_elsewhere"),
    ((Bill.due_cents <= _NET) & _BY_DEBIT, "debit_accepted"),
    (Bill.due_cents <= _NET, "paid"),
    (_UNDER_WAY, "in_progress"),
    (_NET > 0, "partly"),
    else_="open",
)


def _standings(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(Bill, STATE, _PAID, _REFUNDED)
        .options(joinedload(Bill.establishment), joinedload(Bill.patient))
        .where(*conditions)
        .order_by(Bill.issued_on.desc(), Bill.reference, Bill.id)
    )


def _read(query: Select[Any]) -> list[Standing]:
    return [Standing(*row) for row in session.execute(query)]


def _one(*conditions: ColumnElement[bool]) -> Standing | None:
    return next(iter(_read(_standings(*conditions))), None)


def bills_of_patient(patient_id: UUID) -> list[Standing]:
    """The patient's bills, newest first."""
    return _read(_standings(Bill.patient_id == patient_id))


def one_of_patient(patient_id: UUID, bill_id: UUID) -> Standing | None:
    return _one(Bill.id == bill_id, Bill.patient_id == patient_id)


def one_at(places: Collection[UUID], bill_id: UUID) -> Standing | None:
    """A bill of one of these hospitals."""
    return _one(Bill.id == bill_id, Bill.establishment_id.in_(places))


def standing(bill_id: UUID) -> Standing:
    """A bill the actor may see. Raises LookupError."""
    if (found := _one(Bill.id == bill_id)) is None:
        raise LookupError(bill_id)
    return found


def bills_at(places: Collection[UUID], *, state: str = "", reference: str = "", page: int = 1) -> list[Standing]:
    """One page of these hospitals' bills, newest first, and one more row when there is a next page."""
    conditions: list[ColumnElement[bool]] = [Bill.establishment_id.in_(places)]
    if state:
        conditions.append(state == STATE)
    if reference:
        conditions.append(Bill.reference == reference)
    return _read(_standings(*conditions).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1))


def balances(references: Collection[str]) -> Iterator[Standing]:
    """Bills with these references, or every bill, one at a time; for the operator's command."""
    wanted = _standings(Bill.reference.in_(references)) if references else _standings()
    for row in session.execute(wanted.execution_options(yield_per=500)):
        yield Standing(*row)


# -- may it be paid here? ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Till:
    """Where a hospital's online payments go: its PayFiP client number, and test or production."""

    numcli: str
    mode: Mode


def till(establishment_id: UUID) -> Till | None:
    """The hospital's PayFiP settings, or None when it takes no payment online."""
    numcli = establishments.setting(establishment_id, "payfip_numcli")
    mode = establishments.setting(establishment_id, "payfip_saisie")
    return Till(numcli, Mode(mode)) if numcli and mode in set(Mode) else None


def obstacle(found: Standing) -> str:
    """Why this bill cannot be paid online now: "" when it can, else nothing_due, under_way, not_online, amount."""
    if found.state not in ("open", "partly", "in_progress"):
        return "nothing_due"
    if found.bill.source == "private" or till(found.bill.establishment_id) is None:
        return "not_online"
    if not MIN_ONLINE_CENTS <= found.left_cents <= MAX_ONLINE_CENTS:
        return "amount"
    waiting = attempt_under_way(found.bill.id) if found.state == "in_progress" else None
    if waiting and not may_try_again(waiting):
        return "under_way"
    return ""


# -- attempts ----------------------------------------------------------------------------------------------------


def attempts_of_bill(bill_id: UUID) -> Sequence[PaymentAttempt]:
    """Every try at paying the bill, newest first."""
    return session.scalars(
        select(PaymentAttempt).where(PaymentAttempt.bill_id == bill_id).order_by(PaymentAttempt.created_at.desc())
    ).all()


def attempt_under_way(bill_id: UUID) -> PaymentAttempt | None:
    """The newest attempt that may still become a payment any minute."""
    return session.scalar(
        select(PaymentAttempt)
        .where(
            PaymentAttempt.bill_id == bill_id,
            PaymentAttempt.state.in_(IN_PROGRESS),
        )
        .order_by(PaymentAttempt.created_at.desc())
        .limit(1)
    )


def may_try_again(waiting: PaymentAttempt) -> bool:
    """Whether a second attempt may follow this one, whose result is not known."""
    delay = CREATION_LOST_AFTER if waiting.psp_ref is None else ANOTHER_TRY_AFTER
    return waiting.state in LIVE and db.now() >= waiting.created_at + delay


def attempt_by_return_digest(digest: bytes) -> PaymentAttempt | None:
    """The attempt whose payer holds this return token; for a system job."""
    return session.scalar(
        select(PaymentAttempt)
        .options(joinedload(PaymentAttempt.bill).joinedload(Bill.establishment))
        .where(PaymentAttempt.return_digest == digest)
    )


def attempts_due(now: datetime, limit: int) -> Sequence[PaymentAttempt]:
    """Attempts to ask about now, locked; those another worker holds are left to it."""
    return session.scalars(
        select(PaymentAttempt)
        .where(PaymentAttempt.next_poll_at <= now)
        .order_by(PaymentAttempt.next_poll_at)
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    ).all()


def open_attempts(since: datetime) -> Sequence[PaymentAttempt]:
    """Attempts begun since then that may still become a payment, whatever their schedule."""
    return session.scalars(
        select(PaymentAttempt)
        .options(joinedload(PaymentAttempt.bill))
        .where(
            PaymentAttempt.state.not_in((*SETTLED, "failed")),
            PaymentAttempt.created_at >= since,
            PaymentAttempt.last_code != "P1",
        )
        .order_by(PaymentAttempt.created_at)
    ).all()


def attempts_to_watch(places: Collection[UUID], before: datetime) -> Sequence[PaymentAttempt]:
    """Attempts a human should look at: answers that do not match, and those still without result since `before`."""
    return session.scalars(
        select(PaymentAttempt)
        .join(PaymentAttempt.bill)
        .options(contains_eager(PaymentAttempt.bill))
        .where(
            PaymentAttempt.establishment_id.in_(places),
            (PaymentAttempt.state == "to_review")
            | (PaymentAttempt.state.in_(LIVE) & (PaymentAttempt.created_at < before)),
        )
        .order_by(PaymentAttempt.created_at)
    ).all()


def one_attempt_at(places: Collection[UUID], attempt_id: UUID) -> PaymentAttempt | None:
    return session.scalar(
        select(PaymentAttempt).where(PaymentAttempt.id == attempt_id, PaymentAttempt.establishment_id.in_(places))
    )


def exchanges_of_bill(bill_id: UUID) -> Sequence[PspExchange]:
    """The evidence kept about the bill's attempts, newest first."""
    return session.scalars(
        select(PspExchange).where(PspExchange.bill_id == bill_id).order_by(PspExchange.at.desc()).limit(PAGE_SIZE)
    ).all()


# -- money -------------------------------------------------------------------------------------------------------


def entries_of_bill(bill_id: UUID) -> Sequence[LedgerEntry]:
    """The bill's ledger with both sides of each entry, oldest first."""
    return session.scalars(
        select(LedgerEntry)
        .options(selectinload(LedgerEntry.lines))
        .where(LedgerEntry.bill_id == bill_id)
        .order_by(LedgerEntry.booked_at)
    ).all()


def receipts_of_bill(bill_id: UUID) -> Sequence[Receipt]:
    return session.scalars(
        select(Receipt).options(joinedload(Receipt.entry)).where(Receipt.bill_id == bill_id).order_by(Receipt.issued_at)
    ).all()


def receipt_of_patient(patient_id: UUID, receipt_id: UUID) -> Receipt | None:
    """One of the patient's receipts, with its bill, hospital and ledger entry."""
    return session.scalar(
        select(Receipt)
        .join(Receipt.bill)
        .options(
            joinedload(Receipt.entry).joinedload(LedgerEntry.attempt),
            contains_eager(Receipt.bill).joinedload(Bill.establishment),
            contains_eager(Receipt.bill).joinedload(Bill.patient),
        )
        .where(Receipt.id == receipt_id, Bill.patient_id == patient_id)
    )


def receipt_by_code(number: str, code: str) -> Receipt | None:
    """The receipt that bears this number and code, without its patient; for the public page's system job."""
    found = session.scalar(
        select(Receipt)
        .join(Receipt.bill)
        .options(
            joinedload(Receipt.entry).joinedload(LedgerEntry.attempt),
            contains_eager(Receipt.bill).joinedload(Bill.establishment),
        )
        .where(Receipt.code == code)
    )
    return found if found and found.label == number else None


# -- the payer ---------------------------------------------------------------------------------------------------


def email_of_payer() -> str:
    """The signed-in person's address, to spare them the typing."""
    return session.scalar(select(Account.email).where(Account.id == db.current_actor().account_id)) or ""
