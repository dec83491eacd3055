"""What a patient's death leaves open here: appointments to come."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal import calendar, db
from portal.db import session
from services.appointments import states
from services.appointments.models import SERVICE, Appointment


def declare() -> None:
    affairs.offer(Kind(SERVICE, _l("Appointments to come"), SERVICE, "admin_appointments.show", _to_come))


def _to_come(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    rows = session.scalars(
        select(Appointment)
        .options(joinedload(Appointment.establishment))
        .where(
            Appointment.patient_id == patient_id,
            Appointment.establishment_id.in_(establishments),
            Appointment.state == states.BOOKED,
            Appointment.end_at > db.now(),
        )
        .order_by(Appointment.start_at)
    )
    return [
        Affair(
            each.establishment_id,
            each.reference,
            calendar.civil_day(each.start_at, each.tz),
            {"appointment_id": each.id},
        )
        for each in rows
    ]
