"""The last look before a reminder leaves, and what became of it.

A message is made of rows as they are in the transaction that ends just before it leaves. It is marked as leaving in
that transaction, and never leaves again: two runs, or a worker that dies, send nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal import audit, calendar, db, kpi
from portal.db import session
from services.appointments import mails as messages
from services.appointments import states
from services.appointments.models import Appointment
from services.appointments.reminders import mails, policy, queries
from services.appointments.reminders.mails import Line, Words
from services.appointments.reminders.models import Reminder
from services.appointments.reminders.queries import Recipient, Visit


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
        _end(reminder, "uncertain", "crash")
        return None
    to = queries.recipient_of(reminder)
    if to is None or reminder.channel not in to.channels:
        _end(reminder, "dropped", "not_wanted")
        return None
    visits = [each for each in queries.due_to(to, reminder.channel, now) if _is_its_day(each, reminder, now)]
    if not visits:
        _end(reminder, "dropped", "nothing_due")
        return None
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
    places = {each.appointment.establishment_id for each in visits}
    place = places.pop() if len(places) == 1 else None
    return write(lines, has_account=to.account_id is not None, locale=to.locale, establishment_id=place)


def _line(appointment: Appointment, to: Recipient) -> Line:
    told, hospital = messages.told(appointment, to.account_id), appointment.establishment
    return Line(
        appointment.start_at, appointment.tz, hospital.name, hospital.short_name or hospital.name, told.says, told.link
    )


# -- news by text --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class News:
    """A text about one appointment that was booked, moved or cancelled. later_at: when the night is over."""

    to: str
    text: str
    later_at: datetime | None = None


def news(appointment_id: UUID, start: int, now: datetime) -> News | None:
    """What to tell somebody who can be reached by text alone, of their appointment as it is now; None when there is
    nothing to tell, when it has moved since, or when a reminder tells it today anyway."""
    appointment = session.get_one(Appointment, appointment_id)
    has_moved = int(appointment.start_at.timestamp()) != start
    if has_moved or appointment.start_at <= now or appointment.state not in (states.BOOKED, states.CANCELLED):
        return None
    visit = queries.visit_of(appointment)
    hours = queries.rules(appointment.establishment_id).hours
    reminded = appointment.state == states.BOOKED and visit is not None and visit.is_due(policy.TEXT, now)
    to = next((each for each in queries.recipients(appointment) if each.account_id is None and not each.email), None)
    if to is None or not to.mobile or reminded:
        return None
    if not hours.allow(now, appointment.tz):
        return News(to.mobile, "", policy.after_the_night(hours, now, appointment.tz))
    return News(to.mobile, mails.news(_line(appointment, to), cancelled=appointment.state == states.CANCELLED))
