"""Weekly templates of consultation sessions, their one-off days, absences, calls to make, school holidays."""

from dataclasses import fields
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, SmallInteger, Time, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Practitioner, Unit
from services.appointments.agendas.rules import OneDay, Rule
from services.appointments.models import Appointment, Reason, Resource

ABSENCES = ("leave", "training", "illness", "meeting", "strike", "works", "other")
"""Why time closes: codes, never free text, which would hold health data."""
CALLS = ("to_call", "no_answer", "left_message", "reached")


class SessionTemplate(Keyed, Base):
    """When a practitioner receives, week after week, in a unit; see rules.Rule for what each column says."""

    __tablename__ = "session_template"
    __table_args__ = (
        CheckConstraint("weekday between 0 and 6", "weekday"),
        CheckConstraint("step_min in (5, 10, 15)", "step"),
        CheckConstraint("capacity between 1 and 99", "capacity"),
        CheckConstraint("every_weeks between 1 and 52 and (nth is null or nth in (-1, 1, 2, 3, 4, 5))", "how_often"),
        CheckConstraint("school_holidays in ('any', 'outside', 'only')", "school_holidays"),
        CheckConstraint("online in ('all', 'part', 'none') and city in ('all', 'part', 'none')", "channels"),
        CheckConstraint("release_days between 0 and 365", "release"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"), index=True)
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("resource.id"))
    weekday: Mapped[int] = mapped_column(SmallInteger)
    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)
    first_on: Mapped[date] = mapped_column(Date)
    last_on: Mapped[date | None] = mapped_column(Date)
    step_min: Mapped[int] = mapped_column(SmallInteger)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    every_weeks: Mapped[int] = mapped_column(SmallInteger)
    nth: Mapped[int | None] = mapped_column(SmallInteger)
    on_public_holidays: Mapped[bool]
    school_holidays: Mapped[str]
    online: Mapped[str]
    online_from: Mapped[time | None] = mapped_column(Time)
    online_until: Mapped[time | None] = mapped_column(Time)
    city: Mapped[str]
    city_from: Mapped[time | None] = mapped_column(Time)
    city_until: Mapped[time | None] = mapped_column(Time)
    release_days: Mapped[int | None] = mapped_column(SmallInteger)
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)

    unit: Mapped[Unit] = relationship()
    practitioner: Mapped[Practitioner] = relationship()
    room: Mapped[Resource | None] = relationship()
    reasons: Mapped[list["TemplateReason"]] = relationship(order_by="TemplateReason.reason_id")
    days: Mapped[list["TemplateDay"]] = relationship(order_by="TemplateDay.day")

    @property
    def rule(self) -> Rule:
        return Rule(**{each.name: getattr(self, each.name) for each in fields(Rule)})

    def follow(self, rule: Rule) -> None:
        """Take this rule from now on."""
        for each in fields(Rule):
            setattr(self, each.name, getattr(rule, each.name))

    @property
    def one_days(self) -> dict[date, OneDay]:
        """Its days that do not follow the rule."""
        return {each.day: OneDay(each.is_open, each.opens, each.closes) for each in self.days}


class TemplateReason(Base):
    """Sessions of this template take appointments for this reason, at most so many each when `most` is set."""

    __tablename__ = "template_reason"
    __table_args__ = (CheckConstraint("most >= 0", "most"),)

    template_id: Mapped[UUID] = mapped_column(ForeignKey("session_template.id", ondelete="cascade"), primary_key=True)
    reason_id: Mapped[UUID] = mapped_column(ForeignKey("reason.id", ondelete="cascade"), primary_key=True, index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    most: Mapped[int | None] = mapped_column(SmallInteger)

    reason: Mapped[Reason] = relationship()


class TemplateDay(Keyed, Base):
    """One day on which a template opens or stays closed whatever its rule says. opens, closes: other hours, if any."""

    __tablename__ = "template_day"
    __table_args__ = (UniqueConstraint("template_id", "day"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    template_id: Mapped[UUID] = mapped_column(ForeignKey("session_template.id", ondelete="cascade"))
    day: Mapped[date] = mapped_column(Date)
    is_open: Mapped[bool]
    opens: Mapped[time | None] = mapped_column(Time)
    closes: Mapped[time | None] = mapped_column(Time)


class Absence(Keyed, Base):
    """A practitioner is away, or a unit or a room is closed, between two moments.

    source_reference: what the hospital's own agenda calls it, so that it is never imported twice.
    """

    __tablename__ = "absence"
    __table_args__ = (
        UniqueConstraint("establishment_id", "source_reference"),
        CheckConstraint("num_nonnulls(practitioner_id, unit_id, room_id) = 1", "of_one"),
        CheckConstraint("end_at > start_at", "ends_after_it_starts"),
        CheckConstraint("why in ('leave', 'training', 'illness', 'meeting', 'strike', 'works', 'other')", "why"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioner.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("resource.id"))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    why: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    source_reference: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    practitioner: Mapped[Practitioner | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    room: Mapped[Resource | None] = relationship()


class CallToMake(Keyed, Base):
    """A patient to call about an appointment that its session has no room for any more."""

    __tablename__ = "call_to_make"
    __table_args__ = (
        UniqueConstraint("appointment_id"),
        CheckConstraint("state in ('to_call', 'no_answer', 'left_message', 'reached')", "state"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"))
    state: Mapped[str] = mapped_column(default="to_call")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    tried_at: Mapped[datetime | None]
    by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    appointment: Mapped[Appointment] = relationship()


class SchoolHoliday(Keyed, Base):
    """Days without school in a zone, both included (arrêtés du ministre de l'éducation nationale)."""

    __tablename__ = "school_holiday"
    __table_args__ = (UniqueConstraint("zone", "first_on"), CheckConstraint("last_on >= first_on", "order"))

    zone: Mapped[str]
    name: Mapped[str]
    first_on: Mapped[date] = mapped_column(Date)
    last_on: Mapped[date] = mapped_column(Date)
