"""Hospitals and people say what they want; jobs plan, and look again at the very moment of sending."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal import audit, calendar, db, jobs, kpi
from portal.db import session
from portal.establishments import Establishment
from services.appointments import mails as messages
from services.appointments.models import Appointment, Reason
from services.appointments.reminders import mails, policy, queries
from services.appointments.reminders.mails import Line, Words
from services.appointments.reminders.models import (
    Reminder,
    ReminderChoice,
    ReminderPolicy,
    ReminderSeen,
    ReminderSetting,
)
from services.appointments.reminders.queries import Recipient, Visit

_RULES = ("is_on", "mail_days", "text_days", "near_mail", "near_text", "late_text")


# -- what is wanted ------------------------------------------------------------------------------------------------


def change_setting(establishment_id: UUID, values: dict[str, Any]) -> None:
    """What a hospital wants. values: columns of ReminderSetting."""
    session.merge(ReminderSetting(establishment_id=establishment_id, **values))
    session.flush()
    audit.record(
        "reminder_rules.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        is_on="yes" if values["is_on"] else "no",
    )


def change_policy(reason: Reason, values: dict[str, Any] | None) -> None:
    """What one reason wants instead; None: as its hospital does."""
    former = session.get(ReminderPolicy, reason.id)
    if values is None:
        if former is not None:
            session.delete(former)
    else:
        own = former or ReminderPolicy(reason_id=reason.id, establishment_id=reason.establishment_id)
        for name in _RULES:
            setattr(own, name, values[name])
        session.add(own)
    session.flush()
    audit.record(
        "reminder_rules.changed",
        establishment_id=reason.establishment_id,
        object_kind="reason",
        object_id=reason.id,
        is_on="as_hospital" if values is None else "yes" if values["is_on"] else "no",
    )


def choose(*, wanted: bool, discreet: bool) -> None:
    """What the signed-in person wants."""
    account_id = db.current_actor().account_id
    session.merge(ReminderChoice(account_id=account_id, wanted=wanted, discreet=discreet))
    session.flush()
    audit.record("reminder_choice.changed", object_kind="account", object_id=account_id)


# -- planning ------------------------------------------------------------------------------------------------------


def plan(now: datetime) -> int:
    """Ask for the reminders that are due by now, once a day for each person and way; returns how many.

    Nothing is planned in advance: what is asked for is looked at again when it leaves.
    """
    planned = 0
    for hospital in session.scalars(select(Establishment).order_by(Establishment.finess)).all():
        wanted = queries.rules(hospital.id)
        if wanted.is_on and wanted.hours.allow(now, hospital.tz):
            planned += _plan_at(hospital, queries.to_look_at(hospital, wanted, now), now)
    return planned


def _plan_at(hospital: Establishment, visits: Sequence[Visit], now: datetime) -> int:
    day, planned = calendar.civil_day(now, hospital.tz), 0
    seen = []
    for visit in visits:
        today = [step for step in visit.steps if calendar.civil_day(step.at, hospital.tz) == day and now < step.until]
        if any(step.at > now for step in today):
            continue  # a few minutes later
        seen.append(visit.appointment)
        for channel in sorted({step.channel for step in today}):
            planned += _ask(visit.appointment, channel, now)
    _remember(seen, now)
    return planned


def _ask(appointment: Appointment, channel: str, now: datetime) -> int:
    planned = 0
    for to in queries.recipients(appointment):
        if channel in to.channels:
            row = insert(Reminder).values(
                id=uuid4(),
                establishment_id=appointment.establishment_id,
                recipient_id=to.id,
                account_id=to.account_id,
                channel=channel,
                day=calendar.civil_day(now, appointment.tz),
                planned_at=now,
                changed_at=now,
            )
            made = session.scalar(row.on_conflict_do_nothing().returning(Reminder.id))
            if made is not None:
                jobs.enqueue("appointments.send_reminder", reminder_id=str(made))
                planned += 1
    return planned


def _remember(seen: Collection[Appointment], now: datetime) -> None:
    if seen:
        rows = [
            {"appointment_id": each.id, "day": calendar.civil_day(now, each.tz), "start_at": each.start_at,
             "establishment_id": each.establishment_id}
            for each in seen
        ]  # fmt: skip
        session.execute(insert(ReminderSeen).on_conflict_do_nothing(), rows)


# -- sending -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parting:
    """A message ready to leave, made of rows as they were when its transaction ended. visits: appointment → its start
    in the message."""

    to: str
    words: Words
    visits: dict[UUID, datetime]


def depart(reminder_id: UUID, now: datetime) -> Parting | None:
    """Look at everything again and say that the message leaves; None when it must not: nothing is due any more, its
    day is over, nobody wants it, or another run took it (then nobody knows whether it arrived: it is not sent again).
    """
    reminder = session.get(Reminder, reminder_id, with_for_update={"key_share": True}, populate_existing=True)
    if reminder is None or reminder.state not in ("planned", "leaving"):
        return None
    if reminder.state == "leaving":
        return _end(reminder, "uncertain", "crash")
    to = queries.recipient_of(reminder)
    if to is None or reminder.channel not in to.channels:
        return _end(reminder, "dropped", "not_wanted")
    visits = [each for each in queries.due_to(to, reminder.channel, now) if _is_its_day(each, reminder, now)]
    if not visits:
        return _end(reminder, "dropped", "nothing_due")
    reminder.state, reminder.visits, reminder.changed_at = "leaving", len(visits), now
    session.flush()
    address = to.email if reminder.channel == policy.MAIL else to.mobile
    starts = {each.appointment.id: each.appointment.start_at for each in visits}
    return Parting(address, _words(visits, to, reminder.channel), starts)


def come_back(reminder_id: UUID) -> None:
    """It did not leave, for sure: the next run may send it."""
    session.execute(
        update(Reminder).where(Reminder.id == reminder_id, Reminder.state == "leaving").values(state="planned")
    )


def settle(reminder_id: UUID, state: str, because: str = "", visits: dict[UUID, datetime] | None = None) -> None:
    """What became of it, and of which visits it told."""
    reminder = session.get_one(Reminder, reminder_id, with_for_update={"key_share": True}, populate_existing=True)
    _end(reminder, state, because)
    if state == "sent":
        _mark(visits or {}, reminder.channel)


def _mark(visits: dict[UUID, datetime], channel: str) -> None:
    told = session.scalars(
        select(Appointment)
        .where(Appointment.id.in_(visits))
        .order_by(Appointment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for appointment in told.all():
        if appointment.start_at == visits[appointment.id]:
            appointment.reminded_at = db.now()
        audit.record(
            "appointment.reminded",
            patient_id=appointment.patient_id,
            establishment_id=appointment.establishment_id,
            object_kind="appointment",
            object_id=appointment.id,
            channel=channel,
        )
        kpi.count("appointment_reminded", establishment_id=appointment.establishment_id, channel=channel)


def _end(reminder: Reminder, state: str, because: str) -> None:
    reminder.state, reminder.because, reminder.changed_at = state, because, db.now()
    session.flush()


def _is_its_day(visit: Visit, reminder: Reminder, now: datetime) -> bool:
    """A worker that was away for two days sends nothing of the days before."""
    return calendar.civil_day(now, visit.appointment.tz) == reminder.day


def _words(visits: Sequence[Visit], to: Recipient, channel: str) -> Words:
    lines = [_line(each.appointment, to) for each in visits]
    if any(line.says == "nothing" for line in lines):
        lines = [Line(each.at, each.tz, "", "", "nothing", each.link) for each in lines]
    write = mails.mail if channel == policy.MAIL else mails.text
    return write(lines, has_account=to.account_id is not None, locale=to.locale)


def _line(appointment: Appointment, to: Recipient) -> Line:
    told, hospital = messages.told(appointment, to.account_id), appointment.establishment
    return Line(
        appointment.start_at, appointment.tz, hospital.name, hospital.short_name or hospital.name, told.says, told.link
    )
