"""Who is reminded today: looked at every few minutes, and again when the message leaves (`sending`)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.dialects.postgresql import insert

from auth.contact import jobs as contact
from auth.death import queries as death
from auth.mandates import queries as mandates
from auth.models import Account, PatientAccess
from portal import calendar, jobs
from portal.db import session
from portal.establishments import Establishment
from services.preadmission import queries, retention
from services.preadmission.answers import Choices
from services.preadmission.calendars import queries as calendars
from services.preadmission.deadlines import Deadlines
from services.preadmission.models import Preadmission
from services.preadmission.queries.files import PLACE
from services.preadmission.reminders.models import PreadmissionReminder

SEND_FROM: Final = 9
QUIET_FROM: Final = 20
"""Hours of the hospital's clock between which messages leave."""
_AT_ONCE = 2000
MAIL, TEXT = "mail", "text"


@dataclass(frozen=True)
class Recipient:
    """An account and the one way by which it is told today: `to` is an address or a number (E.164)."""

    account_id: UUID
    channel: str
    to: str
    locale: str


def is_day(now: datetime, hospital: Establishment) -> bool:
    """Whether messages of this hospital may leave now."""
    return SEND_FROM <= now.astimezone(hospital.tz).hour < QUIET_FROM


def plan(now: datetime) -> int:
    """Ask for the messages that are due, one a day for each account; returns how many."""
    return sum(
        _plan_at(hospital, now)
        for hospital in session.scalars(select(Establishment).order_by(Establishment.finess)).all()
        if is_day(now, hospital)
    )


def due_to(account_id: UUID, day: date) -> Sequence[Preadmission]:
    """The files of which this account is still to be reminded on this day, as they are now."""
    people = {each.patient_id for each in mandates_of(account_id)}
    found = session.scalars(_open_files().where(Preadmission.patient_id.in_(people))).all()
    days = calendars.deadlines_of_all(found)
    return [
        each
        for each in found
        if is_due(each, days[each.id], day) and account_id in {to.account_id for to in recipients(each, day)}
    ]


def mandates_of(account_id: UUID) -> Sequence[PatientAccess]:
    return session.scalars(
        select(PatientAccess).where(PatientAccess.account_id == account_id, PatientAccess.revoked_at.is_(None))
    ).all()


def is_due(file: Preadmission, days: Deadlines, day: date) -> bool:
    """An unsent file on its days; what is missing the eve of its last day and the day after; a draft that will go."""
    if file.state == "to_complete":
        eve_or_after = (file.complete_by or date.max) - timedelta(days=1), (file.complete_by or date.min) + _DAY
        return day in eve_or_after and file.planned_on >= day
    warned_on = retention.draft_goes_on(file) - timedelta(days=retention.WARNED_DAYS)
    return (day in days.remind_on and file.planned_on >= day) or day == warned_on


_DAY = timedelta(days=1)


def recipients(file: Preadmission, day: date) -> Iterator[Recipient]:
    """The patient's own account, else those that act for them; of what is masked, the own account alone. Each by one
    way, as the person chose in the file and in their account: the last reminder by text when they agreed to it."""
    if death.is_silenced(None, file.patient_id):
        return
    chosen = queries.answers_of(file.id).get("choices")
    choices = chosen if isinstance(chosen, Choices) else None
    to_tell = mandates.accounts_to_tell(file.patient_id, "administrative", masked=file.masked)
    own = [each for each in to_tell if each.relation == "self"]
    for each in own or to_tell:
        if (to := _reached(each.account_id, choices, is_last=(file.planned_on - day).days <= _LAST)) is not None:
            yield to


_LAST = 3


def _reached(account_id: UUID, choices: Choices | None, *, is_last: bool) -> Recipient | None:
    account = session.get(Account, account_id)
    if account is None or account.closed_at or death.is_silenced(account_id, None):
        return None
    reach = contact.reach(account_id)
    email = account.email if reach.by_mail and (choices is None or choices.by_mail) else ""
    mobile = reach.mobile if choices is None or choices.by_text else ""
    ways = [(TEXT, mobile), (MAIL, email)] if is_last else [(MAIL, email), (TEXT, mobile)]
    return next((Recipient(account_id, channel, to, account.locale) for channel, to in ways if to), None)


def _plan_at(hospital: Establishment, now: datetime) -> int:
    day = calendar.civil_day(now, hospital.tz)
    files = session.scalars(
        _open_files().where(Preadmission.establishment_id == hospital.id).order_by(Preadmission.planned_on)
    ).all()
    days = calendars.deadlines_of_all(files)
    due = [each for each in files if is_due(each, days[each.id], day)]
    return sum(_ask(each, to, day) for each in due for to in recipients(each, day))


def _open_files() -> Select[Preadmission]:
    return (
        select(Preadmission)
        .options(*PLACE)
        .where(Preadmission.state.in_(("draft", "to_complete")))
        .limit(_AT_ONCE)
        .execution_options(populate_existing=True)
    )


def _ask(file: Preadmission, to: Recipient, day: date) -> int:
    row = insert(PreadmissionReminder).values(
        id=uuid4(), establishment_id=file.establishment_id, account_id=to.account_id, day=day
    )
    made = session.scalar(row.on_conflict_do_nothing().returning(PreadmissionReminder.id))
    if made is None:
        return 0
    jobs.enqueue("preadmission.send_reminder", reminder_id=str(made))
    return 1
