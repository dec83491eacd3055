"""What hospitals and people want of reminders, and what was sent."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed
from services.appointments.reminders.policy import Hours, Policy

SAYS = ("where", "when", "nothing")
"""How much a message tells: the time and the hospital, the time alone, or that something waits."""
STATES = ("planned", "leaving", "sent", "dropped", "refused", "uncertain")


class _Rules:
    """The columns of a policy (`policy.Policy`)."""

    is_on: Mapped[bool] = mapped_column(default=True, server_default="true")
    mail_days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=lambda: [7, 1], server_default="{7,1}")
    text_days: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=lambda: [2], server_default="{2}")
    near_mail: Mapped[bool] = mapped_column(default=True, server_default="true")
    near_text: Mapped[bool] = mapped_column(default=True, server_default="true")
    late_text: Mapped[bool] = mapped_column(default=True, server_default="true")

    @property
    def policy(self) -> Policy:
        return Policy(
            self.is_on, tuple(self.mail_days), tuple(self.text_days), self.near_mail, self.near_text, self.late_text
        )


class ReminderSetting(_Rules, Base):
    """What one hospital wants. is_on: nothing is sent at all when it is not. Hours are of its wall clock."""

    __tablename__ = "reminder_setting"
    __table_args__ = (
        CheckConstraint("says in ('where', 'when', 'nothing')", "says"),
        CheckConstraint(
            "quiet_until >= 6 and quiet_until <= send_at and send_at < quiet_from and quiet_from <= 22", "hours"
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    send_at: Mapped[int] = mapped_column(SmallInteger, default=15, server_default="15")
    quiet_from: Mapped[int] = mapped_column(SmallInteger, default=20, server_default="20")
    quiet_until: Mapped[int] = mapped_column(SmallInteger, default=8, server_default="8")
    says: Mapped[str] = mapped_column(default="where", server_default="where")

    @property
    def hours(self) -> Hours:
        return Hours(self.send_at, self.quiet_from, self.quiet_until)


class ReminderPolicy(_Rules, Base):
    """What one reason wants instead of its hospital's rules."""

    __tablename__ = "reminder_policy"

    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id", ondelete="cascade"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))


class ReminderChoice(Base):
    """What one person wants: no reminder at all, or messages that say neither when nor where."""

    __tablename__ = "reminder_choice"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    wanted: Mapped[bool] = mapped_column(default=True, server_default="true")
    discreet: Mapped[bool] = mapped_column(default=False, server_default="false")


class Reminder(Keyed, Base):
    """One message a day to one person by one way, whatever the number of visits: its key says so.

    recipient_id: the account, or the patient who has none. establishment_id: of the visit that made it be written.
    leaving: on its way; a worker that dies then leaves it uncertain, and nothing is sent twice. visits: of how many
    it told.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        UniqueConstraint("recipient_id", "day", "channel"),
        CheckConstraint("channel in ('mail', 'text')", "channel"),
        CheckConstraint("state in ('planned', 'leaving', 'sent', 'dropped', 'refused', 'uncertain')", "state"),
        Index("ix_reminder_establishment_id_day", "establishment_id", "day"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    recipient_id: Mapped[UUID]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    because: Mapped[str] = mapped_column(default="", server_default="")
    visits: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    planned_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)


class ReminderSeen(Base):
    """A visit was looked at for one day: it is not looked at again unless it moves."""

    __tablename__ = "reminder_seen"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    start_at: Mapped[datetime] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
