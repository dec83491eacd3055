"""How many people come in a minute, and when the next one's turn is."""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base

USUAL_PACE = 1200
"""People a minute, until an administrator says otherwise."""


class WaitingRoom(Base):
    """One row, written when the first person comes.

    next_at: the turn of whoever comes next; in the past as long as nobody has to wait.
    """

    __tablename__ = "waiting_room"
    __table_args__ = (
        CheckConstraint("id = 1", "one"),
        CheckConstraint("per_minute between 1 and 100000", "per_minute"),
    )

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    per_minute: Mapped[int]
    next_at: Mapped[datetime]

    def waiting(self, now: datetime) -> int:
        """How many people wait for their turn now."""
        return max(0, int((self.next_at - now) / timedelta(minutes=1) * self.per_minute))
