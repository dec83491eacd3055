"""When a hospital reminds of its bills, and what was sent."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

STATES = ("planned", "leaving", "sent", "dropped", "refused", "uncertain")


class BillReminderSetting(Base):
    """One hospital's rules. before_days, after_days: so many days before and after the day by which to pay. Hours are
    of the hospital's clock: when reminders leave, and between which nothing does."""

    __tablename__ = "bill_reminder_setting"
    __table_args__ = (CheckConstraint("quiet_until <= send_at and send_at < quiet_from", "hours"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    is_on: Mapped[bool]
    before_days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    after_days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    send_at: Mapped[int] = mapped_column(SmallInteger)
    quiet_from: Mapped[int] = mapped_column(SmallInteger)
    quiet_until: Mapped[int] = mapped_column(SmallInteger)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


class BillReminder(Keyed, Base):
    """One message a day to one person, whatever the number of their bills: its key says so.

    recipient_id: an account, or a patient who has none. bills: how many it was about. leaving: on its way; a worker
    that dies then leaves it uncertain, and nothing is sent twice.
    """

    __tablename__ = "bill_reminder"
    __table_args__ = (
        UniqueConstraint("recipient_id", "day"),
        CheckConstraint(f"state in ({', '.join(map(repr, STATES))})", "state"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    recipient_id: Mapped[UUID]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    because: Mapped[str] = mapped_column(default="", server_default="")
    bills: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    planned_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
