"""Two descriptions that may be one person's, waiting for the identity unit. Nothing is ever merged by itself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class PossibleDuplicate(Keyed, Base):
    """A newer patient resembles an older one that this hospital knows.

    differs: the traits that differ, by code, "" when none does. kind: `accounts` (each has one) or `record` (one of
    them was registered by phone or at the desk). moved_account_id, kept_account_id: whose doors a decision "same
    person" gave to whom, to give them back.
    """

    __tablename__ = "possible_duplicate"
    __table_args__ = (
        UniqueConstraint("establishment_id", "patient_id", "older_id"),
        CheckConstraint("kind in ('accounts', 'record')", "kind"),
        CheckConstraint("decision in ('', 'different', 'same', 'undone')", "decision"),
        CheckConstraint("patient_id <> older_id", "two_people"),
        Index(
            "ix_possible_duplicate_waiting", "establishment_id", "found_at", postgresql_where=text("decided_at is null")
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    older_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    differs: Mapped[str] = mapped_column(default="", server_default="")
    found_at: Mapped[datetime] = mapped_column(default=db.now)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="", server_default="")
    decision: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    moved_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    kept_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship(foreign_keys=patient_id)
    older: Mapped[Patient] = relationship(foreign_keys=older_id)
