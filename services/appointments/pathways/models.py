"""A pathway: visits that are booked together, on one day (day hospital) or again and again (a series)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.appointments.models import Reason

DAY = "day"
SERIES = "series"


class Pathway(Keyed, Base):
    """Visits that belong together.

    kind: `day` (each step once, in order, on one day, between min_gap_min and max_gap_min minutes after one another)
    or `series` (its one step `times` times, every `every_days` days, give or take `tolerance_days`).
    """

    __tablename__ = "pathway"
    __table_args__ = (
        CheckConstraint("kind in ('day', 'series')", "kind"),
        CheckConstraint("min_gap_min between 0 and max_gap_min and max_gap_min <= 720", "gaps"),
        CheckConstraint(
            "times between 1 and 30 and every_days between 1 and 90 and tolerance_days between 0 and 14", "series"
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[str]
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    bookable_online: Mapped[bool] = mapped_column(default=False)
    known_only: Mapped[bool] = mapped_column(default=False)
    min_gap_min: Mapped[int] = mapped_column(default=0)
    max_gap_min: Mapped[int] = mapped_column(default=120)
    times: Mapped[int] = mapped_column(default=1)
    every_days: Mapped[int] = mapped_column(default=7)
    tolerance_days: Mapped[int] = mapped_column(default=2)
    closed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    steps: Mapped[list["PathwayStep"]] = relationship(order_by="PathwayStep.position", cascade="all, delete-orphan")

    @property
    def reasons(self) -> list[Reason]:
        """One a step, in order."""
        return [step.reason for step in self.steps]

    @property
    def visits(self) -> int:
        return self.times if self.kind == SERIES else len(self.steps)

    @property
    def minutes(self) -> int:
        """How long all visits last, waiting apart."""
        return sum(each.duration_min for each in self.reasons) * (self.times if self.kind == SERIES else 1)


class PathwayStep(Base):
    """One visit of a pathway."""

    __tablename__ = "pathway_step"

    pathway_id: Mapped[UUID] = mapped_column(ForeignKey("pathway.id", ondelete="cascade"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))

    reason: Mapped[Reason] = relationship()
