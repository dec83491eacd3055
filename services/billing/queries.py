"""What is read about bills: for a patient, for a hospital's staff, for the jobs. A bill's state is derived here."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, case, cast, exists, func, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from auth.models import Account
from portal import calendar, db
from portal.db import session
from services.billing.ledger.models import PAYERS, LedgerEntry, LedgerLine
from services.billing.models import (
    IN_PROGRESS,
    LIVE,
    SETTLED,
    AttemptShare,
    Bill,
    PaymentAttempt,
    PspExchange,
    Receipt,
)
from services.billing.sources import queries as sources
from services.billing.sources.models import BillSource
from services.billing.states import ANOTHER_TRY_AFTER, CREATION_LOST_AFTER

PAGE_SIZE = 50
TO_PAY = ("open", "partly")
"""States of a bill that waits for its payer."""


# -- a bill and what the ledger says of it -----------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A bill with its derived state (`models.BILL_STATES`) and the sums of its ledger.

    paid_cents: what came in and stayed, a rejected debit order left out. refunded_cents: what was given back.
    """

    bill: Bill
    state: str
    paid_cents: int
    refunded_cents: int

    @property
    def left_cents(self) -> int:
        """What is still to pay, never below zero; nothing on a closed bill."""
        if self.bill.closed_reason:
            return 0
        return max(self.bill.due_cents - self.paid_cents + self.refunded_cents, 0)

    @property
    def overpaid_cents(self) -> int:
        """What was received beyond what is due, and not given back yet."""
        due = 0 if self.bill.closed_reason else self.bill.due_cents
        return max(self.paid_cents - self.refunded_cents - due, 0)

    @property
    def is_late(self) -> bool:
        """Whether something is still to pay after the day by which to pay, on the hospital's calendar."""
        due_on = self.bill.due_on
        today = calendar.civil_day(db.now(), self.bill.establishment.tz)
        return due_on is not None and due_on < today and self.left_cents > 0


_TAKEN_BACK = ("rejection",)
_GIVEN_BACK = ("refund", "refund_failed")


def _sum_of(amount: Any, condition: ColumnElement[bool]) -> Any:
    # sum() of bigint is numeric, which would come back as a Decimal.
    lines = select(cast(func.coalesce(func.sum(amount), 0), BigInteger)).where(
        LedgerLine.bill_id == Bill.id, LedgerLine.account.in_(PAYERS), condition
    )
    return lines.correlate(Bill).scalar_subquery()


def _debit_orders() -> ColumnElement[bool]:
    """Whether some of the bill was paid by a debit order that the bank has not given back."""
    undone = aliased(LedgerEntry)
    return (
        exists()
        .where(
            LedgerLine.bill_id == Bill.id,
            LedgerEntry.id == LedgerLine.entry_id,
            LedgerEntry.kind == "payment",
            LedgerEntry.means == "direct_debit",
            ~exists().where(undone.undoes_id == LedgerEntry.id, undone.kind.in_(_TAKEN_BACK)),
        )
        .correlate(Bill)
    )


_PAID = _sum_of(LedgerLine.credit_cents - LedgerLine.debit_cents, LedgerLine.kind.not_in(_GIVEN_BACK))
_REFUNDED = _sum_of(LedgerLine.debit_cents - LedgerLine.credit_cents, LedgerLine.kind.in_(_GIVEN_BACK))
_UNDER_WAY = (
    exists()
    .where(
        AttemptShare.bill_id == Bill.id,
        PaymentAttempt.id == AttemptShare.attempt_id,
        PaymentAttempt.state.in_(IN_PROGRESS),
    )
    .correlate(Bill)
)
_NET = _PAID - _REFUNDED
_CLOSED = Bill.closed_reason != ""

STATE: Any = case(
    ((Bill.due_cents < _NET) | (_CLOSED & (_NET > 0)), "overpaid"),
    (_CLOSED, "closed_elsewhere"),
    ((Bill.due_cents <= _NET) & _debit_orders(), "debit_accepted"),
    (Bill.due_cents <= _NET, "paid"),
    (_UNDER_WAY, "in_progress"),
    (_NET > 0, "partly"),
    else_="open",
)


def standings(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Bills that meet the conditions with what `Standing` holds, newest first; read it with `read_standings`."""
    return (
        select(Bill, STATE, _PAID, _REFUNDED)
        .options(joinedload(Bill.establishment), joinedload(Bill.patient))
        .where(*conditions)
        .order_by(Bill.issued_on.desc(), Bill.reference, Bill.id)
    )


def read_standings(query: Select[Any]) -> list[Standing]:
    return [Standing(*row) for row in session.execute(query)]


def _one(*conditions: ColumnElement[bool]) -> Standing | None:
    return next(iter(read_standings(standings(*conditions))), None)


def bills_of_patient(patient_id: UUID) -> list[Standing]:
    """The patient's bills, newest first."""
    return read_standings(standings(Bill.patient_id == patient_id))


def some_of_patient(patient_id: UUID, bill_ids: Collection[UUID]) -> list[Standing]:
    """Those of the patient's bills, newest first."""
    return read_standings(standings(Bill.patient_id == patient_id, Bill.id.in_(bill_ids)))


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


def standings_of(bill_ids: Collection[UUID]) -> list[Standing]:
    """Bills the actor may see, in the order of their ids: the order in which they are locked."""
    found = read_standings(standings(Bill.id.in_(bill_ids)))
    return sorted(found, key=lambda each: each.bill.id)


def bills_at(places: Collection[UUID], *, state: str = "", reference: str = "", page: int = 1) -> list[Standing]:
    """One page of these hospitals' bills, newest first, and one more row when there is a next page."""
    conditions: list[ColumnElement[bool]] = [Bill.establishment_id.in_(places)]
    if state:
        conditions.append(state == STATE)
    if reference:
        conditions.append(Bill.reference == reference)
    return read_standings(standings(*conditions).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1))


def balances(references: Collection[str]) -> Iterator[Standing]:
    """Bills with these references, or every bill, one at a time; for the operator's command."""
    wanted = standings(Bill.reference.in_(references)) if references else standings()
    for row in session.execute(wanted.execution_options(yield_per=500)):
        yield Standing(*row)


# -- may it be paid here? ----------------------------------------------------------------------------------------

LIMITS = {"payfip": (100, 9_999_999), "stripe": (50, 99_999_999)}
"""What a means takes in one payment, in cents: PayFiP from 1 euro to 99 999.99 euros (guide, 3.5), Stripe from 0.50
euro to eight digits."""


def source_of(bill: Bill) -> BillSource:
    """The source whose rules the bill follows."""
    return sources.source_of(bill.establishment_id, bill.source, bill.bill_source)


def means_for(found: Sequence[Standing]) -> tuple[str, ...]:
    """How these bills may be paid in one go, in the order to offer; () when they may not.

    Only bills of one hospital and one source; PayFiP takes several when the source's régisseur agreed.
    """
    first = found[0].bill
    if any(_sort(each.bill) != _sort(first) for each in found):
        return ()
    source, total = source_of(first), sum(each.left_cents for each in found)
    offered = sources.means_of(source)
    if len(found) > 1:
        offered = tuple(psp for psp in offered if psp != "payfip" or source.several)
    return tuple(psp for psp in offered if LIMITS[psp][0] <= total <= LIMITS[psp][1])


def payable_together(found: Sequence[Standing]) -> list[list[Standing]]:
    """Among a person's bills, those to pay that may be paid in one go, by hospital and source; two at least."""
    groups: dict[tuple[UUID, str, str], list[Standing]] = {}
    for each in found:
        if each.state in ("open", "partly"):
            groups.setdefault(_sort(each.bill), []).append(each)
    payable = (_payable_alone(group) for group in groups.values())
    return [group for group in payable if len(group) > 1 and means_for(group)]


def _payable_alone(group: Sequence[Standing]) -> list[Standing]:
    """Without the bills too small or too large for every means, which are refused in company as well."""
    limits = [LIMITS[psp] for psp in sources.means_of(source_of(group[0].bill))]
    return [each for each in group if any(least <= each.left_cents <= most for least, most in limits)]


def _sort(bill: Bill) -> tuple[UUID, str, str]:
    return bill.establishment_id, bill.source, bill.bill_source


def obstacle(found: Standing) -> str:
    """Why this bill cannot be paid online now: "" when it can, else nothing_due, under_way, not_online, amount."""
    if found.state not in ("open", "partly", "in_progress"):
        return "nothing_due"
    if found.bill.source == "titre" and found.paid_cents:
        return "not_online"  # the public accountant takes no part of a titre: whoever began elsewhere goes on there
    if not means_for([found]):
        return "amount" if sources.means_of(source_of(found.bill)) else "not_online"
    waiting = attempt_under_way(found.bill.id) if found.state == "in_progress" else None
    if waiting and not may_try_again(waiting):
        return "under_way"
    return ""


# -- attempts ----------------------------------------------------------------------------------------------------


def _of_bill(bill_id: UUID) -> ColumnElement[bool]:
    return PaymentAttempt.shares.any(AttemptShare.bill_id == bill_id)


def _with_bills() -> Any:
    return selectinload(PaymentAttempt.shares).joinedload(AttemptShare.bill).joinedload(Bill.establishment)


def attempts_of_bill(bill_id: UUID) -> Sequence[PaymentAttempt]:
    """Every try at paying the bill, newest first."""
    return session.scalars(
        select(PaymentAttempt).where(_of_bill(bill_id)).order_by(PaymentAttempt.created_at.desc())
    ).all()


def attempt_under_way(bill_id: UUID) -> PaymentAttempt | None:
    """The newest attempt that may still become a payment any minute."""
    return session.scalar(
        select(PaymentAttempt)
        .where(_of_bill(bill_id), PaymentAttempt.state.in_(IN_PROGRESS))
        .order_by(PaymentAttempt.created_at.desc())
        .limit(1)
    )


def may_try_again(waiting: PaymentAttempt) -> bool:
    """Whether a second attempt may follow this one, whose result is not known."""
    if waiting.state not in LIVE:
        return False
    if waiting.psp_ref is None:
        return db.now() >= waiting.created_at + CREATION_LOST_AFTER
    return db.now() >= (waiting.page_until or waiting.created_at + ANOTHER_TRY_AFTER)


def attempt_by_return_digest(digest: bytes) -> PaymentAttempt | None:
    """The attempt whose payer holds this return token; for a system job."""
    return session.scalar(select(PaymentAttempt).options(_with_bills()).where(PaymentAttempt.return_digest == digest))


def attempt_by_psp_ref(psp: str, psp_ref: str) -> PaymentAttempt | None:
    """The attempt that a provider calls so, with its bills, in one statement: notifications come in floods."""
    bills = joinedload(PaymentAttempt.shares).joinedload(AttemptShare.bill).load_only(Bill.patient_id)
    found = select(PaymentAttempt).options(bills).where(PaymentAttempt.psp == psp, PaymentAttempt.psp_ref == psp_ref)
    return session.scalars(found).unique().one_or_none()


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
        .options(_with_bills())
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
        .options(_with_bills())
        .where(
            PaymentAttempt.establishment_id.in_(places),
            (PaymentAttempt.state == "to_review")
            | (PaymentAttempt.state.in_(LIVE) & (PaymentAttempt.created_at < before)),
        )
        .order_by(PaymentAttempt.created_at)
    ).all()


def one_attempt_at(places: Collection[UUID], attempt_id: UUID) -> PaymentAttempt | None:
    return session.scalar(
        select(PaymentAttempt)
        .options(_with_bills())
        .where(PaymentAttempt.id == attempt_id, PaymentAttempt.establishment_id.in_(places))
    )


def exchanges_of_bill(bill_id: UUID) -> Sequence[PspExchange]:
    """The evidence kept about the bill's attempts, newest first."""
    of_bill = select(AttemptShare.attempt_id).where(AttemptShare.bill_id == bill_id)
    return session.scalars(
        select(PspExchange).where(PspExchange.attempt_id.in_(of_bill)).order_by(PspExchange.at.desc()).limit(PAGE_SIZE)
    ).all()


# -- money -------------------------------------------------------------------------------------------------------


def _entries_of_bill(bill_id: UUID) -> Any:
    return select(LedgerLine.entry_id).where(LedgerLine.bill_id == bill_id)


def entries_of_bill(bill_id: UUID) -> Sequence[LedgerEntry]:
    """The bill's ledger with both sides of each entry, oldest first."""
    return session.scalars(
        select(LedgerEntry)
        .options(selectinload(LedgerEntry.lines))
        .where(LedgerEntry.id.in_(_entries_of_bill(bill_id)))
        .order_by(LedgerEntry.booked_at, LedgerEntry.id)
    ).all()


def receipts_of_bill(bill_id: UUID) -> Sequence[Receipt]:
    return session.scalars(
        select(Receipt)
        .options(joinedload(Receipt.entry))
        .where(Receipt.entry_id.in_(_entries_of_bill(bill_id)))
        .order_by(Receipt.issued_at, Receipt.number)
    ).all()


# -- the payer ---------------------------------------------------------------------------------------------------


def email_of_payer() -> str:
    """The signed-in person's address, to spare them the typing."""
    return session.scalar(select(Account.email).where(Account.id == db.current_actor().account_id)) or ""
