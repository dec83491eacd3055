"""All that changes a bill, an attempt to pay it, or the ledger.

Money enters through `hear` alone, when PayFiP itself has said P or V and every field of its answer matches what was
asked. The ledger's unique key (psp, psp_ref, kind) lets each payment in once, however many messengers bring it.
"""

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db, jobs, kpi, notifications
from portal.db import session
from portal.gateways.payments import Exchange, Mode, Result
from services.billing import mails, queries, states
from services.billing.bill_file import BillLine
from services.billing.models import (
    SETTLED,
    Bill,
    LedgerEntry,
    LedgerLine,
    PaymentAttempt,
    PaymentAttemptChange,
    PspExchange,
    Receipt,
    ReceiptCounter,
)
from services.billing.queries import RECEIVABLE, Standing

log = structlog.get_logger(__name__)

# No vowels (no words), no 0/O, no 1/I: 28 letters, 10 of them are 48 bits.
_CODE_LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
_CODE_LENGTH = 10
_NOTIFIED_AT_MOST_EVERY = timedelta(seconds=5)


class UnknownBill(Exception):
    """No such bill for this person, or at this hospital."""


class NotPayable(Exception):
    """The bill cannot be paid online now; `reason` is one of `queries.obstacle`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotClosable(Exception):
    """The bill is not open: money has come in on the portal, or may any minute, or it is closed already."""


@dataclass(frozen=True)
class Started:
    """An attempt on record, and the secret with which its payer's browser comes back."""

    attempt_id: UUID
    return_token: str


@dataclass(frozen=True)
class Silence:
    """PayFiP told no result. `code`: its own (P1, P5…), "" when it could not be understood at all."""

    code: str = ""


def digest(token: str) -> bytes:
    """How a return token is stored."""
    return hashlib.sha256(token.encode()).digest()


# -- the payer ---------------------------------------------------------------------------------------------------


def start_payment(patient_id: UUID, bill_id: UUID, *, email: str, locale: str = "") -> Started:
    """Put an attempt at paying what is left on record, before PayFiP hears of it.

    Raises UnknownBill, NotPayable (under_way when another tab was quicker: the database decides).
    """
    found = queries.one_of_patient(patient_id, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    if reason := queries.obstacle(found):
        raise NotPayable(reason)
    started = Started(uuid4(), secrets.token_urlsafe(32))
    if not _claim(found, started, email, locale):
        raise NotPayable("under_way")
    bill = found.bill
    audit.record(
        "payment.started",
        patient_id=patient_id,
        establishment_id=bill.establishment_id,
        object_kind="bill",
        object_id=bill.id,
        amount_cents=found.left_cents,
    )
    kpi.count("payment_started", establishment_id=bill.establishment_id, channel="payfip", quantity=found.left_cents)
    return started


def _claim(found: Standing, started: Started, email: str, locale: str) -> bool:
    """Write the attempt unless the bill has a live one: the partial unique index decides between two tabs."""
    bill, till = found.bill, queries.till(found.bill.establishment_id)
    assert till is not None, "a bill without obstacle has a till"
    now = db.now()
    claim = upsert(PaymentAttempt).values(
        id=started.attempt_id,
        bill_id=bill.id,
        establishment_id=bill.establishment_id,
        account_id=db.current_actor().account_id,
        return_digest=digest(started.return_token),
        amount_cents=found.left_cents,
        refdet=bill.refdet,
        exer=bill.exer,
        numcli=till.numcli,
        mode=till.mode.value,
        email=email,
        locale=locale,
        created_at=now,
        state_at=now,
        next_poll_at=now + states.CREATION_LOST_AFTER,
    )
    return session.scalar(claim.on_conflict_do_nothing().returning(PaymentAttempt.id)) is not None


def open_payment(attempt_id: UUID, idop: str, evidence: Exchange | None = None) -> None:
    """PayFiP has opened an operation for this attempt: the payer may go to its page."""
    attempt = _locked(attempt_id)
    _keep(attempt, evidence)
    attempt.psp_ref = idop
    _move(attempt, "awaiting")
    attempt.next_poll_at = states.next_poll_at("awaiting", attempt.created_at, attempt.state_at, db.now())
    _record("payment.opened", attempt)


def give_up(attempt_id: UUID, code: str, evidence: Exchange | None = None) -> None:
    """PayFiP did not open an operation, or nobody knows its idop: nobody can pay this attempt, another may begin."""
    attempt = _locked(attempt_id)
    _keep(attempt, evidence)
    if attempt.state != "created":
        return
    attempt.next_poll_at, attempt.last_code = None, code
    _move(attempt, "failed", code)
    _record("payment.failed", attempt, code=code)


# -- what PayFiP says --------------------------------------------------------------------------------------------


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
        _record("payment.notified", attempt)
    return True


def hear(
    attempt_id: UUID, answer: Result | Silence, evidence: Exchange | None = None, *, tests_count: bool = False
) -> str:
    """Draw the consequences of what PayFiP said of an attempt, and return its state.

    tests_count: whether test payments (saisie T) credit bills; never in production.
    """
    attempt = _locked(attempt_id)
    _keep(attempt, evidence)
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
        _record("payment.quarantined", attempt, differences=attempt.mismatch, code=result.code)
    if after in SETTLED:
        _book(attempt, result)
    _move(attempt, after, result.code)
    attempt.next_poll_at = states.next_poll_at(after, attempt.created_at, attempt.state_at, db.now())


def _hear_silence(attempt: PaymentAttempt, silence: Silence) -> None:
    now = db.now()
    if silence.code not in ("P1", "P5"):
        attempt.next_poll_at = now + states.AFTER_TROUBLE
        return
    dead = silence.code == "P1"
    if attempt.state == "awaiting" and (dead or now >= attempt.created_at + states.ANOTHER_TRY_AFTER):
        _move(attempt, "expired", silence.code)
        _record("payment.expired", attempt, code=silence.code)
    following = states.next_poll_at(attempt.state, attempt.created_at, attempt.state_at, now)
    attempt.next_poll_at = None if dead else following


# -- money -------------------------------------------------------------------------------------------------------


def _book(attempt: PaymentAttempt, result: Result) -> None:
    """Write the payment once: entry, receipt, audit, figures and message live or die together."""
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
    _record("payment.booked", attempt, amount_cents=result.amount_cents, code=result.code, receipt=receipt)
    _count(before, attempt, result)
    notifications.tell(
        mails.payment_received(attempt.bill_id),
        recipient=attempt.email,
        account_id=attempt.account_id,
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
        _record("bill.overpaid", attempt, amount_cents=result.amount_cents - before.left_cents)


# -- the staff ---------------------------------------------------------------------------------------------------


def open_bill(places: Collection[UUID], bill_id: UUID) -> Standing:
    """Show one bill to a member of staff; the reading is written down. Raises UnknownBill."""
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    audit.record(
        "bill.opened",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
    )
    return found


def close_elsewhere(places: Collection[UUID], bill_id: UUID, reason: str) -> None:
    """Withdraw a bill that was paid at the desk or cancelled (`models.CLOSINGS`). Raises UnknownBill, NotClosable."""
    found = queries.one_at(places, bill_id)
    if found is None:
        raise UnknownBill(bill_id)
    if found.state != "open":
        raise NotClosable(found.state)
    found.bill.closed_reason, found.bill.closed_at = reason, db.now()
    audit.record(
        "bill.closed",
        patient_id=found.bill.patient_id,
        establishment_id=found.bill.establishment_id,
        object_kind="bill",
        object_id=bill_id,
        reason=reason,
    )


def release_attempt(places: Collection[UUID], attempt_id: UUID) -> UUID:
    """After a review: this attempt moved no money, the bill may be paid again. Returns the bill's id.

    Money may still arrive for it, and would be booked. Raises UnknownBill when there is nothing to release.
    """
    attempt = queries.one_attempt_at(places, attempt_id)
    if attempt is None or attempt.state != "to_review":
        raise UnknownBill(attempt_id)
    _move(attempt, "expired", "released")
    _record("payment.released", attempt)
    return attempt.bill_id


# -- the billing system ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Merged:
    added: int
    changed: int


# One statement a batch: rows come as JSON, patients are found by their IPP, a bill that says nothing new is not
# written. `xmax = 0` tells an added row from a changed one.
_COLUMNS = (
    "source",
    "exer",
    "reference",
    "refdet",
    "label",
    "unit",
    "care_on",
    "issued_on",
    "due_on",
    "total_cents",
    "amo_cents",
    "amc_cents",
    "due_cents",
)
_CHANGING = tuple(name for name in _COLUMNS if name not in ("source", "exer", "reference"))
_MERGE = text(
    f"insert into bill (id, establishment_id, patient_id, closed_reason, created_at, {', '.join(_COLUMNS)})"
    f" select gen_random_uuid(), r.establishment_id, p.patient_id, '', now(), {', '.join(f'r.{n}' for n in _COLUMNS)}"
    " from jsonb_to_recordset(cast(:rows as jsonb)) as r(establishment_id uuid, ipp text, source text, exer text,"
    " reference text, refdet text, label text, unit text, care_on date, issued_on date, due_on date,"
    " total_cents bigint, amo_cents bigint, amc_cents bigint, due_cents bigint)"
    " left join patient_record p on p.establishment_id = r.establishment_id and p.ipp = r.ipp and r.ipp <> ''"
    " on conflict (establishment_id, source, exer, reference) do update set"
    " patient_id = coalesce(excluded.patient_id, bill.patient_id),"
    f" {', '.join(f'{n} = excluded.{n}' for n in _CHANGING)}"
    f" where (coalesce(excluded.patient_id, bill.patient_id), {', '.join(f'excluded.{n}' for n in _CHANGING)})"
    f" is distinct from (bill.patient_id, {', '.join(f'bill.{n}' for n in _CHANGING)})"
    " returning xmax = 0 as added, establishment_id, source, due_cents"
)


def merge_bills(lines: Sequence[BillLine], places: Mapping[str, UUID]) -> Merged:
    """Add these bills or bring them up to date; each (hospital, source, exer, reference) at most once among them."""
    rows = [{**asdict(line), "establishment_id": places[line.finess]} for line in lines]
    written = session.execute(_MERGE, {"rows": json.dumps(rows, default=str)}).all()
    added = [row for row in written if row.added]
    for establishment_id in {row.establishment_id for row in written}:
        payable = sum(
            row.establishment_id == establishment_id
            and row.source != "private"
            and row.due_cents >= queries.MIN_ONLINE_CENTS
            for row in added
        )
        kpi.count("bills_issued", establishment_id=establishment_id, channel="import", quantity=payable)
        audit.record(
            "bills.imported",
            establishment_id=establishment_id,
            object_kind="bill",
            added=sum(row.establishment_id == establishment_id for row in added),
        )
    return Merged(len(added), len(written) - len(added))


# -- inside ------------------------------------------------------------------------------------------------------


def _locked(attempt_id: UUID) -> PaymentAttempt:
    return session.get_one(PaymentAttempt, attempt_id, with_for_update=True, populate_existing=True)


def _move(attempt: PaymentAttempt, after: str, code: str = "") -> None:
    """One state to the next, with its immutable row. What states do not allow is told in the log and not done."""
    if attempt.state == after:
        return
    if not states.allowed(attempt.state, after):
        log.error("payment.transition_refused", attempt_id=str(attempt.id), before=attempt.state, after=after)
        return
    session.execute(
        insert(PaymentAttemptChange)
        .inline()
        .values(
            id=uuid4(),
            attempt_id=attempt.id,
            bill_id=attempt.bill_id,
            establishment_id=attempt.establishment_id,
            before=attempt.state,
            after=after,
            code=code,
            actor=db.current_actor().label,
        )
    )
    attempt.state, attempt.state_at = after, db.now()


def _keep(attempt: PaymentAttempt, evidence: Exchange | None) -> None:
    if evidence is not None:
        session.add(
            PspExchange(
                id=uuid4(),
                attempt_id=attempt.id,
                bill_id=attempt.bill_id,
                establishment_id=attempt.establishment_id,
                operation=evidence.operation,
                request=evidence.request,
                answer=evidence.answer,
                status=evidence.status,
                duration_ms=evidence.duration_ms,
                ending=evidence.ending,
            )
        )


def _record(action: str, attempt: PaymentAttempt, **details: str | int | None) -> None:
    patient_id = session.scalar(select(Bill.patient_id).where(Bill.id == attempt.bill_id))
    audit.record(
        action,
        patient_id=patient_id,
        establishment_id=attempt.establishment_id,
        object_kind="bill",
        object_id=attempt.bill_id,
        **{"attempt_id": str(attempt.id), **details},
    )
