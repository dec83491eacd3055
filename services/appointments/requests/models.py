"""Requests for an appointment, what was written about them, the times proposed, and every change."""

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Practitioner, Unit
from portal.files import StoredFile
from services.appointments.models import Reason, StateChange
from services.appointments.requests import states
from services.appointments.wishes import Wishes, weekdays_of

_STATES = ", ".join(repr(state) for state in states.STATES)


class AppointmentRequest(Keyed, Base):
    """A patient asks a unit for an appointment that cannot be booked online.

    spans: days when they can come, as pairs of ISO dates; weekdays: bits, 0 for any; half: "" for the whole day.
    account_id: who sent it. due_at: until when the hospital owes an answer; None while it is the patient's turn.
    answered_at: the first time somebody of the hospital answered.
    """

    __tablename__ = "appointment_request"
    __table_args__ = (
        UniqueConstraint("establishment_id", "reference"),
        CheckConstraint(f"state in ({_STATES})", "state"),
        CheckConstraint("half in ('', 'morning', 'afternoon')", "half"),
        CheckConstraint("weekdays between 0 and 127", "weekdays"),
        Index("ix_appointment_request_establishment_id_state", "establishment_id", "state"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    reason_id: Mapped[UUID | None] = mapped_column(ForeignKey("reason.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reference: Mapped[str]
    state: Mapped[str]
    spans: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    weekdays: Mapped[int] = mapped_column(SmallInteger, default=0)
    half: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    refusal_reason: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    due_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    assigned_name: Mapped[str] = mapped_column(default="")
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"))
    masked: Mapped[bool] = mapped_column(default=False)

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship()
    unit: Mapped[Unit] = relationship()
    reason: Mapped[Reason | None] = relationship()

    @property
    def tz(self) -> ZoneInfo:
        return self.establishment.tz

    @property
    def wishes(self) -> Wishes:
        spans = [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in self.spans]
        return Wishes(spans, weekdays_of(self.weekdays), self.half)

    @property
    def is_open(self) -> bool:
        return self.state in states.OPEN

    @property
    def is_late(self) -> bool:
        return self.due_at is not None and self.due_at < db.now()

    @property
    def version(self) -> str:
        """What a form was made from: a colleague may change the request meanwhile."""
        return self.changed_at.isoformat()


class RequestMessage(Keyed, Base):
    """Words about a request, and a letter that comes with them. Forgotten a year after the request is closed."""

    __tablename__ = "request_message"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("appointment_request.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    from_staff: Mapped[bool]
    text: Mapped[str] = mapped_column(default="")
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), index=True)

    file: Mapped[StoredFile | None] = relationship()


class Proposal(Keyed, Base):
    """A time proposed to a patient, kept for them by a hold. outcome: "" while they may still take it."""

    __tablename__ = "appointment_proposal"
    __table_args__ = (
        CheckConstraint("outcome in ('', 'accepted', 'declined', 'expired', 'taken_back', 'given_back')", "outcome"),
        Index("ix_appointment_proposal_waiting", "expires_at", postgresql_where="outcome = ''"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("appointment_request.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    hold_id: Mapped[UUID] = mapped_column(unique=True)
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default="")

    practitioner: Mapped[Practitioner] = relationship()
    reason: Mapped[Reason] = relationship()


class RequestChange(StateChange, Base):
    """One change of a request's state; never altered."""

    __tablename__ = "request_change"
    __table_args__ = {"comment": "append-only"}

    request_id: Mapped[UUID] = mapped_column(ForeignKey("appointment_request.id"), index=True)
