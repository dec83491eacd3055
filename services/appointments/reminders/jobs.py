"""Reminders leave by jobs alone. A message is looked at again in the transaction that ends just before it leaves; it is
never sent twice: what a dead worker leaves on its way stays uncertain."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete

from portal import calendar, db, jobs, notifications, text_messages
from portal.gateways import OutcomeUnknown, Refused, Unavailable
from services.appointments.reminders import planning, sending
from services.appointments.reminders.models import Reminder, ReminderSeen
from services.appointments.reminders.sending import Parting

log = structlog.get_logger(__name__)

_KEEP_SEEN = timedelta(days=3)
_KEEP = timedelta(days=400)


@jobs.periodic("*/5 * * * *", "appointments.plan_reminders")
def plan_now() -> None:
    """Every five minutes; late or repeated, it plans nothing twice."""
    with jobs.reading():
        planning.plan(db.now())


@jobs.task("appointments.send_reminder")
def send_reminder(reminder_id: str) -> None:
    """Send one message, if it is still to be sent."""
    wanted = UUID(reminder_id)
    with jobs.reading():
        parting = sending.depart(wanted, db.now())
    if parting is None:
        return
    try:
        _send(parting)
    except Unavailable:
        with jobs.reading():
            sending.come_back(wanted)
        raise
    except Refused as refused:
        log.warning("reminder.refused", reason=refused.code)
        state, because = "refused", refused.code
    except OutcomeUnknown:
        state, because = "uncertain", "no_answer"
    else:
        state, because = "sent", ""
    with jobs.effect():
        sending.settle(wanted, state, because, parting.visits)


@jobs.task("appointments.tell_by_text")
def tell_by_text(appointment_id: str, start: int) -> None:
    """Tell somebody who has neither account nor mail that they have an appointment, or have it no more; in the morning
    when it is night."""
    with jobs.reading():
        news = sending.news(UUID(appointment_id), start, db.now())
    if news is None:
        return
    if news.later_at is not None:
        with jobs.effect():
            jobs.enqueue("appointments.tell_by_text", at=news.later_at, appointment_id=appointment_id, start=start)
        return
    try:
        text_messages.send(news.to, news.text)
    except Refused as refused:
        log.warning("text.refused", reason=refused.code)
    with jobs.effect():
        pass  # a second run of this job sends nothing


def _send(parting: Parting) -> None:
    if parting.words.subject:
        notifications.carry(parting.to, parting.words.subject, parting.words.text)
    else:
        text_messages.send(parting.to, parting.words.text)


@jobs.periodic("41 3 * * *", "appointments.forget_reminders")
def forget() -> None:
    """What was looked at is of no use once its day is over; counts are kept a year and a month."""
    with jobs.reading() as current:
        current.execute(delete(ReminderSeen).where(ReminderSeen.day < calendar.earliest_day(db.now() - _KEEP_SEEN)))
        current.execute(delete(Reminder).where(Reminder.day < calendar.earliest_day(db.now() - _KEEP)))
