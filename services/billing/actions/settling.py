"""What PayFiP says, and the money that follows from it.

Money enters through `hear` alone, when PayFiP itself has said P or V and every field of its answer matches what was
asked. The ledger's unique key (psp, psp_ref, kind) lets each payment in once, however many messengers bring it.
"""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import db, jobs, kpi, notifications
from portal.db import session
from portal.gateways.payments import Exchange, Mode, Result
from services.billing import mails, queries, states
from services.billing.actions.facts import Silence
from services.billing.actions.traces import keep, locked, move, record
from services.billing.models import SETTLED, Bill, LedgerEntry, LedgerLine, PaymentAttempt, Receipt, ReceiptCounter
from services.billing.queries import RECEIVABLE, Standing

log = structlog.get_logger(__name__)

# No vowels (no words), no 0/O, no 1/I: 28 letters, 10 of them are 48 bits.
_CODE_LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH = 10
_NOTIFIED_AT_MOST_EVERY = timedelta(seconds=5)


def receive_notification(idop: str) -> bool:
    """Somebody says that something happened to this operation: ask PayFiP soon. False when we do not know it.

    The message proves nothing and may come in a flood: it can only make us ask, at most every five seconds.
    """
    attempt = session.scalar(select(PaymentAttempt).where(PaymentAttempt.psp_ref == idop))
    if attempt is None:
        return False
    now = db.now()
    fresh = update(PaymentAttempt).where(
        PaymentAttempt.id == attempt.id,
        PaymentAttempt.state.not_in(SETTLED),
        func.coalesce(PaymentAttempt.notified_at, now - timedelta(days=1)) < now - _NOTIFIED_AT_MOST_EVERY,
    )
    if session.scalar(fresh.values(notified_at=now).returning(PaymentAttempt.id)) is not None:
        jobs.enqueue("billing.settle", attempt_id=str(attempt.id))
        record("payment.notified", attempt)
    return True


def hear(
    attempt_id: UUID, answer: Result | Silence, evidence: Exchange | None = None, *, tests_count: bool = False
) -> str:
    """Draw the consequences of what PayFiP said of an attempt, and return its state.

    tests_count: whether test payments (saisie T) credit bills; never in production.
    """
    attempt = locked(attempt_id)
    with session.no_autoflush:  # the attempt is written once, at the end
        keep(attempt, evidence)
        attempt.polls += 1
        if attempt.is_settled:
            return attempt.state
        if isinstance(answer, Result):
            attempt.last_code = answer.code
            _hear_result(attempt, answer, _differences(attempt, answer, tests_count))
        else:
            attempt.last_code = answer.code or attempt.last_code
            _hear_silence(attempt, answer)
    return attempt.state


def _differences(attempt: PaymentAttempt, result: Result, tests_count: bool) -> tuple[str, ...]:
    """Why this answer cannot be believed, or not acted upon without a human."""
    found = result.differences(
        idop=attempt.psp_ref or "",
        refdet=attempt.refdet,
        numcli=attempt.numcli,
        amount_cents=attempt.amount_cents,
        mode=Mode(attempt.mode),
    )
    unheard_of = ("outcome",) if result.outcome not in states.OF_OUTCOME else ()
    only_a_test = ("test_payment",) if attempt.mode == Mode.TEST and not tests_count else ()
    return (*found, *unheard_of, *only_a_test)


def _hear_result(attempt: PaymentAttempt, result: Result, differences: tuple[str, ...]) -> None:
    attempt.mismatch = ", ".join(differences)
    after = "to_review" if differences else states.OF_OUTCOME[result.outcome]
    if differences and attempt.state != after:
        log.error("payment.quarantined", attempt_id=str(attempt.id), differences=attempt.mismatch)
        record("payment.quarantined", attempt, differences=attempt.mismatch, code=result.code)
    move(attempt, after, result.code)
    attempt.next_poll_at = states.next_poll_at(after, attempt.created_at, attempt.state_at, db.now())
    if after in SETTLED:
        _book(attempt, result)


def _hear_silence(attempt: PaymentAttempt, silence: Silence) -> None:
    now = db.now()
    if silence.code not in ("P1", "P5"):
        attempt.next_poll_at = now + states.AFTER_TROUBLE
        return
    dead = silence.code == "P1"
    if attempt.state == "awaiting" and (dead or now >= attempt.created_at + states.ANOTHER_TRY_AFTER):
        move(attempt, "expired", silence.code)
        record("payment.expired", attempt, code=silence.code)
    following = states.next_poll_at(attempt.state, attempt.created_at, attempt.state_at, now)
    attempt.next_poll_at = None if dead else following


# -- money -------------------------------------------------------------------------------------------------------


def _book(attempt: PaymentAttempt, result: Result) -> None:
    """Write the payment once: entry, receipt, audit, figures and message live or die together."""
    # Two attempts on one bill take turns here, so that only one of them leaves nothing to pay.
    # Both may already hold the bill through a foreign key: without key_share they would wait for each other for ever.
    session.execute(select(Bill.id).where(Bill.id == attempt.bill_id).with_for_update(key_share=True))
    before = queries.standing(attempt.bill_id)
    entry_id = uuid4()
    entry = (
        upsert(LedgerEntry)
        .values(
            id=entry_id,
            establishment_id=attempt.establishment_id,
            bill_id=attempt.bill_id,
            attempt_id=attempt.id,
            psp=attempt.psp,
            psp_ref=attempt.psp_ref,
            kind="payment",
            means=states.MEANS[result.outcome],
            amount_cents=result.amount_cents,
            numcli=result.numcli,
            numauto=result.numauto or "",
            moved_at=result.paid_at,
        )
        .on_conflict_do_nothing(index_elements=["psp", "psp_ref", "kind"])
    )
    if session.scalar(entry.returning(LedgerEntry.id)) is None:
        return  # somebody else brought the same news: success
    _write_lines(attempt, entry_id, result.amount_cents)
    receipt = _issue_receipt(before.bill, entry_id)
    record("payment.booked", attempt, amount_cents=result.amount_cents, code=result.code, receipt=receipt)
    _count(before, attempt, result)
    _tell_payer(attempt, before.bill)


def _tell_payer(attempt: PaymentAttempt, bill: Bill) -> None:
    """Whoever paid without an account gave an address for it; an account is written to while it may see the bill."""
    to: Address | None = Address(attempt.email)
    if attempt.account_id is not None and bill.patient_id is not None:
        to = mandates.address_for(
            bill.patient_id, "payment", masked=bill.masked, account_id=attempt.account_id, email=attempt.email
        )
    if to is not None:
        notifications.tell(
            mails.payment_received(attempt.bill_id),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=bill.patient_id,
            locale=attempt.locale,
        )


def _write_lines(attempt: PaymentAttempt, entry_id: UUID, amount_cents: int) -> None:
    """Debit what PayFiP owes the hospital, credit what the patient owed. More than was due is booked all the same:
    the bill then reads "overpaid" until somebody gives the money back."""
    shared = {"entry_id": entry_id, "bill_id": attempt.bill_id, "establishment_id": attempt.establishment_id}
    session.execute(
        insert(LedgerLine),
        [
            {
                **shared,
                "id": uuid4(),
                "account": f"clearing:payfip:{attempt.numcli}",
                "debit_cents": amount_cents,
                "credit_cents": 0,
            },
            {**shared, "id": uuid4(), "account": RECEIVABLE, "debit_cents": 0, "credit_cents": amount_cents},
        ],
    )


def _issue_receipt(bill: Bill, entry_id: UUID) -> str:
    """The next receipt of the hospital's civil year; returns its number."""
    year = db.now().astimezone(bill.establishment.tz).year
    counter = upsert(ReceiptCounter).values(establishment_id=bill.establishment_id, year=year, last=1)
    following = counter.on_conflict_do_update(
        index_elements=["establishment_id", "year"], set_={"last": ReceiptCounter.last + 1}
    )
    number = session.scalars(following.returning(ReceiptCounter.last)).one()
    code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))
    receipt = Receipt(
        id=uuid4(),
        establishment_id=bill.establishment_id,
        bill_id=bill.id,
        entry_id=entry_id,
        year=year,
        number=number,
        code=code,
    )
    session.add(receipt)
    return receipt.label


def _count(before: Standing, attempt: PaymentAttempt, result: Result) -> None:
    """F1 counts payments; F2 counts bills, once, by the payment that leaves nothing to pay."""
    where: dict[str, Any] = {
        "establishment_id": attempt.establishment_id,
        "channel": attempt.psp,
        "audience": "patient",
    }
    kpi.count("bill_paid", quantity=result.amount_cents, dimension=states.MEANS[result.outcome], **where)
    if 0 < before.left_cents <= result.amount_cents:
        kpi.count("bill_settled", quantity=result.amount_cents, **where)
    if result.amount_cents > before.left_cents:
        log.error("bill.overpaid", bill_id=str(attempt.bill_id))
        record("bill.overpaid", attempt, amount_cents=result.amount_cents - before.left_cents)
