"""Who did what to whose record: append-only, sealed by the worker in hash-chained batches.

Writers never wait for a chain: they only insert. A batch is the rows with `from <= xid < to`, ordered by (xid, id),
where `to` is the oldest transaction still running, read in an earlier statement: a row committed late is sealed
late, never lost. Never batch by id or by time. Gaps in ids are normal (rolled-back transactions).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, Identity, Index, LargeBinary, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from portal import db, jobs
from portal.audit.models import AuditSending, AuditVerification
from portal.db import Base, session

__all__ = [
    "AuditBatch", "AuditEvent", "AuditSending", "AuditVerification", "Verification", "of_patient", "record", "seal",
    "verify",
]  # fmt: skip


class Xid8(UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id; text in Python, since the driver has no number for it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class AuditEvent(Base):
    """One thing done to one person's record (`noun.past`), by one actor."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "patient_id", "at", "id"),
        Index("ix_audit_event_object_id", "object_id", "id", postgresql_where=text("object_id is not null")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    patient_id: Mapped[UUID | None]
    establishment_id: Mapped[UUID | None]
    object_kind: Mapped[str] = mapped_column(default="")
    object_id: Mapped[UUID | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class AuditBatch(Base):
    """One sealed batch; its digest covers its rows and the digest before it."""

    __tablename__ = "audit_batch"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    from_xid: Mapped[str] = mapped_column(Xid8)
    to_xid: Mapped[str] = mapped_column(Xid8, server_default=FetchedValue())
    events: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(default=db.now)


def record(
    action: str,
    *,
    patient_id: UUID | None = None,
    establishment_id: UUID | None = None,
    object_kind: str = "",
    object_id: UUID | None = None,
    **details: str | int | None,
) -> None:
    """Write one audit line about what the current actor does. Details hold codes and ids, never health data."""
    actor = db.current_actor()
    if actor.on_behalf_of is not None:
        details["on_behalf_of"] = str(actor.on_behalf_of)
    db.write_later(
        _INSERT,
        {
            "actor": actor.label,
            "actor_name": actor.name,
            "action": action,
            "patient_id": patient_id,
            "establishment_id": establishment_id,
            "object_kind": object_kind,
            "object_id": object_id,
            "details": json.dumps(details) if details else "{}",
        },
    )


# As text: building the statement for each line, as models allow, took half of a line's time.
_INSERT = (
    "insert into audit_event"
    " (actor, actor_name, action, patient_id, establishment_id, object_kind, object_id, details)"
    " values (:actor, :actor_name, :action, :patient_id, :establishment_id, :object_kind, :object_id,"
    " cast(:details as jsonb))"
)


def of_patient(patient_id: UUID, limit: int = 100) -> Sequence[AuditEvent]:
    """Who opened or changed this person's record, newest first."""
    return session.scalars(
        select(AuditEvent).where(AuditEvent.patient_id == patient_id).order_by(AuditEvent.id.desc()).limit(limit)
    ).all()


# -- sealing -----------------------------------------------------------------------------------------------------

_ROWS = (
    "select id, xid::text, at, actor, actor_name, action, patient_id, establishment_id, object_kind, object_id,"
    " details::text from audit_event where xid >= cast(:from_xid as xid8) and xid < cast(:to_xid as xid8)"
    " order by xid, id"
)


@jobs.periodic("*/1 * * * * */20", "audit.seal")
def seal_now() -> None:
    """Seal what has been committed since the last batch."""
    with jobs.reading():
        seal()


def seal() -> int:
    """Add one batch to the chain and return how many events it covers. One sealer at a time."""
    session.execute(text("select pg_advisory_xact_lock(hashtext('parvis.audit.seal'))"))
    to_xid = str(session.scalar(text("select pg_snapshot_xmin(pg_current_snapshot())::text")))
    last = _last_batch()
    from_xid = last.to_xid if last else "0"
    if int(to_xid) <= int(from_xid):
        return 0
    count, digest = _digest(last.digest if last else b"", from_xid, to_xid)
    if count:
        session.add(AuditBatch(from_xid=from_xid, to_xid=to_xid, events=count, digest=digest))
    return count


@dataclass(frozen=True)
class Verification:
    """batches checked, events covered, events not sealed yet, and the id of the first batch that does not hold."""

    batches: int
    events: int
    unsealed: int
    broken_batch: int | None

    @property
    def holds(self) -> bool:
        return self.broken_batch is None


def verify() -> Verification:
    """Recompute the whole chain."""
    digest, events, checked, end = b"", 0, 0, "0"
    for batch in session.scalars(select(AuditBatch).order_by(AuditBatch.id)):
        count, digest = _digest(digest, batch.from_xid, batch.to_xid)
        if digest != batch.digest or count != batch.events or int(batch.from_xid) < int(end):
            return Verification(checked, events, 0, batch.id)
        checked, events, end = checked + 1, events + count, batch.to_xid
    total = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    return Verification(checked, events, total - events, None)


def _last_batch() -> AuditBatch | None:
    return session.scalar(select(AuditBatch).order_by(AuditBatch.id.desc()).limit(1))


def _digest(previous: bytes, from_xid: str, to_xid: str) -> tuple[int, bytes]:
    """SHA-256 over the former digest and the rows as JSON lines; streamed, so a large batch stays small in memory."""
    chain = hashlib.sha256(previous)
    count = 0
    rows = session.execute(text(_ROWS), {"from_xid": from_xid, "to_xid": to_xid}, execution_options={"yield_per": 1000})
    for row in rows:
        chain.update(json.dumps([str(value) for value in row], ensure_ascii=True).encode() + b"\n")
        count += 1
    return count, chain.digest()
