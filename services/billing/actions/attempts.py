"""An attempt to pay, from the payer's click to its end; what follows from PayFiP's answers is in `settling`."""

import secrets
from collections.abc import Collection
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db, kpi
from portal.db import session
from portal.gateways.payments import Exchange
from services.billing import queries, states
from services.billing.actions.facts import NotPayable, Started, UnknownBill, digest
from services.billing.actions.traces import keep, locked, move, record
from services.billing.models import PaymentAttempt
from services.billing.queries import Standing


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
    attempt = locked(attempt_id)
    keep(attempt, evidence)
    attempt.psp_ref = idop
    move(attempt, "awaiting")
    attempt.next_poll_at = states.next_poll_at("awaiting", attempt.created_at, attempt.state_at, db.now())
    record("payment.opened", attempt)


def give_up(attempt_id: UUID, code: str, evidence: Exchange | None = None) -> None:
    """PayFiP did not open an operation, or nobody knows its idop: nobody can pay this attempt, another may begin."""
    attempt = locked(attempt_id)
    keep(attempt, evidence)
    if attempt.state != "created":
        return
    attempt.next_poll_at, attempt.last_code = None, code
    move(attempt, "failed", code)
    record("payment.failed", attempt, code=code)


def release_attempt(places: Collection[UUID], attempt_id: UUID) -> UUID:
    """After a review: this attempt moved no money, the bill may be paid again. Returns the bill's id.

    Money may still arrive for it, and would be booked. Raises UnknownBill when there is nothing to release.
    """
    attempt = queries.one_attempt_at(places, attempt_id)
    if attempt is None or attempt.state != "to_review":
        raise UnknownBill(attempt_id)
    move(attempt, "expired", "released")
    record("payment.released", attempt)
    return attempt.bill_id
