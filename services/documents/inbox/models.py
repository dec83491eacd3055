"""Texts that agents insert in their answers, and absences with whoever stands in."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit


class ReplyText(Keyed, Base):
    """A text ready to use. unit_id: the only unit that is offered it; None: every unit of the hospital."""

    __tablename__ = "reply_text"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    title: Mapped[str]
    text: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    removed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()


class Absence(Keyed, Base):
    """An agent is away at one hospital, both days included; deputy_*: who gets what is answered to them meanwhile."""

    __tablename__ = "agent_absence"
    __table_args__ = (
        CheckConstraint("last_on >= first_on", "days"),
        CheckConstraint("deputy_id <> account_id", "deputy"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    account_name: Mapped[str]
    deputy_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    deputy_name: Mapped[str]
    first_on: Mapped[date] = mapped_column(Date)
    last_on: Mapped[date] = mapped_column(Date)
    ended_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
