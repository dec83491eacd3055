"""Reasons for consultation, consultation sessions, claims on people's time, appointments and their changes."""

import secrets
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import calendar, db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.appointments import slots, states
from services.appointments.slots import Opening, Window

SERVICE = "appointments"

REFERENCE_ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""No vowel, so no word; no 0, O, 1 or I, which people mistake for one another on the phone."""
REFERENCE_LENGTH = 8
_FURTHEST_BY_PHONE = timedelta(days=730)


def new_reference() -> str:
    """A reference people can read aloud; 28^8 of them, drawn at random."""
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LENGTH))


class Reason(Keyed, Base):
    """Why one comes to a unit: how long it takes, who may book it and when, how to prepare.

    pause_min: the practitioner's, after each. grid_min: begins only every so many minutes (0: at any step).
    max_to_come: how many of them one patient may have to come by booking alone (0: as many as they like).
    most_a_session: how many of them a new session takes (None: all that fit). link: of the teleconsultation, whose
    `{reference}` becomes the appointment's. pieces: kinds of papers to prepare. closed_at: not given any more.
    """

    __tablename__ = "reason"
    __table_args__ = (
        CheckConstraint("duration_min between 5 and 900", "duration"),
        CheckConstraint("pause_min >= 0 and grid_min >= 0 and max_to_come >= 0", "rules"),
        CheckConstraint("min_delay_hours >= 0 and max_delay_days > 0 and cancel_cutoff_hours >= 0", "delays"),
        CheckConstraint(
            "most_a_session > 0 and min_age >= 0 and max_age >= min_age and come_before_min between 0 and 240", "whom"
        ),
        CheckConstraint("link = '' or link like 'https://%'", "link"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str]
    duration_min: Mapped[int]
    bookable_online: Mapped[bool] = mapped_column(default=True)
    open_to_new_patients: Mapped[bool] = mapped_column(default=True)
    instructions: Mapped[str] = mapped_column(default="")
    to_bring: Mapped[str] = mapped_column(default="")
    price: Mapped[str] = mapped_column(default="")
    min_delay_hours: Mapped[int] = mapped_column(default=24)
    max_delay_days: Mapped[int] = mapped_column(default=180)
    min_delay_business_days: Mapped[int] = mapped_column(default=0, server_default="0")
    cancel_cutoff_hours: Mapped[int] = mapped_column(default=24)
    pause_min: Mapped[int] = mapped_column(default=0, server_default="0")
    grid_min: Mapped[int] = mapped_column(default=0, server_default="0")
    max_to_come: Mapped[int] = mapped_column(default=2, server_default="2")
    by_referral_only: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_remote: Mapped[bool] = mapped_column(default=False, server_default="false")
    position: Mapped[int] = mapped_column(default=0)
    open_to_city: Mapped[bool] = mapped_column(default=True, server_default="true")
    closed_at: Mapped[datetime | None]
    most_a_session: Mapped[int | None] = mapped_column(SmallInteger)
    link: Mapped[str] = mapped_column(default="", server_default="")
    come_before_min: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    arrival: Mapped[str] = mapped_column(default="", server_default="")
    speciality: Mapped[str] = mapped_column(default="", server_default="")
    min_age: Mapped[int | None] = mapped_column(SmallInteger)
    max_age: Mapped[int | None] = mapped_column(SmallInteger)
    pieces: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    questionnaire: Mapped[str | None]

    unit: Mapped[Unit] = relationship()
    establishment: Mapped[Establishment] = relationship()

    def cells(self, step_min: int) -> int:
        """How many cells of a session it fills, the pause included."""
        return slots.cells_for(self.duration_min + self.pause_min, step_min)

    def suits_age(self, birth_on: date | None, day: date) -> bool:
        """Whether somebody born then is of the age it is for, on the day of the visit; not known, they may come."""
        if birth_on is None:
            return True
        age = day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))
        youngest, oldest = self.min_age, self.max_age
        return (youngest is None or age >= youngest) and (oldest is None or age <= oldest)

    def window(self, channel: str, now: datetime) -> Window:
        """When an appointment made now may begin: online delays bind patients, an agent on the phone knows better."""
        if channel == "phone":
            return Window(now, now + _FURTHEST_BY_PHONE, channel, now)
        earliest = now + timedelta(hours=self.min_delay_hours)
        if self.min_delay_business_days:
            earliest = max(earliest, self._business_notice(now))
        return Window(earliest, now + timedelta(days=self.max_delay_days), channel, now)

    def _business_notice(self, now: datetime) -> datetime:
        """The first moment of the last business day of notice, on the hospital's calendar."""
        tz = self.establishment.tz
        rules = self.establishment.holiday_rules
        day = calendar.business_days_after(calendar.civil_day(now, tz), self.min_delay_business_days, rules)
        return calendar.to_utc(day, time(), tz) or now


class ConsultationSession(Keyed, Base):
    """A stretch of time when a practitioner receives patients (the hospital's "vacation").

    template_id: the weekly rule that opened it, if any. planned: the cells that rule opens (None: all); open is what
    absences leave of them.

    open, free: masks of its cells (see slots.py); free = open minus what is claimed. for_web, for_city: the cells
    those channels may take until released_at; None: all. A group (capacity above 1) keeps its cells free until its
    last seat is taken, and its appointments all fill the same cells.
    """

    __tablename__ = "consultation_session"
    __table_args__ = (
        CheckConstraint("step_min in (5, 10, 15)", "step"),
        CheckConstraint(f"n_cells between 1 and {slots.MAX_CELLS}", "n_cells"),
        CheckConstraint("open >= 0 and open < (1::bigint << n_cells)", "open"),
        CheckConstraint("(free & ~open) = 0", "free_within_open"),
        CheckConstraint("capacity between 1 and 99 and seats_left between 0 and capacity", "seats"),
        UniqueConstraint("template_id", "start_at"),
        Index("ix_consultation_session_to_book", "unit_id", "local_date", postgresql_where="free <> 0"),
        Index("ix_consultation_session_unit_id_local_date", "unit_id", "local_date"),
        Index(
            "ix_consultation_session_closed",
            "establishment_id",
            "start_at",
            postgresql_where="open <> ((1::bigint << n_cells) - 1)",
        ),
        Index("ix_consultation_session_practitioner_id_start_at", "practitioner_id", "start_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    start_at: Mapped[datetime]
    local_date: Mapped[date] = mapped_column(Date)
    step_min: Mapped[int] = mapped_column(SmallInteger)
    n_cells: Mapped[int] = mapped_column(SmallInteger)
    open: Mapped[int] = mapped_column(BigInteger)
    free: Mapped[int] = mapped_column(BigInteger)
    for_web: Mapped[int | None] = mapped_column(BigInteger)
    for_city: Mapped[int | None] = mapped_column(BigInteger)
    released_at: Mapped[datetime | None]
    capacity: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    seats_left: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("session_template.id"))
    planned: Mapped[int | None] = mapped_column(BigInteger)
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("resource.id"), index=True)

    practitioner: Mapped[Practitioner] = relationship()

    def at(self, cell: int) -> datetime:
        """The moment a cell begins."""
        return self.start_at + timedelta(minutes=cell * self.step_min)

    def without(self, cells: int) -> Opening:
        """As it would be, were these cells given back."""
        return slots.Free(self.start_at, self.step_min, self.free | (self.open & cells), self.for_web, self.for_city,
                          self.released_at)  # fmt: skip


class SessionReason(Base):
    """A session takes appointments for this reason: at most so many of them, when the hospital says how many.

    taken: appointments and holds of this reason in this session, kept true only while `most` is set.
    """

    __tablename__ = "session_reason"

    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id", ondelete="cascade"), primary_key=True)
    session_id: Mapped[UUID] = mapped_column(
        ForeignKey("consultation_session.id", ondelete="cascade"), primary_key=True, index=True
    )
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    most: Mapped[int | None] = mapped_column(SmallInteger)
    taken: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")

    @property
    def is_full(self) -> bool:
        return self.most is not None and self.taken >= self.most


class ResourcePool(Keyed, Base):
    """Rooms, devices or interpreters that stand for one another: an appointment that needs one takes any of them."""

    __tablename__ = "resource_pool"
    __table_args__ = (
        UniqueConstraint("establishment_id", "name"),
        CheckConstraint("kind in ('room', 'device', 'interpreter')", "kind"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    name: Mapped[str]


class Resource(Keyed, Base):
    """One room, device or interpreter. What it is claimed for names nobody."""

    __tablename__ = "resource"
    __table_args__ = (UniqueConstraint("pool_id", "name"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("resource_pool.id"))
    name: Mapped[str]
    out_of_use: Mapped[bool] = mapped_column(default=False, server_default="false")

    pool: Mapped[ResourcePool] = relationship()


class ReasonPool(Base):
    """An appointment for this reason needs one of this pool, as long as the patient is there."""

    __tablename__ = "reason_pool"

    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id", ondelete="cascade"), primary_key=True)
    pool_id: Mapped[UUID] = mapped_column(ForeignKey("resource_pool.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))


class Appointment(Keyed, Base):
    """A patient is expected by a practitioner, at a moment, for a reason.

    n_cells: of the session, the pause after it included. beyond: an agent added it to what the session holds.
    arrived_at, called_at: when the patient came to the desk, and when they were called in. at_kiosk: they said
    themselves that they were there, at a terminal. professional_id: the
    practitioner of the city who booked or asked for it. chain_id: shared by visits booked together. reminded_at: when
    its patient was last reminded of it. confirmed_for: the start for which they said that they come (another one: it
    moved since).
    """

    __tablename__ = "appointment"
    __table_args__ = (
        UniqueConstraint("establishment_id", "reference"),
        CheckConstraint("state in ('booked', 'arrived', 'done', 'missed', 'cancelled')", "state"),
        CheckConstraint("channel in ('web', 'phone', 'city', 'walk_in')", "channel"),
        CheckConstraint("end_at > start_at", "ends_after_it_starts"),
        Index("ix_appointment_patient_id_start_at", "patient_id", "start_at"),
        Index("ix_appointment_unit_id_start_at", "unit_id", "start_at"),
        Index("ix_appointment_session_id", "session_id"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("consultation_session.id"))
    first_cell: Mapped[int] = mapped_column(SmallInteger)
    n_cells: Mapped[int] = mapped_column(SmallInteger)
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    state: Mapped[str]
    channel: Mapped[str]
    reference: Mapped[str]
    cancel_reason: Mapped[str] = mapped_column(default="")
    missed_because: Mapped[str] = mapped_column(default="", server_default="")
    arrived_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    at_kiosk: Mapped[bool] = mapped_column(default=False, server_default="false")
    beyond: Mapped[bool] = mapped_column(default=False, server_default="false")
    booked_at: Mapped[datetime] = mapped_column(default=db.now)
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")
    professional_id: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"), index=True)
    chain_id: Mapped[UUID | None] = mapped_column(index=True)
    reminded_at: Mapped[datetime | None]
    confirmed_for: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship()
    site: Mapped[Site] = relationship()
    unit: Mapped[Unit] = relationship()
    practitioner: Mapped[Practitioner] = relationship()
    reason: Mapped[Reason] = relationship()

    @property
    def tz(self) -> ZoneInfo:
        """The hospital's time zone: the only one in which its times are shown."""
        return self.establishment.tz

    @property
    def is_confirmed(self) -> bool:
        """Whether the patient said that they come at this time."""
        return self.confirmed_for == self.start_at

    @property
    def is_to_come(self) -> bool:
        return self.state == states.BOOKED and self.end_at > db.now()

    @property
    def may_be_cancelled(self) -> bool:
        """By the patient, without calling."""
        return self.state == states.BOOKED and db.now() < self.cancel_before

    @property
    def local_day(self) -> date:
        """The day of it, in the hospital's calendar."""
        return calendar.civil_day(self.start_at, self.tz)

    @property
    def be_there_at(self) -> datetime:
        """When the patient is asked to be there."""
        return self.start_at - timedelta(minutes=self.reason.come_before_min)

    @property
    def cancel_before(self) -> datetime:
        """Until when the patient may cancel without calling."""
        return self.start_at - timedelta(hours=self.reason.cancel_cutoff_hours)


class Claim(Base):
    """Five minutes of somebody's time are taken: the practitioner's and the patient's, for an appointment or a hold.

    Its key makes a double booking impossible, whatever the code above forgets. seat: 0 for one patient at a time,
    more in a group, from 100 on when an agent squeezes somebody in. No foreign key: claims live and die in the
    statements that book and cancel, and checking one parent per five minutes would double the cost of a booking.
    """

    __tablename__ = "claim"

    resource_id: Mapped[UUID] = mapped_column(primary_key=True)
    cell: Mapped[int] = mapped_column(primary_key=True)
    seat: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=0)
    owner_id: Mapped[UUID] = mapped_column(index=True)
    patient_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    establishment_id: Mapped[UUID]


class Hold(Keyed, Base):
    """A time kept for somebody until a moment: nobody else sees it free meanwhile.

    purpose: `form` (an account fills a form, one at a time), `proposal` (an agent proposes it to a patient), `offer`
    (it came free, and the patient is next in line).
    """

    __tablename__ = "hold"
    __table_args__ = (
        CheckConstraint("purpose in ('form', 'proposal', 'offer')", "purpose"),
        CheckConstraint(
            "(purpose = 'form') = (account_id is not null) and (purpose = 'form') = (patient_id is null)", "somebody"
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), unique=True)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    purpose: Mapped[str] = mapped_column(default="form", server_default="form")
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id"))
    session_id: Mapped[UUID] = mapped_column(ForeignKey("consultation_session.id", ondelete="cascade"), index=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"))
    first_cell: Mapped[int] = mapped_column(SmallInteger)
    n_cells: Mapped[int] = mapped_column(SmallInteger)
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class StateChange(Keyed):
    """What every history of this room tells of one change: from where to where, by whom, when, and why (a code)."""

    establishment_id: Mapped[UUID]
    from_state: Mapped[str]
    to_state: Mapped[str]
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
    reason: Mapped[str] = mapped_column(default="")


class AppointmentChange(StateChange, Base):
    """One change of an appointment's state; never altered."""

    __tablename__ = "appointment_change"
    __table_args__ = (Index("ix_appointment_change_at", "at", postgresql_using="brin"), {"comment": "append-only"})

    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), index=True)
    patient_id: Mapped[UUID]
    start_at: Mapped[datetime | None]
