"""Where the appointments and stays that referrals became stand: referrals know neither room, nor these referrals."""

from collections.abc import Collection, Mapping
from datetime import time
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal import calendar, db
from portal.db import session
from services.appointments.models import Appointment
from services.preadmission.invitations.models import StayInvitation
from services.referrals import outcomes
from services.referrals.outcomes import Standing

_VISITS: Final = {
    "booked": outcomes.STANDING,
    "arrived": outcomes.DONE,
    "done": outcomes.DONE,
    "missed": outcomes.MISSED,
    "cancelled": outcomes.FALLEN,
}


def declare() -> None:
    """Say how each is looked at."""
    outcomes.follow("appointment", appointments)
    outcomes.follow("stay", stays)


def appointments(ids: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Visits: kept, missed, cancelled, or still to come at their hour."""
    rows = session.execute(
        select(Appointment.id, Appointment.state, Appointment.start_at).where(Appointment.id.in_(ids))
    )
    return {key: Standing(_VISITS[state], start_at) for key, state, start_at in rows}


def stays(ids: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Stays: cancelled or taken back, begun once their day has come, or still to come. A day is its midnight, in the
    hospital's civil time."""
    query = select(StayInvitation).options(joinedload(StayInvitation.establishment)).where(StayInvitation.id.in_(ids))
    return {each.id: _stay(each) for each in session.scalars(query)}


def _stay(each: StayInvitation) -> Standing:
    tz = each.establishment.tz
    at = calendar.to_utc_or_after(each.planned_on, time(), tz)
    if each.state in ("withdrawn", "cancelled"):
        return Standing(outcomes.FALLEN, at)
    has_come = each.planned_on < calendar.civil_day(db.now(), tz)
    return Standing(outcomes.DONE if has_come else outcomes.STANDING, at)
