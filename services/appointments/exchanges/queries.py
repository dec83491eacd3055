"""What agents see of exchanges about appointments, always of their hospitals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, case, or_, select
from sqlalchemy.orm import joinedload

from portal import db
from portal.db import session
from services.appointments import states as visit
from services.appointments.exchanges.models import SiuAppointment
from services.appointments.models import Appointment
from services.exchanges import states
from services.exchanges.models import Delivery, Follower


def known_there(appointments: Collection[UUID]) -> Mapping[UUID, str]:
    """Appointment → how the hospital system knows it: `accepted`, `waiting`, `refused` or `set_aside`; none without
    a system. What is not settled says more than what is."""
    rank = case((Delivery.state == states.REFUSED, 3), (Delivery.state == states.WAITING, 2), else_=1)
    rows = session.execute(
        select(Delivery.subject_id, Delivery.state)
        .join(Delivery.follower)
        .where(
            Follower.kind == states.HIS,
            Delivery.subject_id.in_(appointments),
            Delivery.state != states.NOT_NEEDED,
        )
        .order_by(rank, Delivery.changed_at)
    )
    return {row.subject_id: row.state for row in rows}


# -- where both sides differ -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """An appointment of the portal, and what the hospital system holds. kind: `both` (two appointments at one hour)
    or `elsewhere` (the same one, at another time or in another state)."""

    kind: str
    appointment: Appointment
    theirs: SiuAppointment


def differences(establishments: Collection[UUID]) -> Sequence[Difference]:
    """Of today and later, the soonest first. Looked for each time: what was settled on either side is gone."""
    held = (SiuAppointment.establishment_id.in_(establishments), SiuAppointment.end_at > db.now())
    booked = Appointment.state.in_((visit.BOOKED, visit.ARRIVED))
    both = and_(
        SiuAppointment.appointment_id.is_(None),
        SiuAppointment.state == visit.BOOKED,
        Appointment.practitioner_id == SiuAppointment.practitioner_id,
        Appointment.start_at < SiuAppointment.end_at,
        Appointment.end_at > SiuAppointment.start_at,
    )
    elsewhere = and_(
        SiuAppointment.appointment_id == Appointment.id,
        or_(
            SiuAppointment.start_at != Appointment.start_at,
            SiuAppointment.practitioner_id != Appointment.practitioner_id,
        ),
    )
    rows = session.execute(
        select(Appointment, SiuAppointment)
        .join(SiuAppointment, or_(both, elsewhere))
        .where(*held, booked, Appointment.establishment_id == SiuAppointment.establishment_id)
        .order_by(Appointment.start_at, SiuAppointment.id)
        .limit(200)
        .options(joinedload(Appointment.establishment), joinedload(Appointment.practitioner))
        .options(joinedload(Appointment.unit), joinedload(SiuAppointment.practitioner))
    )
    return [Difference("elsewhere" if theirs.appointment_id else "both", ours, theirs) for ours, theirs in rows]
