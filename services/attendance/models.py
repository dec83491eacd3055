"""Emergency departments, and what was said of them at each moment. No patient is in these tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.attendance import states
from services.attendance.estimates import Told

RIGHT = "care"
"""Whoever says how many wait. Departments are described by administrators."""
LANGUAGES = ("fr", "en", "es", "ar")
"""In which a message may be written."""


def _among(column: str, codes: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(code) for code in codes)})"


class EmergencyDepartment(Keyed, Base):
    """Where emergencies are received: a unit, whom it receives, how to reach it.

    code: how other systems and addresses call it, within its hospital. name: "" when it is the unit's. access: which
    door, in short. is_published: on the public page. removed_at: not shown anywhere any more.
    """

    __tablename__ = "emergency_department"
    __table_args__ = (
        UniqueConstraint("establishment_id", "code"),
        CheckConstraint(_among("kind", states.KINDS), "kind"),
        CheckConstraint("code ~ '^[a-z0-9][a-z0-9-]{0,39}$'", "code"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    code: Mapped[str]
    name: Mapped[str] = mapped_column(default="", server_default="")
    kind: Mapped[str]
    phone: Mapped[str] = mapped_column(default="", server_default="")
    access: Mapped[str] = mapped_column(default="", server_default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    is_published: Mapped[bool] = mapped_column(default=False, server_default="false")
    removed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()

    @property
    def title(self) -> str:
        return self.name or self.unit.name

    @property
    def number(self) -> str:
        """The telephone to show."""
        return self.phone or self.unit.phone or self.establishment.phone


class EmergencyReading(Keyed, Base):
    """What was said of a department at a moment: one a moment, the last one counts. Kept a few weeks.

    waiting: people; minutes_from, minutes_to: before a doctor sees them. message: language → words.
    """

    __tablename__ = "emergency_reading"
    __table_args__ = (
        UniqueConstraint("department_id", "measured_at"),
        CheckConstraint(_among("state", states.STATES), "state"),
        CheckConstraint(_among("source", states.SOURCES), "source"),
        CheckConstraint("waiting between 0 and 999", "waiting"),
        CheckConstraint("(minutes_from is null) = (minutes_to is null) and minutes_from between 0 and minutes_to"
                        " and minutes_to <= 1440", "minutes"),
        Index("ix_emergency_reading_establishment_id_measured_at", "establishment_id", "measured_at"),
    )  # fmt: skip

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    department_id: Mapped[UUID] = mapped_column(ForeignKey("emergency_department.id"))
    measured_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    source: Mapped[str]
    state: Mapped[str]
    waiting: Mapped[int | None] = mapped_column(SmallInteger)
    minutes_from: Mapped[int | None] = mapped_column(SmallInteger)
    minutes_to: Mapped[int | None] = mapped_column(SmallInteger)
    message: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")

    @property
    def told(self) -> Told:
        known = self.minutes_from is not None and self.minutes_to is not None
        minutes = (self.minutes_from or 0, self.minutes_to or 0) if known else None
        return Told(self.measured_at, self.state, self.waiting, minutes, self.message)
