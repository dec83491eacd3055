"""The last look before a reminder leaves, and what became of it: marked as leaving in the transaction that ends just
before, it never leaves twice."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from portal import audit, calendar, db, kpi
from portal.db import session
from portal.establishments import Establishment
from services.preadmission.models import Preadmission
from services.preadmission.reminders import mails, planning
from services.preadmission.reminders.models import PreadmissionReminder
from services.preadmission.reminders.planning import Recipient


@dataclass(frozen=True)
class Parting:
    """A message ready to leave, and the files it is about. subject: "" for a text message."""

    to: Recipient
    files: tuple[UUID, ...]
    subject: str
    text: str


def depart(reminder_id: UUID, now: datetime) -> Parting | None:
    """Look at everything again; None when it must not leave: its day is over, nothing waits any more, nobody wants it,
    or another run took it (then nobody knows whether it arrived: it is not sent again)."""
    reminder = session.get(
        PreadmissionReminder, reminder_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if reminder is None or reminder.state not in ("planned", "leaving"):
        return None
    if reminder.state == "leaving":
        _end(reminder, "uncertain", "crash")
        return None
    hospital = session.get_one(Establishment, reminder.establishment_id)
    if calendar.civil_day(now, hospital.tz) != reminder.day or not planning.is_day(now, hospital):
        _end(reminder, "dropped", "too_late")
        return None
    due = planning.due_to(reminder.account_id, reminder.day)
    to = next((to for each in due for to in planning.recipients(each, reminder.day) if _is_to(to, reminder)), None)
    if to is None:
        _end(reminder, "dropped", "nothing_due")
        return None
    reminder.state, reminder.changed_at = "leaving", now
    session.flush()
    subject, text = _words(to, {each.establishment_id for each in due})
    return Parting(to, tuple(each.id for each in due), subject, text)


def _words(to: Recipient, places: Collection[UUID]) -> tuple[str, str]:
    """Of the hospital when all files are its own, of nobody's otherwise."""
    place = next(iter(places)) if len(places) == 1 else None
    if to.channel == planning.TEXT:
        return "", mails.text(to.locale, place)
    return mails.mail(to.locale, place)


def come_back(reminder_id: UUID) -> None:
    """It did not leave, for sure: the next run may send it."""
    session.execute(
        update(PreadmissionReminder)
        .where(PreadmissionReminder.id == reminder_id, PreadmissionReminder.state == "leaving")
        .values(state="planned")
    )


def settle(reminder_id: UUID, state: str, because: str, parting: Parting) -> None:
    """What became of it."""
    reminder = session.get_one(
        PreadmissionReminder, reminder_id, with_for_update={"key_share": True}, populate_existing=True
    )
    _end(reminder, state, because)
    if state != "sent":
        return
    for file_id in parting.files:
        file = session.get_one(Preadmission, file_id)
        audit.record(
            "preadmission.reminded", patient_id=file.patient_id, establishment_id=file.establishment_id,
            object_kind="preadmission", object_id=file.id, channel=parting.to.channel,
        )  # fmt: skip
        kpi.count("preadmission_reminded", establishment_id=file.establishment_id, channel=parting.to.channel)


def _is_to(to: Recipient, reminder: PreadmissionReminder) -> bool:
    return to.account_id == reminder.account_id


def _end(reminder: PreadmissionReminder, state: str, because: str) -> None:
    reminder.state, reminder.because, reminder.changed_at = state, because, db.now()
    session.flush()
