"""Practitioners' time that the hospital's own agenda fills, and the sessions that it opens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed


class OutsideTime(Keyed, Base):
    """A practitioner is busy elsewhere than in the portal; with whom and why is not kept.

    external_id: the hospital's own number for it. is_busy: false once the hospital gave it back; the row stays, so
    that an older word about it, told late, changes nothing. said_at: when the hospital's agenda said so.
    """

    __tablename__ = "outside_time"
    __table_args__ = (
        UniqueConstraint("establishment_id", "external_id"),
        CheckConstraint("end_at > start_at and end_at - start_at <= interval '25 hours'", "lasts_a_day_at_most"),
        Index("ix_outside_time_practitioner_id_start_at", "practitioner_id", "start_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    external_id: Mapped[str]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    is_busy: Mapped[bool] = mapped_column(default=True)
    said_at: Mapped[datetime]


class OutsideSession(Base):
    """Which consultation session a line of the hospital's agenda became; content: a digest of what the line said."""

    __tablename__ = "outside_session"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("consultation_session.id", ondelete="set null"), index=True
    )
    content: Mapped[str]
    said_at: Mapped[datetime]
