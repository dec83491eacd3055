"""What a practitioner of the city booked for the patients they send."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from services.appointments.models import Appointment
from services.sent_patients.models import SentPatient


class SentAppointment(Base):
    """An appointment that a practitioner booked for somebody they sent, or asked for."""

    __tablename__ = "sent_appointment"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    sent_patient_id: Mapped[UUID] = mapped_column(ForeignKey("sent_patient.id"), index=True)
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"), index=True)

    appointment: Mapped[Appointment] = relationship()
    sent_patient: Mapped[SentPatient] = relationship()
