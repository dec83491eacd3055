"""Who is to be reminded, the last look before a message leaves, and what became of it.

A message is marked as leaving in the transaction that ends just before it leaves, after everything was looked at
again there: it never leaves twice, nor about a bill that was paid, disputed or closed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal import audit, calendar, db, jobs, kpi
from portal.db import session
from portal.establishments import Establishment
from services.billing.models import Bill
from services.billing.reminders import mails, queries
from services.billing.reminders.models import BillReminder
from services.billing.reminders.queries import Recipient


def plan(now: datetime) -> int:
    """Ask for the messages that are due, one a day for each person; returns how many."""
    planned = 0
    for hospital in session.scalars(select(Establishment).order_by(Establishment.finess)).all():
        wanted = queries.rules(hospital.id)
        if wanted.allow(now, hospital.tz):
            day = calendar.civil_day(now, hospital.tz)
            for found in queries.due_at(hospital, wanted, now):
                planned += sum(_ask(found.bill, to, day) for to in queries.recipients(found.bill))
    return planned


def _ask(bill: Bill, to: Recipient, day: date) -> int:
    row = insert(BillReminder).values(
        id=uuid4(),
        establishment_id=bill.establishment_id,
        recipient_id=to.id,
        account_id=to.account_id,
        day=day,
        planned_at=db.now(),
        changed_at=db.now(),
    )
    made = session.scalar(row.on_conflict_do_nothing().returning(BillReminder.id))
    if made is None:
        return 0
    jobs.enqueue("billing.send_reminder", reminder_id=str(made))
    return 1


@dataclass(frozen=True)
class Parting:
    """A message ready to leave, and the bills it is about. words: subject and text."""

    to: Recipient
    bills: tuple[UUID, ...]
    words: tuple[str, str]


def depart(reminder_id: UUID, now: datetime) -> Parting | None:
    """Look at everything again and say that the message leaves; None when it must not: its day or its hours are over,
    nothing is to pay any more, or another run took it (then nobody knows whether it arrived: it is not sent again)."""
    reminder = _locked(reminder_id)
    if reminder.state not in ("planned", "leaving"):
        return None
    if reminder.state == "leaving":
        _end(reminder, "uncertain", "crash")
        return None
    hospital = session.get_one(Establishment, reminder.establishment_id)
    if calendar.civil_day(now, hospital.tz) != reminder.day:
        _end(reminder, "dropped", "too_late")
        return None
    to = queries.recipient_of(reminder)
    due = queries.due_to(to, now) if to else []
    if to is None or not due:
        _end(reminder, "dropped", "nothing_due" if to else "not_wanted")
        return None
    reminder.state, reminder.bills, reminder.changed_at = "leaving", len(due), now
    session.flush()
    return Parting(to, tuple(each.bill.id for each in due), _words(to, [each.bill for each in due]))


def _words(to: Recipient, bills: Sequence[Bill]) -> tuple[str, str]:
    """Of the hospital when all are its own, of nobody's otherwise."""
    places = {each.establishment_id for each in bills}
    place = places.pop() if len(places) == 1 else None
    return mails.mail(to.locale, len(bills), has_account=to.account_id is not None, establishment_id=place)


def come_back(reminder_id: UUID) -> None:
    """It did not leave, for sure: the next run may send it."""
    session.execute(
        update(BillReminder)
        .where(BillReminder.id == reminder_id, BillReminder.state == "leaving")
        .values(state="planned")
    )


def settle(reminder_id: UUID, state: str, because: str, parting: Parting) -> None:
    """What became of it, and of which bills it told."""
    reminder = _locked(reminder_id)
    _end(reminder, state, because)
    if state != "sent":
        return
    for bill in session.scalars(select(Bill).where(Bill.id.in_(parting.bills)).order_by(Bill.id)):
        audit.record(
            "bill.reminded",
            patient_id=bill.patient_id,
            establishment_id=bill.establishment_id,
            object_kind="bill",
            object_id=bill.id,
        )
        kpi.count("bill_reminded", establishment_id=bill.establishment_id, channel="mail")


def _locked(reminder_id: UUID) -> BillReminder:
    return session.get_one(BillReminder, reminder_id, with_for_update={"key_share": True}, populate_existing=True)


def _end(reminder: BillReminder, state: str, because: str) -> None:
    reminder.state, reminder.because, reminder.changed_at = state, because, db.now()
    session.flush()
