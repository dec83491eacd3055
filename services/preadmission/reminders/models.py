"""What was sent to remind somebody of a file."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

STATES = ("planned", "leaving", "sent", "dropped", "refused", "uncertain")


class PreadmissionReminder(Keyed, Base):
    """One message a day to one account, whatever the number of files and of ways: its key says so.

    establishment_id: of the file that made it be written. leaving: on its way; a worker that dies then leaves it
    uncertain, and nothing is sent twice.
    """

    __tablename__ = "preadmission_reminder"
    __table_args__ = (
        UniqueConstraint("account_id", "day"),
        CheckConstraint(f"state in ({', '.join(map(repr, STATES))})", "state"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    day: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    because: Mapped[str] = mapped_column(default="", server_default="")
    planned_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
