"""Reminders leave by jobs alone; what a dead worker leaves on its way stays uncertain, and is not sent twice."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete

from portal import db, jobs, notifications
from portal.gateways import OutcomeUnknown, Refused, Unavailable
from services.billing.reminders import sending
from services.billing.reminders.models import BillReminder

log = structlog.get_logger(__name__)
_KEEP = timedelta(days=400)


@jobs.periodic("*/15 * * * *", "billing.plan_reminders")
def plan_now() -> None:
    """Late or repeated, it plans nothing twice."""
    with jobs.reading():
        sending.plan(db.now())


@jobs.task("billing.send_reminder")
def send_reminder(reminder_id: str) -> None:
    """Send one message, if it is still to be sent."""
    wanted = UUID(reminder_id)
    with jobs.reading():
        parting = sending.depart(wanted, db.now())
    if parting is None:
        return
    try:
        notifications.carry(parting.to.email, *parting.words)
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


@jobs.periodic("57 3 * * *", "billing.forget_reminders")
def forget() -> None:
    """What was sent is known for a year or so."""
    with jobs.reading() as current:
        current.execute(delete(BillReminder).where(BillReminder.planned_at < db.now() - _KEEP))
