"""What was erased, and what must not be: rows that nobody alters."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed


class RetentionProof(Keyed, Base):
    """What one batch erased: how many things, by which rule, older than when. No person in it. Never altered.

    establishment_id: None for what belongs to no hospital. digest: SHA-256 of the ids of what was erased, sorted.
    failed: what could not be erased, and is tried again the next night.
    """

    __tablename__ = "retention_proof"
    __table_args__ = (Index("ix_retention_proof_at", "at"),)

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    rule: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
    older_than: Mapped[datetime]
    erased: Mapped[int]
    held: Mapped[int]
    failed: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    actor: Mapped[str]


class LegalHold(Keyed, Base):
    """Nothing of this subject may be erased: a claim, a complaint, a judge asks. Never altered; it ends by a lift.

    subject_id: of a thing, its file or its patient. object_kind: as the audit names it.
    """

    __tablename__ = "legal_hold"
    __table_args__ = (CheckConstraint("reason <> ''", "reason"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    object_kind: Mapped[str]
    subject_id: Mapped[UUID] = mapped_column(index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    label: Mapped[str]
    reason: Mapped[str]
    set_at: Mapped[datetime] = mapped_column(default=db.now)
    set_by: Mapped[str]
    set_by_name: Mapped[str]

    lift: Mapped["LegalHoldLift | None"] = relationship(back_populates="hold", uselist=False)


class LegalHoldLift(Keyed, Base):
    """The end of a hold. Never altered."""

    __tablename__ = "legal_hold_lift"
    __table_args__ = (UniqueConstraint("hold_id"), CheckConstraint("reason <> ''", "reason"))

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("legal_hold.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    reason: Mapped[str]
    lifted_at: Mapped[datetime] = mapped_column(default=db.now)
    lifted_by: Mapped[str]
    lifted_by_name: Mapped[str]

    hold: Mapped[LegalHold] = relationship(back_populates="lift")
