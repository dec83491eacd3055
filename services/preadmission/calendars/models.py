"""What a hospital, or one of its units, changes of the calendar of stays."""

from datetime import time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed


class StayCalendarRule(Keyed, Base):
    """Days before the stay (`kinds.StayCalendar`); an empty one leaves the kind's own. cut_off_hour: 0 to 23, of the
    hospital's clock. unit_id: None for the whole hospital; a unit's own rule goes before it."""

    __tablename__ = "stay_calendar_rule"
    __table_args__ = (
        Index("uq_stay_calendar_rule_unit_id", "unit_id", unique=True, postgresql_where=text("unit_id is not null")),
        Index(
            "uq_stay_calendar_rule_hospital", "establishment_id", unique=True, postgresql_where=text("unit_id is null")
        ),
        CheckConstraint("opens between 1 and 365", "opens"),
        CheckConstraint("recommended between 0 and 60", "recommended"),
        CheckConstraint("cut_off between 0 and 30", "cut_off"),
        CheckConstraint("cut_off_hour between 0 and 23", "cut_off_hour"),
        CheckConstraint("to_complete_days between 1 and 30", "to_complete_days"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    opens: Mapped[int | None] = mapped_column(SmallInteger)
    recommended: Mapped[int | None] = mapped_column(SmallInteger)
    cut_off: Mapped[int | None] = mapped_column(SmallInteger)
    cut_off_hour: Mapped[int | None] = mapped_column(SmallInteger)
    reminders: Mapped[list[int] | None] = mapped_column(ARRAY(SmallInteger))
    to_complete_days: Mapped[int | None] = mapped_column(SmallInteger)

    @property
    def changes(self) -> dict[str, Any]:
        """By field of `kinds.StayCalendar`; None leaves it."""
        return {
            "opens": self.opens,
            "recommended": self.recommended,
            "cut_off": self.cut_off,
            "cut_off_at": None if self.cut_off_hour is None else time(self.cut_off_hour),
            "reminders": None if self.reminders is None else tuple(self.reminders),
            "to_complete": None if self.to_complete_days is None else timedelta(days=self.to_complete_days),
        }
