"""What is kept about the audit itself: verifications of its chain, and how far it was sent outside."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class AuditVerification(Keyed, Base):
    """One recomputation of the whole chain. head: the digest of the last batch that holds; asked_by: an account, None
    for the clock."""

    __tablename__ = "audit_verification"

    asked_by: Mapped[UUID | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime] = mapped_column(default=db.now, index=True)
    batches: Mapped[int]
    events: Mapped[int] = mapped_column(BigInteger)
    unsealed: Mapped[int]
    broken_batch: Mapped[int | None] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary)


class AuditSending(Base):
    """How far the sealed batches were sent to one collector. batch_id: the last one it has whole, 0 for none.

    part_xid, part_id: the last event that it has of the batch after that one, 0 for none; a long one leaves in parts.
    leased_until: a worker is sending; failure: the class of the last error, "" when the last try went through.
    """

    __tablename__ = "audit_sending"

    collector: Mapped[str] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    part_xid: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    part_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    events: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    sent_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(default="", server_default="")
