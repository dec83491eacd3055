"""What a hospital decides of each type of document, and what became of each one towards Mon espace santé."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.documents.shelf.kinds import KINDS

DELAYS: Final = ("none", "days", "business_days", "consultation")
"""When a document is shown: at once, after days, after business days, or when an agent says so."""
SENDINGS: Final = ("waiting", "sent", "refused", "opposed", "not_qualified")
DEFAULT_REMIND_DAYS: Final = 15


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in sorted(values))})", column)


class DocumentType(Keyed, Base):
    """How a hospital treats one type of document. type_code: JDV_J07, or "" for every type without a row of its own.

    label: what patients read instead of the national label, "" to keep it. remind_days: days unread before the one
    reminder; paper_days: days unread before the list of paper letters; None: never. notifies: patients are told.
    """

    __tablename__ = "document_type"
    __table_args__ = (
        UniqueConstraint("establishment_id", "type_code"),
        _one_of("kind", KINDS),
        _one_of("delay", DELAYS),
        CheckConstraint("delay_days >= 0", "delay_days"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    type_code: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    delay: Mapped[str] = mapped_column(default="none")
    delay_days: Mapped[int] = mapped_column(default=0)
    remind_days: Mapped[int | None]
    paper_days: Mapped[int | None]
    notifies: Mapped[bool] = mapped_column(default=True)

    establishment: Mapped[Establishment] = relationship()


class MesSending(Base):
    """What became of a document towards Mon espace santé. reason: of a refusal, a code of the sender."""

    __tablename__ = "mes_sending"
    __table_args__ = (_one_of("state", SENDINGS), Index("ix_mes_sending_patient_id_state", "patient_id", "state"))

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


class MesOpposition(Base):
    """The person does not want documents sent to Mon espace santé, from opposed_at until lifted_at."""

    __tablename__ = "mes_opposition"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    opposed_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    actor_name: Mapped[str] = mapped_column(default="")

    @property
    def holds(self) -> bool:
        return self.opposed_at is not None and self.lifted_at is None
