"""One patient as the desk knows them: their visits, whom to call, and what they have planned already."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.mandates import queries as mandates
from auth.mandates.queries import Recipient
from auth.models import Patient
from portal import calendar, db
from portal.db import session
from services.appointments import states
from services.appointments.models import Appointment, Reason

_SHOWN_BACK = timedelta(days=3 * 365)
_SHOWN_AT_MOST = 200


@dataclass(frozen=True)
class Contact:
    """How a patient is reached. others: those who act for them; is_told: somebody reads what the portal writes."""

    mobile: str
    others: Sequence[Recipient]
    is_told: bool


def contact(patient: Patient, *, masked: bool = False) -> Contact:
    """masked: about something that those who act for the patient must not hear of."""
    acting = mandates.acting_for(patient.id)
    others = [each for each in acting if each.relation != "self" and "administrative" in each.scopes]
    told = [each for each in acting if each.email and (each.relation == "self" or (each in others and not masked))]
    return Contact(patient.mobile, others, bool(told) or bool(patient.email and not masked))


@dataclass(frozen=True)
class Visits:
    """A patient's appointments at the agent's hospitals. to_come: soonest first; over: latest first."""

    to_come: Sequence[Appointment]
    over: Sequence[Appointment]


def visits(patient_id: UUID, establishments: Collection[UUID]) -> Visits:
    """The last three years and everything to come."""
    rows = session.scalars(
        select(Appointment)
        .where(
            Appointment.patient_id == patient_id,
            Appointment.establishment_id.in_(establishments),
            Appointment.start_at > db.now() - _SHOWN_BACK,
        )
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
        .order_by(Appointment.start_at.desc())
        .limit(_SHOWN_AT_MOST)
    ).all()
    to_come = [each for each in reversed(rows) if each.is_to_come]
    return Visits(to_come, [each for each in rows if not each.is_to_come])


@dataclass(frozen=True)
class Doubt:
    """Why an agent should ask again before booking. code: same_day or same_reason."""

    code: str
    planned: Appointment


def doubts(planned: Sequence[Appointment], reason: Reason, at: datetime) -> Sequence[Doubt]:
    """What the patient has to come that looks like a booking made twice: on the same day, or for the same reason.

    What is at the very same time is none: the booking refuses it by itself.
    """
    tz, until = reason.unit.establishment.tz, at + timedelta(minutes=reason.duration_min)
    day = calendar.civil_day(at, tz)
    found = []
    for each in planned:
        if each.state != states.BOOKED or (each.start_at < until and at < each.end_at):
            continue
        if calendar.civil_day(each.start_at, tz) == day:
            found.append(Doubt("same_day", each))
        elif each.reason_id == reason.id:
            found.append(Doubt("same_reason", each))
    return found
