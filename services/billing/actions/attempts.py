"""An attempt to pay, from the payer's click to its end; what follows from the provider's answers is in `settling`."""

import secrets
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert

from auth import acts
from portal import audit, db, kpi
from portal.db import session
from portal.gateways.payments import Exchange
from portal.gateways.payments.means import Counter, Opened
from services.billing import queries, states
from services.billing.actions.facts import NotPayable, Started, UnknownBill, digest
from services.billing.actions.traces import keep, locked, move, record
from services.billing.models import AttemptShare, PaymentAttempt
from services.billing.queries import Standing


def start_payment(found: Sequence[Standing], psp: str, *, email: str, locale: str = "") -> Started:
    """Put an attempt at paying what is left of these bills on record, before a provider hears of it.

    The caller has read the bills for the very person who pays. Raises NotPayable (not_together when they cannot be
    paid in one go; under_way when another tab was quicker: the database decides).
    """
    for each in found:
        if reason := queries.obstacle(each):
            raise NotPayable(reason)
    if psp not in queries.means_for(found):
        raise NotPayable("not_together" if len(found) > 1 else "not_online")
    started = Started(uuid4(), secrets.token_urlsafe(32))
    with session.begin_nested():  # undone when a bill is taken
        _write(found, psp, started, email, locale)
        if not _claim(found, started.attempt_id):
            raise NotPayable("under_way")
    for each in found:
        audit.record(
            "payment.started",
            patient_id=each.bill.patient_id,
            establishment_id=each.bill.establishment_id,
            object_kind="bill",
            object_id=each.bill.id,
            amount_cents=each.left_cents,
            psp=psp,
        )
    total = sum(each.left_cents for each in found)
    kpi.count("payment_started", establishment_id=found[0].bill.establishment_id, channel=psp, quantity=total)
    acts.count("billing", found[0].bill.establishment_id, found[0].bill.patient_id)
    return started


def _write(found: Sequence[Standing], psp: str, started: Started, email: str, locale: str) -> None:
    bill, source, now = found[0].bill, queries.source_of(found[0].bill), db.now()
    session.execute(
        insert(PaymentAttempt)
        .inline()
        .values(
            id=started.attempt_id,
            establishment_id=bill.establishment_id,
            account_id=db.current_actor().account_id,
            source=bill.source,
            bill_source=bill.bill_source,
            psp=psp,
            return_digest=digest(started.return_token),
            amount_cents=sum(each.left_cents for each in found),
            refdet=bill.refdet if len(found) == 1 else _reference_of_several(started.attempt_id),
            exer=bill.exer,
            # Another means than PayFiP has its account read when the order is opened: its key is a secret.
            numcli=source.numcli if psp == "payfip" else "",
            mode=source.saisie if psp == "payfip" else "",
            email=email,
            locale=locale,
            created_at=now,
            state_at=now,
            next_poll_at=now + states.CREATION_LOST_AFTER,
        )
    )


def _reference_of_several(attempt_id: UUID) -> str:
    """What a provider is told when one payment is for several bills: 20 letters and digits that no bill bears."""
    return f"PANIER{attempt_id.int % 10**14:014d}"


def _claim(found: Sequence[Standing], attempt_id: UUID) -> bool:
    """Write the shares unless a bill has a live one: the partial unique index decides between two tabs."""
    shares = [
        {
            "attempt_id": attempt_id,
            "bill_id": each.bill.id,
            "establishment_id": each.bill.establishment_id,
            "amount_cents": each.left_cents,
            "live": True,
        }
        for each in sorted(found, key=lambda each: each.bill.id)
    ]
    claim = upsert(AttemptShare).on_conflict_do_nothing().returning(AttemptShare.bill_id)
    return len(session.scalars(claim, shares).all()) == len(shares)


def place(attempt_id: UUID, counter: Counter) -> PaymentAttempt:
    """Write down at which counter the attempt is opened, before the call; returns it with its bills."""
    attempt = locked(attempt_id)
    attempt.numcli, attempt.mode = counter.account, counter.mode
    session.flush()
    return attempt


def open_payment(attempt_id: UUID, opened: Opened, evidence: Exchange | None = None) -> bool:
    """The provider knows this attempt: the payer may go to its page.

    False when it was given up meanwhile, by a clock that found it too old: nobody would watch what is paid there.
    """
    attempt = locked(attempt_id)
    keep(attempt, evidence)
    if attempt.state != "created":
        return False
    attempt.psp_ref, attempt.page_url, attempt.page_until = opened.psp_ref, opened.page_url, opened.expires_at
    move(attempt, "awaiting")
    attempt.next_poll_at = states.next_poll_at("awaiting", attempt.created_at, attempt.state_at, db.now())
    record("payment.opened", attempt)
    return True


def give_up(attempt_id: UUID, code: str, evidence: Exchange | None = None) -> None:
    """No provider knows this attempt, or nobody knows its name there: nobody can pay it, another may begin."""
    attempt = locked(attempt_id)
    keep(attempt, evidence)
    if attempt.state != "created":
        return
    attempt.next_poll_at, attempt.last_code = None, code
    move(attempt, "failed", code)
    record("payment.failed", attempt, code=code)


def release_attempt(places: Collection[UUID], attempt_id: UUID) -> UUID:
    """After a review: this attempt moved no money, its bills may be paid again. Returns the first bill's id.

    Money may still arrive for it, and would be booked. Raises UnknownBill when there is nothing to release.
    """
    if queries.one_attempt_at(places, attempt_id) is None:
        raise UnknownBill(attempt_id)
    attempt = locked(attempt_id)  # its provider may be saying this very moment that it was paid
    if attempt.state != "to_review":
        raise UnknownBill(attempt_id)
    move(attempt, "expired", "released")
    record("payment.released", attempt)
    return attempt.shares[0].bill_id
