"""Patients whom a practitioner of the city sends to a hospital, in their own words."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class SentPatient(Keyed, Base):
    """Somebody as a practitioner described them to one hospital, where they are a provisional person (`patient_id`).

    What the hospital makes of that person is never shown here: these words are the practitioner's own.
    """

    __tablename__ = "sent_patient"

    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    birth_name: Mapped[str]
    first_name: Mapped[str]
    birth_on: Mapped[date] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(default="")
    mobile: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.birth_name}"
