"""What the hospital's own agenda fills, for its agents."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from portal import db
from portal.db import session
from services.appointments import states
from services.appointments.models import Appointment
from services.appointments.outside.models import OutsideTime

_SHOWN = 200


def clashes(establishments: Collection[UUID], limit: int = _SHOWN) -> Sequence[Appointment]:
    """Appointments to come whose practitioner is busy elsewhere meanwhile, soonest first."""
    meanwhile = exists().where(
        OutsideTime.practitioner_id == Appointment.practitioner_id,
        OutsideTime.is_busy,
        OutsideTime.start_at < Appointment.end_at,
        OutsideTime.end_at > Appointment.start_at,
    )
    query = (
        select(Appointment)
        .options(
            joinedload(Appointment.establishment),
            joinedload(Appointment.patient),
            joinedload(Appointment.unit),
            joinedload(Appointment.practitioner),
            joinedload(Appointment.reason),
        )
        .where(
            Appointment.establishment_id.in_(establishments),
            Appointment.state == states.BOOKED,
            Appointment.end_at > db.now(),
            meanwhile,
        )
        .order_by(Appointment.start_at, Appointment.id)
    )
    return session.scalars(query.limit(limit)).all()
