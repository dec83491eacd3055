"""Which bills somebody is reminded of today: always from their rows as they are now."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select

from auth.contact import jobs as contact
from auth.death import queries as death
from auth.mandates import queries as mandates
from auth.models import Account, Patient, PatientAccess
from portal import calendar
from portal.db import session
from portal.establishments import Establishment
from services.billing import queries as bills
from services.billing.models import Bill
from services.billing.queries import Standing
from services.billing.questions import queries as questions
from services.billing.reminders.models import BillReminder, BillReminderSetting
from services.billing.reminders.policy import WITHOUT_A_DAY, Rules
from services.billing.sources import queries as sources

_AT_ONCE = 2000
_OLDEST = timedelta(days=400)
_USUAL = Rules()


def setting(establishment_id: UUID) -> BillReminderSetting:
    """What this hospital wants; the portal's usual rules when it never said."""
    found = session.get(BillReminderSetting, establishment_id)
    return found or BillReminderSetting(
        establishment_id=establishment_id,
        is_on=_USUAL.is_on,
        before_days=list(_USUAL.before_days),
        after_days=list(_USUAL.after_days),
        send_at=_USUAL.send_at,
        quiet_from=_USUAL.quiet_from,
        quiet_until=_USUAL.quiet_until,
    )


def rules(establishment_id: UUID) -> Rules:
    own = setting(establishment_id)
    return Rules(own.is_on, own.before_days, own.after_days, own.send_at, own.quiet_from, own.quiet_until)


# -- to whom -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipient:
    """Who is written to: an account, or a patient without one at the address their hospital holds."""

    id: UUID
    account_id: UUID | None
    email: str
    locale: str


def recipients(bill: Bill) -> Sequence[Recipient]:
    """The patient's own account; else every account that pays for them; else the patient, as their hospital can write
    to them. Nobody for the dead, nor about what is kept from those who act for the person."""
    if bill.patient_id is None or bill.masked or death.is_silenced(None, bill.patient_id):
        return []
    to_tell = mandates.accounts_to_tell(bill.patient_id, "payment", masked=bill.masked)
    own = [each for each in to_tell if each.relation == "self"]
    if to_tell:
        found = (_account(each.account_id) for each in own or to_tell)
        return [each for each in found if each is not None]
    patient = session.get(Patient, bill.patient_id)
    return [Recipient(patient.id, None, patient.email, "")] if patient and patient.email else []


def _account(account_id: UUID) -> Recipient | None:
    account = session.get(Account, account_id)
    if account is None or account.closed_at or death.is_silenced(account_id, None):
        return None
    if not account.email or not contact.reach(account_id).by_mail:
        return None
    return Recipient(account_id, account_id, account.email, account.locale)


# -- of what -------------------------------------------------------------------------------------------------------


def due_at(hospital: Establishment, wanted: Rules, now: datetime) -> Sequence[Standing]:
    """The bills of one hospital of which somebody is to be reminded today."""
    return _due([Bill.establishment_id == hospital.id], wanted, calendar.civil_day(now, hospital.tz))


def due_to(recipient: Recipient, now: datetime) -> Sequence[Standing]:
    """Of what somebody is reminded today, at every hospital whose hours allow it."""
    theirs = Bill.patient_id.in_(_people(recipient))
    where = select(Bill.establishment_id).where(theirs)
    places = session.scalars(select(Establishment).where(Establishment.id.in_(where)))
    found = []
    for hospital in places.all():
        wanted = rules(hospital.id)
        if wanted.allow(now, hospital.tz):
            mine = [theirs, Bill.establishment_id == hospital.id]
            found += _due(mine, wanted, calendar.civil_day(now, hospital.tz))
    return [each for each in found if recipient in recipients(each.bill)]


def _due(conditions: Collection[ColumnElement[bool]], wanted: Rules, day: date) -> list[Standing]:
    terms = wanted.due_terms(day)
    if not wanted.is_on or not terms:
        return []
    term = func.coalesce(Bill.due_on, Bill.issued_on + literal(WITHOUT_A_DAY.days))
    query = bills.standings(
        *conditions,
        Bill.source == "regie",
        Bill.closed_reason == "",
        Bill.patient_id.is_not(None),
        ~Bill.masked,
        Bill.issued_on >= day - _OLDEST,
        term.in_(terms),
        bills.STATE.in_(("open", "partly")),
        ~questions.holds_reminders(),
    )
    found = bills.read_standings(query.limit(_AT_ONCE).execution_options(populate_existing=True))
    return [each for each in found if _is_reminded_of(each.bill)]


def _is_reminded_of(bill: Bill) -> bool:
    source = sources.source_of(bill.establishment_id, bill.source, bill.bill_source)
    return source.is_active and source.reminds


def _people(recipient: Recipient) -> Collection[UUID]:
    if recipient.account_id is None:
        return [recipient.id]
    accesses = select(PatientAccess.patient_id).where(
        PatientAccess.account_id == recipient.account_id, PatientAccess.revoked_at.is_(None)
    )
    return session.scalars(accesses).all()


def recipient_of(reminder: BillReminder) -> Recipient | None:
    """As they can be written to now; None when they may not be."""
    if reminder.account_id is not None:
        return _account(reminder.account_id)
    patient = session.get(Patient, reminder.recipient_id)
    return Recipient(patient.id, None, patient.email, "") if patient and patient.email else None


# -- for the hospital ----------------------------------------------------------------------------------------------


def counts(establishment_id: UUID, since: date) -> Mapping[str, int]:
    """State → how many messages of the last days."""
    rows = session.execute(
        select(BillReminder.state, func.count())
        .where(BillReminder.establishment_id == establishment_id, BillReminder.day >= since)
        .group_by(BillReminder.state)
    )
    return dict(rows.all())
