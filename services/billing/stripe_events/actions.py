"""Keeping what Stripe tells, once, and what followed from it."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from portal import audit, db, jobs
from portal.db import session
from portal.gateways.payments.means import Answer
from portal.gateways.payments.stripe_signature import Event
from services.billing.ledger.actions import Posting, Side, post
from services.billing.ledger.models import FEES
from services.billing.models import PaymentAttempt
from services.billing.stripe_events.models import StripeEvent, StripeSweep


def receive(establishment_id: UUID, event: Event, came_by: str) -> bool:
    """Keep an event and ask later what is true; False when it was known. Copies that come at once are kept once."""
    known = upsert(StripeEvent).on_conflict_do_nothing(index_elements=["event_id"]).returning(StripeEvent.id)
    row_id = session.scalar(
        known.values(
            id=uuid4(),
            establishment_id=establishment_id,
            event_id=event.id,
            type=event.type,
            object_id=event.object_id,
            payment_ref=event.payment,
            live=event.live,
            came_by=came_by,
            happened_at=datetime.fromtimestamp(event.created_at, UTC),
        )
    )
    if row_id is None:
        return False
    jobs.enqueue("billing.act_on_stripe_event", event_id=str(row_id))
    return True


def conclude(row_id: UUID, state: str, note: str = "") -> None:
    """Nothing more follows from this event."""
    event = session.get_one(StripeEvent, row_id, with_for_update={"key_share": True}, populate_existing=True)
    event.state, event.note, event.done_at = state, note, db.now()


class NothingToAsk(Exception):
    """No event of these hospitals waits for somebody."""


def ask_again(places: Collection[UUID], row_id: UUID) -> None:
    """After what was wrong was put right: ask Stripe again. Raises NothingToAsk."""
    event = session.scalar(
        select(StripeEvent)
        .where(StripeEvent.id == row_id, StripeEvent.establishment_id.in_(places), StripeEvent.state == "to_review")
        .with_for_update(key_share=True)
    )
    if event is None:
        raise NothingToAsk(row_id)
    event.state, event.note, event.done_at = "waiting", "", None
    jobs.enqueue("billing.act_on_stripe_event", event_id=str(event.id))
    audit.record(
        "stripe_event.asked_again",
        establishment_id=event.establishment_id,
        object_kind="stripe_event",
        object_id=event.id,
    )


def book_fee(attempt: PaymentAttempt, answer: Answer) -> None:
    """Write what Stripe keeps of a payment, as an entry of its own: money comes in whole, and the fee goes out."""
    if not answer.fee_cents or answer.fee_cents < 0 or "balance" not in answer.numbers:
        return
    post(
        Posting(
            establishment_id=attempt.establishment_id,
            psp="stripe",
            psp_ref=answer.numbers["balance"],
            kind="fee",
            account=attempt.numcli,
            sides=[
                Side(FEES, debit=answer.fee_cents),
                Side(f"clearing:stripe:{attempt.numcli}", credit=answer.fee_cents),
            ],
            attempt_id=attempt.id,
            bill_source=attempt.bill_source or attempt.source,
            number=answer.number,
            is_test=attempt.is_test,
            moved_at=answer.paid_at,
        )
    )


def mark_swept(establishment_id: UUID, *, read_until: datetime | None = None, trouble: str = "") -> None:
    """How far the events were read; the mark never goes back. trouble: why nothing was read."""
    now = db.now()
    mark = upsert(StripeSweep).values(
        establishment_id=establishment_id, read_until=read_until, swept_at=now, trouble=trouble
    )
    further: dict[str, Any] = {"swept_at": now, "trouble": trouble}
    if read_until is not None:
        further["read_until"] = func.greatest(StripeSweep.read_until, read_until)
    session.execute(mark.on_conflict_do_update(index_elements=["establishment_id"], set_=further))
