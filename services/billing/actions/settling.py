"""What a provider says, and the money that follows from it.

Money enters through `hear` alone, when the provider itself has said paid or debit accepted and every field of its
answer matches what was asked. The ledger's unique key lets each payment in once, however many messengers bring it.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from auth.mandates import queries as mandates
from auth.mandates.queries import Address
from portal import db, jobs, kpi, notifications
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments import Exchange
from portal.gateways.payments.means import MOVES_MONEY, Answer, Counter
from services.billing import mails, queries, states
from services.billing.actions.facts import Silence
from services.billing.actions.traces import keep, locked, move, record
from services.billing.figures import LONGEST_DELAY
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import MEMO, OVERPAID, RECEIVABLE
from services.billing.models import SETTLED, Bill, PaymentAttempt, Receipt, ReceiptCounter
from services.billing.queries import Standing

log = structlog.get_logger(__name__)

# No vowels (no words), no 0/O, no 1/I: 28 letters, 10 of them are 48 bits.
_CODE_LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH = 10
_NOTIFIED_AT_MOST_EVERY = timedelta(seconds=5)
_MOST_POLLS = 32_767
"""What the column holds: whoever reloads their return page for days must not make their own payment unbookable."""


def receive_notification(psp: str, psp_ref: str) -> bool:
    """Somebody says that something happened to this operation: ask its provider soon. False when we do not know it.

    The message proves nothing and may come in a flood: it can only make us ask, at most every five seconds.
    """
    attempt = queries.attempt_by_psp_ref(psp, psp_ref)
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
    attempt_id: UUID, answer: Answer | Silence, evidence: Exchange | None = None, *, tests_count: bool = False
) -> str:
    """Draw the consequences of what a provider said of an attempt, and return its state.

    tests_count: whether test payments credit bills; never in production.
    """
    attempt = locked(attempt_id)
    with session.no_autoflush:  # the attempt is written once, at the end
        keep(attempt, evidence)
        if isinstance(answer, Silence) and answer.kind == "left_alone":
            attempt.next_poll_at = None if attempt.is_settled else db.now() + states.AFTER_LEFT_ALONE
            return attempt.state
        attempt.polls = min(attempt.polls + 1, _MOST_POLLS)
        if attempt.is_settled:
            return attempt.state
        if isinstance(answer, Answer):
            attempt.last_code = answer.code
            _hear_answer(attempt, answer, _differences(attempt, answer, tests_count))
        else:
            attempt.last_code = answer.code or attempt.last_code
            _hear_silence(attempt, answer)
    return attempt.state


def _differences(attempt: PaymentAttempt, answer: Answer, tests_count: bool) -> tuple[str, ...]:
    """Why this answer cannot be believed, or not acted upon without a human."""
    found = answer.differences(
        psp_ref=attempt.psp_ref or "",
        reference=attempt.refdet,
        amount_cents=attempt.amount_cents,
        currency=attempt.currency,
        counter=Counter(attempt.numcli, attempt.mode),
    )
    unheard_of = ("outcome",) if answer.ending not in states.OF_ENDING else ()
    only_a_test = ("test_payment",) if attempt.is_test and not tests_count else ()
    return (*found, *unheard_of, *only_a_test)


def _hear_answer(attempt: PaymentAttempt, answer: Answer, differences: tuple[str, ...]) -> None:
    attempt.mismatch = ", ".join(differences)
    after = "to_review" if differences else states.OF_ENDING[answer.ending]
    if differences and attempt.state != after:
        log.error("payment.quarantined", attempt_id=str(attempt.id), differences=attempt.mismatch)
        record("payment.quarantined", attempt, differences=attempt.mismatch, code=answer.code)
    move(attempt, after, answer.code)
    now = db.now()
    following = states.next_poll_at(after, attempt.created_at, attempt.state_at, now)
    attempt.next_poll_at = states.spread(following, now, attempt.id)
    if after in SETTLED and answer.ending in MOVES_MONEY:
        _book(attempt, answer)


def _hear_silence(attempt: PaymentAttempt, silence: Silence) -> None:
    now = db.now()
    if silence.kind == "trouble":
        attempt.next_poll_at = states.after_trouble(now, attempt.id)
        return
    dead = silence.kind == "dead"
    closes_at = attempt.page_until or attempt.created_at + states.ANOTHER_TRY_AFTER
    if attempt.state == "awaiting" and (dead or now >= closes_at):
        move(attempt, "expired", silence.code)
        record("payment.expired", attempt, code=silence.code)
    following = states.next_poll_at(attempt.state, attempt.created_at, attempt.state_at, now)
    attempt.next_poll_at = None if dead else states.spread(following, now, attempt.id)


# -- money -------------------------------------------------------------------------------------------------------


def _book(attempt: PaymentAttempt, answer: Answer) -> None:
    """Write the payment once: entry, receipt, audit, figures and message live or die together."""
    bill_ids = [share.bill_id for share in attempt.shares]
    # Two attempts on one bill take turns here, so that only one of them leaves nothing to pay.
    # Both may already hold the bill through a foreign key: without key_share they would wait for each other for ever.
    session.execute(select(Bill.id).where(Bill.id.in_(bill_ids)).order_by(Bill.id).with_for_update(key_share=True))
    before = queries.standings_of(bill_ids)
    paid = {share.bill_id: share.amount_cents for share in attempt.shares}
    entry_id = post(_posting(attempt, answer, _sides(attempt, before, paid)))
    if entry_id is None:
        return  # somebody else brought the same news: success
    receipt = _issue_receipt(before[0].bill.establishment, entry_id)
    record("payment.booked", attempt, amount_cents=answer.amount_cents, code=answer.code, receipt=receipt)
    _count(before, paid, attempt, answer)
    _tell_payer(attempt, before[0].bill)


def _sides(attempt: PaymentAttempt, before: Sequence[Standing], paid: dict[UUID, int]) -> list[Side]:
    """Debit what the provider owes the hospital, credit what each patient owed; what exceeds it is held apart until
    somebody gives it back. A titre's payment is the public accountant's: it is evidence here, never our cash."""
    memo = MEMO if attempt.source == "titre" else ""
    sides = [Side(f"{memo}clearing:{attempt.psp}:{attempt.numcli}", debit=sum(paid.values()))]
    for each in before:
        cents = paid[each.bill.id]
        owed = cents if memo else min(cents, each.left_cents)
        if owed:
            sides.append(Side(f"{memo}{RECEIVABLE}", credit=owed, bill_id=each.bill.id))
        if cents > owed:
            sides.append(Side(OVERPAID, credit=cents - owed, bill_id=each.bill.id))
    return sides


def _posting(attempt: PaymentAttempt, answer: Answer, sides: Sequence[Side]) -> Posting:
    return Posting(
        establishment_id=attempt.establishment_id,
        psp=attempt.psp,
        psp_ref=answer.psp_ref,
        kind="payment",
        account=attempt.numcli,
        sides=sides,
        attempt_id=attempt.id,
        means="direct_debit" if attempt.state == "debit_accepted" else answer.means,
        bill_source=attempt.bill_source or attempt.source,
        number=answer.number,
        is_memo=attempt.source == "titre",
        is_test=attempt.is_test,
        moved_at=answer.paid_at,
    )


def _tell_payer(attempt: PaymentAttempt, bill: Bill) -> None:
    """Whoever paid without an account gave an address for it; an account is written to while it may see the bill."""
    to: Address | None = Address(attempt.email)
    if attempt.account_id is not None and bill.patient_id is not None:
        to = mandates.address_for(
            bill.patient_id, "payment", masked=bill.masked, account_id=attempt.account_id, email=attempt.email
        )
    if to is not None and to.email:
        notifications.tell(
            mails.payment_received(bill.id if attempt.account_id else None),
            recipient=to.email,
            account_id=to.account_id,
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            locale=attempt.locale,
        )


def _issue_receipt(place: Establishment, entry_id: UUID) -> str:
    """The next receipt of the hospital's civil year; returns its number."""
    year = db.now().astimezone(place.tz).year
    counter = upsert(ReceiptCounter).values(establishment_id=place.id, year=year, last=1)
    following = counter.on_conflict_do_update(
        index_elements=["establishment_id", "year"], set_={"last": ReceiptCounter.last + 1}
    )
    number = session.scalars(following.returning(ReceiptCounter.last)).one()
    code = "".join(secrets.choice(_CODE_LETTERS) for _ in range(_CODE_LENGTH))
    receipt = Receipt(id=uuid4(), establishment_id=place.id, entry_id=entry_id, year=year, number=number, code=code)
    session.add(receipt)
    return receipt.label


def _count(before: Sequence[Standing], paid: dict[UUID, int], attempt: PaymentAttempt, answer: Answer) -> None:
    """F1 counts payments; F2 counts bills, once, by the payment that leaves nothing to pay."""
    where: dict[str, Any] = {"establishment_id": attempt.establishment_id, "channel": attempt.psp}
    where["audience"] = "patient" if attempt.account_id else "guest"
    kpi.count("bill_paid", quantity=answer.amount_cents, dimension=answer.means, **where)
    for each in before:
        cents = paid[each.bill.id]
        if 0 < each.left_cents <= cents:
            waited = (db.now().astimezone(each.bill.establishment.tz).date() - each.bill.issued_on).days
            kpi.count("bill_settled", quantity=cents, dimension=str(min(max(waited, 0), LONGEST_DELAY)), **where)
        if cents > each.left_cents:
            log.error("bill.overpaid", bill_id=str(each.bill.id))
            record("bill.overpaid", attempt, amount_cents=cents - each.left_cents)
