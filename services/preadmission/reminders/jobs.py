"""Reminders leave by jobs alone; what a dead worker leaves on its way stays uncertain, and is not sent twice."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete

from portal import db, jobs, notifications, text_messages
from portal.gateways import OutcomeUnknown, Refused, Unavailable
from services.preadmission.reminders import planning, sending
from services.preadmission.reminders.models import PreadmissionReminder
from services.preadmission.reminders.sending import Parting

log = structlog.get_logger(__name__)
_KEEP = timedelta(days=400)


@jobs.periodic("*/15 * * * *", "preadmission.plan_reminders")
def plan_now() -> None:
    """Late or repeated, it plans nothing twice."""
    with jobs.reading():
        planning.plan(db.now())


@jobs.task("preadmission.send_reminder")
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
        sending.settle(wanted, state, because, parting)


def _send(parting: Parting) -> None:
    if not parting.subject:
        text_messages.send(parting.to.to, parting.text)
        return
    notifications.carry(parting.to.to, parting.subject, parting.text)


@jobs.periodic("53 3 * * *", "preadmission.forget_reminders")
def forget() -> None:
    """What was sent is known for a year or so."""
    with jobs.reading() as current:
        current.execute(delete(PreadmissionReminder).where(PreadmissionReminder.planned_at < db.now() - _KEEP))
