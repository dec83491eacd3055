"""What every action on an attempt does: hold it, move it, and leave its traces."""

from uuid import UUID, uuid4

import structlog
from sqlalchemy import insert, update

from portal import audit, db, kpi
from portal.db import session
from portal.gateways.payments import Exchange
from services.billing import states
from services.billing.models import LIVE, AttemptShare, PaymentAttempt, PaymentAttemptChange, PspExchange

log = structlog.get_logger(__name__)

_UNFINISHED = ("refused", "abandoned", "expired", "failed")
"""Ends that figure F4 counts: money may still arrive after all but the last."""


def locked(attempt_id: UUID) -> PaymentAttempt:
    return session.get_one(PaymentAttempt, attempt_id, with_for_update={"key_share": True}, populate_existing=True)


def move(attempt: PaymentAttempt, after: str, code: str = "") -> None:
    """One state to the next, with its immutable row. What states do not allow is told in the log and not done."""
    before = attempt.state
    if before == after:
        return
    if not states.allowed(before, after):
        log.error("payment.transition_refused", attempt_id=str(attempt.id), before=before, after=after)
        return
    session.execute(
        insert(PaymentAttemptChange)
        .inline()
        .values(
            id=uuid4(),
            attempt_id=attempt.id,
            establishment_id=attempt.establishment_id,
            before=before,
            after=after,
            code=code,
            actor=db.current_actor().label,
        )
    )
    if (before in LIVE) != (after in LIVE):
        session.execute(
            update(AttemptShare).where(AttemptShare.attempt_id == attempt.id).values(live=after in LIVE),
            execution_options={"synchronize_session": False},
        )
    if before in LIVE and after not in LIVE and after in _UNFINISHED:
        kpi.count("payment_unfinished", establishment_id=attempt.establishment_id, channel=attempt.psp, dimension=after)
    attempt.state, attempt.state_at = after, db.now()


def keep(attempt: PaymentAttempt, evidence: Exchange | None) -> None:
    if evidence is not None:
        session.add(
            PspExchange(
                id=uuid4(),
                attempt_id=attempt.id,
                establishment_id=attempt.establishment_id,
                operation=evidence.operation,
                request=evidence.request,
                answer=evidence.answer,
                status=evidence.status,
                duration_ms=evidence.duration_ms,
                ending=evidence.ending,
            )
        )


def record(action: str, attempt: PaymentAttempt, **details: str | int | None) -> None:
    """One line of audit for each bill that the attempt pays."""
    for share in attempt.shares:
        audit.record(
            action,
            patient_id=share.bill.patient_id,
            establishment_id=attempt.establishment_id,
            object_kind="bill",
            object_id=share.bill_id,
            **{"attempt_id": str(attempt.id), **details},
        )
