"""Who would come earlier, what was offered to them, and every change."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, CheckConstraint, Date, ForeignKey, Index, SmallInteger, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.appointments.models import Appointment, Reason, StateChange
from services.appointments.waiting import states
from services.appointments.wishes import Wishes, weekdays_of

_STATES = ", ".join(repr(state) for state in states.STATES)


class WaitingEntry(Keyed, Base):
    """A patient would come earlier than their appointment, or as soon as a time for this reason comes free.

    until_on: the last day that would suit. weekdays: bits, 0 for any. practitioner_ids: none for any of them.
    notice_hours: what the patient needs between the offer and the visit. rank: 0, or above when an agent put them
    before the others. account_id: who asked; None: an agent, by phone.
    """

    __tablename__ = "waiting_entry"
    __table_args__ = (
        CheckConstraint(f"state in ({_STATES})", "state"),
        CheckConstraint("half in ('', 'morning', 'afternoon')", "half"),
        CheckConstraint("weekdays between 0 and 127", "weekdays"),
        CheckConstraint("notice_hours between 1 and 720", "notice_hours"),
        Index("ix_waiting_entry_reason_id", "reason_id", "entered_at", postgresql_where="state = 'waiting'"),
        Index("ix_waiting_entry_unit_id_state", "unit_id", "state"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id"))
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointment.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str]
    until_on: Mapped[date] = mapped_column(Date)
    weekdays: Mapped[int] = mapped_column(SmallInteger, default=0)
    half: Mapped[str] = mapped_column(default="")
    practitioner_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    notice_hours: Mapped[int] = mapped_column(SmallInteger, default=24)
    rank: Mapped[int] = mapped_column(SmallInteger, default=0)
    entered_at: Mapped[datetime] = mapped_column(default=db.now)
    closed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship()
    unit: Mapped[Unit] = relationship()
    reason: Mapped[Reason] = relationship()
    appointment: Mapped[Appointment | None] = relationship()

    @property
    def tz(self) -> ZoneInfo:
        return self.establishment.tz

    @property
    def wishes(self) -> Wishes:
        return Wishes([(date.min, self.until_on)], weekdays_of(self.weekdays), self.half)

    @property
    def is_waiting(self) -> bool:
        return self.state == states.WAITING


class WaitingOffer(Keyed, Base):
    """A time that came free, kept for the first who wanted it. outcome: "" while they may still take it."""

    __tablename__ = "waiting_offer"
    __table_args__ = (
        CheckConstraint("outcome in ('', 'accepted', 'declined', 'expired', 'withdrawn')", "outcome"),
        Index("uq_waiting_offer_one_at_a_time", "patient_id", unique=True, postgresql_where="outcome = ''"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("waiting_entry.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    hold_id: Mapped[UUID] = mapped_column(unique=True)
    session_id: Mapped[UUID] = mapped_column(index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    offered_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")

    entry: Mapped[WaitingEntry] = relationship()
    practitioner: Mapped[Practitioner] = relationship()
    site: Mapped[Site] = relationship()

    @property
    def may_be_taken(self) -> bool:
        """Not answered, kept still, and earlier than the visit, which may have been moved meanwhile."""
        visit = self.entry.appointment
        is_earlier = visit is None or self.start_at < visit.start_at
        return self.outcome == "" and is_earlier and self.expires_at > db.now()


class WaitingChange(StateChange, Base):
    """One change of an entry's state; never altered."""

    __tablename__ = "waiting_change"
    __table_args__ = {"comment": "append-only"}

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("waiting_entry.id"), index=True)


class FreedSlot(Base):
    """A visit cancelled less than two days before, once its time has come: had somebody else the time?"""

    __tablename__ = "freed_slot"

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    was_taken: Mapped[bool]
    counted_at: Mapped[datetime] = mapped_column(default=db.now)
