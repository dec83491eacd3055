"""What every action on a refund does: hold it, move it, and leave its traces."""

from collections.abc import Collection
from uuid import UUID, uuid4

import structlog
from sqlalchemy import insert, select

from portal import audit, db
from portal.db import session
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill, PaymentAttempt
from services.billing.refunds import states
from services.billing.refunds.actions.facts import TooLate, UnknownRefund
from services.billing.refunds.models import Refund, RefundChange

log = structlog.get_logger(__name__)


def hold_payment(entry: LedgerEntry) -> None:
    """Whoever moves money of one payment takes turns: its attempt first, then its bills in the order of their ids."""
    if entry.attempt_id is not None:
        session.execute(
            select(PaymentAttempt.id).where(PaymentAttempt.id == entry.attempt_id).with_for_update(key_share=True)
        )


def hold_bills(bill_ids: Collection[UUID]) -> None:
    session.execute(select(Bill.id).where(Bill.id.in_(bill_ids)).order_by(Bill.id).with_for_update(key_share=True))


def locked(refund_id: UUID, places: Collection[UUID] | None = None) -> Refund:
    """The refund with all that it touches, locked. places: the hospitals of whoever acts. Raises UnknownRefund."""
    found = session.get(Refund, refund_id)
    if found is None or (places is not None and found.establishment_id not in places):
        raise UnknownRefund(refund_id)
    hold_payment(found.entry)
    hold_bills([found.bill_id])
    return session.get_one(Refund, refund_id, with_for_update={"key_share": True}, populate_existing=True)


def move(refund: Refund, after: str, code: str = "") -> None:
    """One state to the next, with its immutable row. Raises TooLate."""
    before = refund.state
    if before == after:
        return
    if not states.allowed(before, after):
        raise TooLate(f"{before} to {after}")
    refund.state, refund.state_at = after, db.now()
    trace(refund, before, code)


def trace(refund: Refund, before: str, code: str = "") -> None:
    session.flush()
    actor = db.current_actor()
    session.execute(
        insert(RefundChange)
        .inline()
        .values(
            id=uuid4(),
            refund_id=refund.id,
            establishment_id=refund.establishment_id,
            before=before,
            after=refund.state,
            code=code,
            actor=actor.label,
            actor_name=actor.name if actor.kind == "staff" else "",
        )
    )


def record(action: str, refund: Refund, **details: str | int | None) -> None:
    """One line of audit about the bill."""
    audit.record(
        action,
        patient_id=refund.bill.patient_id,
        establishment_id=refund.establishment_id,
        object_kind="bill",
        object_id=refund.bill_id,
        **{"refund_id": str(refund.id), "amount_cents": refund.amount_cents, **details},
    )
