"""A link of a message: whoever holds it sees when and where one appointment is, and may act on it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from services.appointments.models import Appointment


class AppointmentLink(Keyed, Base):
    """Good for one appointment at one time: moved, the link is dead; begun, too.

    digest: SHA-256 of the link's secret, which is derived from `id` and kept nowhere.
    """

    __tablename__ = "appointment_link"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), index=True)
    start_at: Mapped[datetime]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    appointment: Mapped[Appointment] = relationship()
