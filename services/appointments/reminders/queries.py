"""Which visits somebody is reminded of today: always from their rows as they are now."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from auth.contact import jobs as contact
from auth.death import queries as death
from auth.factors.forms import mobile_of
from auth.mandates import queries as mandates
from auth.models import Account, PatientAccess
from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import states
from services.appointments.models import Appointment, AppointmentChange, Reason
from services.appointments.reminders import policy
from services.appointments.reminders.models import (
    Reminder,
    ReminderChoice,
    ReminderPolicy,
    ReminderSeen,
    ReminderSetting,
)
from services.appointments.reminders.policy import Hours, Policy, Step

_AT_ONCE = 500
"""Visits looked at by one run, for one hospital: the next run goes on."""
_JUST_BOOKED = timedelta(hours=36)


# -- what is wanted ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """One hospital's: its own policy, and those of the reasons that have another."""

    is_on: bool
    policy: Policy
    hours: Hours
    says: str
    by_reason: Mapping[UUID, Policy]

    def of(self, reason_id: UUID) -> Policy:
        return self.by_reason.get(reason_id, self.policy)

    @property
    def days(self) -> frozenset[int]:
        """So many days before, something may be sent."""
        every = [self.policy, *self.by_reason.values()]
        return frozenset({1}.union(*({*each.mail_days, *each.text_days} for each in every)))


def setting(establishment_id: UUID) -> ReminderSetting:
    """What this hospital wants; the portal's usual rules when it never said."""
    found = session.get(ReminderSetting, establishment_id)
    return found or ReminderSetting(
        establishment_id=establishment_id, is_on=True, mail_days=[7, 1], text_days=[2], near_mail=True,
        near_text=True, late_text=True, send_at=15, quiet_from=20, quiet_until=8, says="where",
    )  # fmt: skip


def rules(establishment_id: UUID) -> Rules:
    own = setting(establishment_id)
    others = session.scalars(select(ReminderPolicy).where(ReminderPolicy.establishment_id == establishment_id))
    return Rules(own.is_on, own.policy, own.hours, own.says, {each.reason_id: each.policy for each in others})


def choice(account_id: UUID | None) -> ReminderChoice:
    """What this person wants; usual messages when they never said."""
    found = session.get(ReminderChoice, account_id) if account_id else None
    return found or ReminderChoice(account_id=account_id, wanted=True, discreet=False)


def says(establishment_id: UUID, account_id: UUID | None) -> str:
    """How much a message tells: `where`, `when` or `nothing`."""
    return "nothing" if choice(account_id).discreet else setting(establishment_id).says


# -- to whom -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipient:
    """Who is written to: an account, or somebody without one at what their hospital holds. mobile: E.164, or ""."""

    id: UUID
    account_id: UUID | None
    email: str
    mobile: str
    locale: str
    discreet: bool = False

    @property
    def channels(self) -> tuple[str, ...]:
        return ((policy.MAIL,) if self.email else ()) + ((policy.TEXT,) if self.mobile else ())


def recipients(appointment: Appointment) -> Sequence[Recipient]:
    """The patient's own account; else every account that acts for them; else the patient, as their hospital can reach
    them. Of what is masked, only the own account: an address on paper may be a parent's."""
    if death.is_silenced(None, appointment.patient_id):
        return []
    to_tell = mandates.accounts_to_tell(appointment.patient_id, "administrative", masked=appointment.masked)
    own = [each for each in to_tell if each.relation == "self"]
    if to_tell:
        found = (_account(each.account_id) for each in own or to_tell)
        return [each for each in found if each is not None]
    if appointment.masked:
        return []
    patient = appointment.patient
    return [Recipient(patient.id, None, patient.email, mobile_of(patient.mobile) or "", "")]


def recipient_of(reminder: Reminder) -> Recipient | None:
    """As they can be reached now; None when they may not be, or do not want to be, reminded."""
    if reminder.account_id is not None:
        return _account(reminder.account_id)
    patient = session.scalar(
        select(Appointment).options(joinedload(Appointment.patient)).where(
            Appointment.patient_id == reminder.recipient_id
        ).limit(1)
    )  # fmt: skip
    if patient is None:
        return None
    person = patient.patient
    return Recipient(person.id, None, person.email, mobile_of(person.mobile) or "", "")


def _account(account_id: UUID) -> Recipient | None:
    account, wish = session.get(Account, account_id), choice(account_id)
    if account is None or account.closed_at or not wish.wanted or death.is_silenced(account_id, None):
        return None
    reach = contact.reach(account_id)
    email = account.email if reach.by_mail else ""
    return Recipient(account_id, account_id, email, reach.mobile, account.locale, wish.discreet)


# -- of what -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """An appointment to come, and every reminder of it."""

    appointment: Appointment
    steps: Sequence[Step]

    def is_due(self, channel: str, now: datetime) -> bool:
        return policy.due(self.steps, channel, now, self.appointment.tz)


def to_look_at(hospital: Establishment, wanted: Rules, now: datetime) -> Sequence[Visit]:
    """Visits of one hospital that nobody has looked at today and of which something may be due by now."""
    day = calendar.civil_day(now, hospital.tz)
    asked: list[ColumnElement[bool]] = [
        _begins(hospital, day, ahead) & _known_since(now - _JUST_BOOKED) for ahead in (0, 1)
    ]
    if now.astimezone(hospital.tz).hour >= wanted.hours.send_at:
        asked += [_begins(hospital, day, ahead) for ahead in wanted.days]
    seen = exists().where(
        ReminderSeen.appointment_id == Appointment.id,
        ReminderSeen.day == day,
        ReminderSeen.start_at == Appointment.start_at,
    )
    units = select(Unit.id).where(Unit.establishment_id == hospital.id)
    query = _to_come(now).where(Appointment.unit_id.in_(units), or_(*asked), ~seen)
    return _visits(query.order_by(Appointment.start_at, Appointment.id).limit(_AT_ONCE), {hospital.id: wanted})


def due_to(recipient: Recipient, channel: str, now: datetime) -> Sequence[Visit]:
    """Of what somebody is reminded today by this way, at every hospital, in order of time: rows as they are now."""
    query = _to_come(now).where(Appointment.patient_id.in_(_people(recipient)), Appointment.start_at < _furthest(now))
    found = _visits(query.order_by(Appointment.start_at, Appointment.id), {})
    wanted = {each.appointment.establishment_id: rules(each.appointment.establishment_id) for each in found}
    return [
        each
        for each in found
        if wanted[each.appointment.establishment_id].hours.allow(now, each.appointment.tz)
        and each.is_due(channel, now)
        and recipient in recipients(each.appointment)
    ]


def visit_of(appointment: Appointment) -> Visit | None:
    """One appointment with its reminders; None when it is over, cancelled, or its hospital reminds nobody."""
    found = _visits(_to_come(db.now()).where(Appointment.id == appointment.id), {})
    return found[0] if found else None


def _people(recipient: Recipient) -> Collection[UUID]:
    if recipient.account_id is None:
        return [recipient.id]
    accesses = select(PatientAccess.patient_id).where(
        PatientAccess.account_id == recipient.account_id, PatientAccess.revoked_at.is_(None)
    )
    return session.scalars(accesses).all()


def _furthest(now: datetime) -> datetime:
    return now + timedelta(days=policy.FURTHEST_DAYS + 2)


def _to_come(now: datetime) -> Select[Any]:
    return (
        select(Appointment, func.greatest(Appointment.booked_at, _last_change()).label("since"))
        .options(joinedload(Appointment.establishment), joinedload(Appointment.patient))
        .where(Appointment.state == states.BOOKED, Appointment.start_at > now)
        .execution_options(populate_existing=True)
    )


def _last_change() -> Any:
    """When it was booked or moved to where it is."""
    return (
        select(func.max(AppointmentChange.at))
        .where(AppointmentChange.appointment_id == Appointment.id, AppointmentChange.to_state == states.BOOKED)
        .scalar_subquery()
    )


def _known_since(moment: datetime) -> ColumnElement[bool]:
    lately = exists().where(AppointmentChange.appointment_id == Appointment.id, AppointmentChange.at > moment)
    return or_(Appointment.booked_at > moment, lately)


def _begins(hospital: Establishment, day: date, ahead: int) -> ColumnElement[bool]:
    first = datetime.combine(day + timedelta(days=ahead), time(), hospital.tz)
    after = datetime.combine(day + timedelta(days=ahead + 1), time(), hospital.tz)
    return and_(Appointment.start_at >= first, Appointment.start_at < after)


def _visits(query: Select[Any], known: dict[UUID, Rules]) -> Sequence[Visit]:
    return list(_with_steps(session.execute(query), known))


def _with_steps(rows: Iterable[Any], known: dict[UUID, Rules]) -> Iterator[Visit]:
    for appointment, since in rows:
        where = appointment.establishment_id
        wanted = known.setdefault(where, known.get(where) or rules(where))
        if wanted.is_on:
            found = policy.steps(
                wanted.of(appointment.reason_id), wanted.hours, since, appointment.start_at, appointment.tz
            )
            yield Visit(appointment, found)


# -- for the hospital's agents ---------------------------------------------------------------------------------------


def reasons_at(establishment_id: UUID) -> Sequence[tuple[Reason, ReminderPolicy | None]]:
    """Every reason of a hospital, by unit and rank, with its own rules if any."""
    rows = session.execute(
        select(Reason, ReminderPolicy)
        .outerjoin(ReminderPolicy, ReminderPolicy.reason_id == Reason.id)
        .join(Reason.unit)
        .options(joinedload(Reason.unit))
        .where(Reason.establishment_id == establishment_id, Reason.closed_at.is_(None))
        .order_by(Unit.name, Reason.position, Reason.name)
    )
    return [(reason, own) for reason, own in rows]


def reason_at(reason_id: UUID, establishments: Collection[UUID]) -> Reason | None:
    return session.scalar(
        select(Reason)
        .options(joinedload(Reason.unit), joinedload(Reason.establishment))
        .where(Reason.id == reason_id, Reason.establishment_id.in_(establishments))
    )


def counts(establishment_id: UUID, since: date) -> Mapping[tuple[str, str], int]:
    """(channel, state) → how many reminders of one hospital since that day."""
    rows = session.execute(
        select(Reminder.channel, Reminder.state, func.count())
        .where(Reminder.establishment_id == establishment_id, Reminder.day >= since)
        .group_by(Reminder.channel, Reminder.state)
    )
    return {(channel, state): count for channel, state, count in rows}


@dataclass(frozen=True)
class NoShows:
    """R8: visits that were to happen, and those that did not, with and without a reminder."""

    reminded: int
    reminded_missed: int
    others: int
    others_missed: int


def no_shows(establishment_id: UUID, since: datetime) -> NoShows:
    """Of the visits of one hospital that are over since then: those seen and those missed, nothing else."""
    was_told, missed = Appointment.reminded_at.is_not(None), Appointment.state == states.MISSED
    row = session.execute(
        select(
            func.count().filter(was_told),
            func.count().filter(was_told, missed),
            func.count().filter(~was_told),
            func.count().filter(~was_told, missed),
        ).where(
            Appointment.unit_id.in_(select(Unit.id).where(Unit.establishment_id == establishment_id)),
            Appointment.start_at >= since,
            Appointment.start_at < db.now(),
            Appointment.state.in_((states.DONE, states.MISSED)),
        )
    ).one()
    return NoShows(*row)
