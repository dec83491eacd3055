"""Direct lines of the units, who is on duty, lines that practitioners keep at hand, requests to be called back.

Numbers are for professionals who are signed in: never public. What a practitioner writes of a patient searches for
nobody, and no patient of the hospital hangs on it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Practitioner, Unit
from services.lines import hours, states
from services.lines.hours import Hours

RIGHT = "referrals"
"""Whoever treats requests to be called back. Lines and duties are the administrators'."""
ANSWERERS = ("senior", "intern", "coordinator", "nurse", "secretary")
ROLES = ("first", "backup")
SOURCES = ("entered", "imported")
EMERGENCY = "15"
"""SAMU-Centre 15: on every page where somebody could wait."""


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class Line(Keyed, Base):
    """A number that a unit gives to practitioners. answers: who picks up. for_what, not_for: in a few words.

    week: the hours of seven days, Monday first, as `hours.write` writes them. rank: order among lines of a speciality.
    is_open: closed by an administrator otherwise (closed_note says why), whatever the hours. alternative_id: the line
    to call when this one is closed. takes_callbacks, answer_minutes: whether one may ask to be called back, and within
    how many minutes of its own hours; escalation_email: who is told when that time is over.
    """

    __tablename__ = "direct_line"
    __table_args__ = (
        CheckConstraint(_among("answers", ANSWERERS), "answers"),
        CheckConstraint(_among("holidays", hours.HOLIDAYS), "holidays"),
        CheckConstraint("cardinality(week) = 7", "week"),
        CheckConstraint("answer_minutes between 10 and 2880", "answer_minutes"),
        CheckConstraint("alternative_id <> id", "alternative"),
        Index("ix_direct_line_establishment_id", "establishment_id"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    speciality: Mapped[str]
    label: Mapped[str]
    number: Mapped[str]
    answers: Mapped[str] = mapped_column(default="senior")
    for_what: Mapped[str] = mapped_column(default="", server_default="")
    not_for: Mapped[str] = mapped_column(default="", server_default="")
    week: Mapped[list[str]] = mapped_column(ARRAY(Text))
    holidays: Mapped[str] = mapped_column(default="closed")
    rank: Mapped[int] = mapped_column(SmallInteger, default=10, server_default="10")
    is_open: Mapped[bool] = mapped_column(default=True, server_default="true")
    closed_note: Mapped[str] = mapped_column(default="", server_default="")
    alternative_id: Mapped[UUID | None] = mapped_column(ForeignKey("direct_line.id"))
    takes_callbacks: Mapped[bool] = mapped_column(default=True, server_default="true")
    answer_minutes: Mapped[int] = mapped_column(SmallInteger, default=120, server_default="120")
    escalation_email: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    removed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    alternative: Mapped["Line | None"] = relationship(remote_side="Line.id")

    @property
    def hours(self) -> Hours:
        hospital = self.establishment
        week = tuple(hours.parse(day) for day in self.week)
        return Hours(week, self.holidays, hospital.tz, hospital.holiday_rules)

    def answers_at(self, moment: datetime) -> bool:
        """Whether somebody picks up at this moment."""
        return self.is_open and self.removed_at is None and self.hours.is_open(moment)

    @property
    def switchboard(self) -> str:
        return self.establishment.phone


class Duty(Keyed, Base):
    """Somebody on duty for a unit, or for one of its lines, from a moment until another.

    role: who is called first, or when the first cannot be reached. name, rpps: as typed or imported; practitioner_id:
    when it is one of the hospital's practitioners. phone: where to reach them, instead of the line's number.
    key: what an import calls it, so that the same file twice changes nothing.
    """

    __tablename__ = "duty"
    __table_args__ = (
        CheckConstraint("until_at > from_at", "moments"),
        CheckConstraint(_among("role", ROLES), "role"),
        CheckConstraint(_among("source", SOURCES), "source"),
        UniqueConstraint("establishment_id", "key"),
        Index("ix_duty_unit_id_until_at", "unit_id", "until_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    line_id: Mapped[UUID | None] = mapped_column(ForeignKey("direct_line.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioner.id"))
    name: Mapped[str]
    rpps: Mapped[str] = mapped_column(default="", server_default="")
    phone: Mapped[str] = mapped_column(default="", server_default="")
    role: Mapped[str] = mapped_column(default="first", server_default="first")
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(default="entered", server_default="entered")
    key: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_by: Mapped[str] = mapped_column(default="", server_default="")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    line: Mapped[Line | None] = relationship()
    practitioner: Mapped[Practitioner | None] = relationship()


class FavouriteLine(Base):
    """A line that a practitioner keeps at hand."""

    __tablename__ = "favourite_line"

    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"), primary_key=True)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("direct_line.id"), primary_key=True, index=True)
    added_at: Mapped[datetime] = mapped_column(default=db.now)


class Callback(Keyed, Base):
    """A practitioner asks a line to call back. about, patient_name, patient_born_on: the practitioner's own words.

    useful_until: after it nobody calls any more. due_at: when the call is owed, in the line's hours. told_at: when the
    delay was told to whoever is over the line. taken_by: an agent's account.
    """

    __tablename__ = "callback"
    __table_args__ = (
        CheckConstraint(_among("state", states.STATES), "state"),
        Index("ix_callback_professional_id_asked_at", "professional_id", "asked_at"),
        Index("ix_callback_establishment_id_state", "establishment_id", "state", "due_at"),
        Index("ix_callback_open", "useful_until", postgresql_where=text("state in ('asked', 'taken')")),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    line_id: Mapped[UUID] = mapped_column(ForeignKey("direct_line.id"), index=True)
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    professional_name: Mapped[str]
    professional_rpps: Mapped[str] = mapped_column(default="", server_default="")
    number: Mapped[str]
    about: Mapped[str] = mapped_column(SealedText("callback.about"))
    patient_name: Mapped[str] = mapped_column(SealedText("callback.patient_name"), default="", server_default="")
    patient_born_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str] = mapped_column(default=states.ASKED)
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    due_at: Mapped[datetime]
    useful_until: Mapped[datetime]
    told_at: Mapped[datetime | None]
    taken_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    taken_by_name: Mapped[str] = mapped_column(default="", server_default="")
    taken_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    line: Mapped[Line] = relationship()
    unit: Mapped[Unit] = relationship()
    establishment: Mapped[Establishment] = relationship()

    @property
    def is_open(self) -> bool:
        return self.state in states.OPEN

    def is_late(self, now: datetime) -> bool:
        return self.state == states.ASKED and self.due_at < now


class CallbackChange(Keyed, Base):
    """One change of a request to be called back; never altered."""

    __tablename__ = "callback_change"
    __table_args__ = {"comment": "append-only"}

    callback_id: Mapped[UUID] = mapped_column(ForeignKey("callback.id"), index=True)
    establishment_id: Mapped[UUID]
    professional_id: Mapped[UUID]
    from_state: Mapped[str]
    to_state: Mapped[str]
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
