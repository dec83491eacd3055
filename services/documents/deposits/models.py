"""A deposit: one document from a patient to a hospital. Its pages are a piece (`services.pieces`), with its life."""

import secrets
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.documents.shelf.kinds import KINDS

PIECE_KIND: Final = "health_document"
_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else


class Deposit(Keyed, Base):
    """One document that a patient sends to a hospital, or that a hospital asks for.

    asked_at, asked_by, asked_text, due_on: when a unit asked for it. note: the patient's words. sent_at: when the
    patient first sent it; until then a deposit nobody asked for is theirs alone. closed_at: given up, or no longer
    asked. account_id: who sent it.
    """

    __tablename__ = "deposit"
    __table_args__ = (
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", "kind"),
        Index("ix_deposit_establishment_id_sent_at", "establishment_id", "sent_at"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    title: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    asked_text: Mapped[str] = mapped_column(default="")
    asked_by: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    sent_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()
    patient: Mapped[Patient] = relationship()

    @property
    def is_asked(self) -> bool:
        return self.asked_at is not None

    @property
    def addressee(self) -> str:
        """To whom it goes: the unit, else the hospital."""
        return self.unit.name if self.unit else self.establishment.name


def new_reference() -> str:
    """What a patient may say on the telephone: `BKR-7D2-XQ9`."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(9))
    return "-".join((signs[:3], signs[3:6], signs[6:]))
