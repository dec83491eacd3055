"""What the admissions office keeps beside a file: its lines, who looks at it now, what was read on a card, messages."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed

LINES = ("note", "assigned", "taken_over", "released", "spoken_with", "compared", "link_resent")
"""`note`: internal, the patient never reads it. The others say what agents did between two changes of state."""
PRESENT = timedelta(minutes=10)
"""How long somebody who opened a file is taken to be on it, without a sign of theirs."""
OCCASIONS = ("ask", "refuse")
"""When a message is written: documents are asked for again, the file is refused."""


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class OfficeLine(Keyed, Base):
    """One thing an agent noted or did about a file; never altered, and gone with the file."""

    __tablename__ = "preadmission_line"
    __table_args__ = (
        Index("ix_preadmission_line_preadmission_id_at", "preadmission_id", "at"),
        _one_of("kind", LINES),
    )

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    body: Mapped[str] = mapped_column(SealedText("preadmission line"), default="")
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class Presence(Base):
    """An agent has this file on their screen. seen_at: renewed by whatever they post, and by the page while it is open;
    after `PRESENT` they are taken to have left."""

    __tablename__ = "preadmission_presence"

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    name: Mapped[str]
    since_at: Mapped[datetime] = mapped_column(default=db.now)
    seen_at: Mapped[datetime] = mapped_column(default=db.now)


@dataclass(frozen=True)
class Other:
    """A colleague who has the file on their screen, and since when."""

    name: str
    since_at: datetime


class CardReading(Base):
    """The traits an agent read on the identity document, to the letter: they are compared, they replace nothing."""

    __tablename__ = "preadmission_reading"

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    birth_name: Mapped[str] = mapped_column(default="")
    used_name: Mapped[str] = mapped_column(default="")
    first_names: Mapped[str] = mapped_column(default="")
    birth_on: Mapped[date | None] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(default="")
    read_by_name: Mapped[str] = mapped_column(default="")
    read_at: Mapped[datetime] = mapped_column(default=db.now)


class MessageTemplate(Keyed, Base):
    """A message that a hospital's agents start from, rather than write it anew each time."""

    __tablename__ = "preadmission_message"
    __table_args__ = (_one_of("occasion", OCCASIONS),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    occasion: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_by_name: Mapped[str] = mapped_column(default="")
