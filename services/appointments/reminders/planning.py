"""Every few minutes: who is to be reminded today, by which way. Nothing is planned in advance: what is asked for here
is looked at again when it leaves (`sending`)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal import calendar, jobs
from portal.db import session
from portal.establishments import Establishment
from services.appointments.models import Appointment
from services.appointments.reminders import queries
from services.appointments.reminders.models import Reminder, ReminderSeen
from services.appointments.reminders.queries import Visit


def plan(now: datetime) -> int:
    """Ask for the reminders that are due by now, once a day for each person and way; returns how many."""
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
