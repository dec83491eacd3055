"""The chain recomputed, and what was found kept: the clock asks for it every week, an auditor whenever they want."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal import audit, db
from portal.audit import AuditBatch, AuditVerification
from portal.db import session


def verify(asked_by: UUID | None = None) -> AuditVerification:
    """Recompute the chain and keep what was found. As the system."""
    started = db.now()
    found = audit.verify()
    row = AuditVerification(
        asked_by=asked_by,
        started_at=started,
        ended_at=db.now(),
        batches=found.batches,
        events=found.events,
        unsealed=found.unsealed,
        broken_batch=found.broken_batch,
        head=_head(before=found.broken_batch),
    )
    session.add(row)
    audit.record("chain.verified", outcome="holds" if found.holds else "broken", batches=found.batches)
    return row


def last(limit: int = 1) -> Sequence[AuditVerification]:
    """The last verifications, latest first."""
    query = select(AuditVerification).order_by(AuditVerification.ended_at.desc(), AuditVerification.id)
    return session.scalars(query.limit(limit)).all()


def heads(limit: int = 10) -> Sequence[AuditBatch]:
    """The last heads of the chain, latest first: what is worth copying outside."""
    return session.scalars(select(AuditBatch).order_by(AuditBatch.id.desc()).limit(limit)).all()


def batch(batch_id: int) -> AuditBatch | None:
    """One sealed batch."""
    return session.get(AuditBatch, batch_id)


def neighbours(found: AuditBatch) -> tuple[datetime | None, datetime]:
    """Between which moments the rows of a batch were written: its own sealing, and that of the one before."""
    before = session.scalar(
        select(AuditBatch.sealed_at).where(AuditBatch.id < found.id).order_by(AuditBatch.id.desc()).limit(1)
    )
    return before, found.sealed_at


def _head(*, before: int | None) -> bytes:
    query = select(AuditBatch.digest).order_by(AuditBatch.id.desc()).limit(1)
    if before is not None:
        query = query.where(AuditBatch.id < before)
    return session.scalar(query) or b""
