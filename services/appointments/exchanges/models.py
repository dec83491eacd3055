"""What the hospital system holds of appointments."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Keyed
from portal.establishments import Establishment, Practitioner
from services.appointments.models import Appointment


class SiuAppointment(Keyed, Base):
    """An appointment as the hospital system last said it is: one of the portal's, or one taken there.

    external_id: its number there (SCH-2), else ours (SCH-1). said_at: an older word never replaces a newer one.
    """

    __tablename__ = "siu_appointment"
    __table_args__ = (
        UniqueConstraint("establishment_id", "external_id"),
        CheckConstraint("end_at > start_at", "ends_after_it_starts"),
        Index("ix_siu_appointment_practitioner_id_start_at", "practitioner_id", "start_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    external_id: Mapped[str]
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioner.id"))
    start_at: Mapped[datetime | None]
    end_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="booked")
    said_at: Mapped[datetime]

    establishment: Mapped[Establishment] = relationship()
    appointment: Mapped[Appointment | None] = relationship()
    practitioner: Mapped[Practitioner | None] = relationship()
