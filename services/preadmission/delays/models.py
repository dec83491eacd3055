"""How long each hospital usually takes, as a job computed it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base


class PreadmissionDelay(Base):
    """The last thirty days of one hospital: nine files in ten had their first answer within `days` working days.

    cases: files that were answered; under thirty, nothing is told to patients. median_days: half of them.
    """

    __tablename__ = "preadmission_delay"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    days: Mapped[int]
    median_days: Mapped[int]
    cases: Mapped[int]
    computed_at: Mapped[datetime] = mapped_column(default=db.now)
