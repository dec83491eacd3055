"""A death as it was declared, and the two agents who may undo it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

SOURCES = ("agent", "hospital", "import")
"""Who says so: somebody at a desk, a message of the hospital's system, a file of patients."""


class Death(Keyed, Base):
    """One declaration. `declared_at` is also the mark of all that it ended: accounts, accesses and sessions that
    ended at that very moment are those that undoing it gives back."""

    __tablename__ = "death"
    __table_args__ = (
        CheckConstraint("source in ('agent', 'hospital', 'import')", "source"),
        CheckConstraint("undone_by <> undo_asked_by", "undone_by_two_agents"),
        Index("uq_death_patient_id", "patient_id", unique=True, postgresql_where=text("undone_at is null")),
        Index("ix_death_declared_at", "declared_at"),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    died_on: Mapped[date] = mapped_column(Date)
    source: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(default=db.now)
    declared_by: Mapped[str]
    declared_by_name: Mapped[str] = mapped_column(default="")
    undo_reason: Mapped[str] = mapped_column(default="")
    undo_asked_at: Mapped[datetime | None]
    undo_asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    undo_asked_by_name: Mapped[str] = mapped_column(default="")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    undone_by_name: Mapped[str] = mapped_column(default="")

    patient: Mapped[Patient] = relationship()
    establishment: Mapped[Establishment | None] = relationship()

    @property
    def state(self) -> str:
        """declared, undo_asked (a second agent is awaited) or undone."""
        if self.undone_at is not None:
            return "undone"
        return "undo_asked" if self.undo_asked_at is not None else "declared"
