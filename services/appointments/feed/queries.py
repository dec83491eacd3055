"""What a calendar holds: its owner's appointments, and those of the people they act for if they asked; never what is
masked."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from auth.mandates import queries as mandates
from auth.models import PatientAccess
from portal import db
from portal.db import session
from services.appointments import states, tokens
from services.appointments.feed.models import CalendarFeed
from services.appointments.models import Appointment, AppointmentChange

_PAST = timedelta(days=90)
_MOST = 500


@dataclass(frozen=True)
class Row:
    """One appointment, how often it changed and when it last did; own: its owner's own."""

    appointment: Appointment
    sequence: int
    changed_at: datetime
    own: bool


def mine() -> CalendarFeed | None:
    """The signed-in person's."""
    return session.scalar(select(CalendarFeed).where(CalendarFeed.account_id == db.current_actor().account_id))


def of_token(token: str) -> CalendarFeed | None:
    """The calendar of this address, while its owner's account is open. As the system."""
    if not tokens.is_well_formed(token):
        return None
    found = session.scalar(
        select(CalendarFeed)
        .options(joinedload(CalendarFeed.account))
        .where(CalendarFeed.digest == tokens.digest(token))
    )
    return found if found is not None and found.account.closed_at is None else None


def rows(feed: CalendarFeed) -> Sequence[Row]:
    """What it holds now, in order of time. As the system."""
    own, others = _people(feed)
    changes = (
        select(
            AppointmentChange.appointment_id,
            func.count().label("count"),
            func.max(AppointmentChange.at).label("at"),
        )
        .join(Appointment, Appointment.id == AppointmentChange.appointment_id)
        .where(Appointment.patient_id.in_({*own, *others}))
        .group_by(AppointmentChange.appointment_id)
        .subquery()
    )
    found = session.execute(
        select(Appointment, changes.c.count, changes.c.at)
        .join(changes, changes.c.appointment_id == Appointment.id)
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.patient),
            joinedload(Appointment.site),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
        .where(
            Appointment.patient_id.in_({*own, *others}),
            Appointment.start_at > db.now() - _PAST,
            # A calendar on a server, shared by a family or an employer: what is masked goes to nobody's.
            ~Appointment.masked,
            # What was cancelled is still said until its time, so that calendars strike it out.
            (Appointment.state != states.CANCELLED) | (Appointment.start_at > db.now()),
        )
        .order_by(Appointment.start_at, Appointment.id)
        .limit(_MOST)
    )
    return [Row(each, count - 1, at, each.patient_id in own) for each, count, at in found]


def _people(feed: CalendarFeed) -> tuple[Collection[UUID], Collection[UUID]]:
    """The owner; those they act for today in such matters, when they asked for them."""
    accesses = session.scalars(
        select(PatientAccess).where(PatientAccess.account_id == feed.account_id, PatientAccess.revoked_at.is_(None))
    ).all()
    own = {each.patient_id for each in accesses if each.relation == "self"}
    if not feed.with_proxied:
        return own, ()
    others = {each.patient_id for each in accesses} - own
    return own, {each for each in others if _may_see(feed.account_id, each)}


def _may_see(account_id: UUID, patient_id: UUID) -> bool:
    to_tell = mandates.accounts_to_tell(patient_id, "administrative")
    return account_id in {each.account_id for each in to_tell}
