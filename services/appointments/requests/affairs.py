"""What a patient's death leaves open here: requests that somebody still has to answer."""

from collections.abc import Collection, Sequence
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.death import affairs
from auth.death.affairs import Affair, Kind
from portal import calendar
from portal.db import session
from services.appointments.models import SERVICE
from services.appointments.requests import states
from services.appointments.requests.models import AppointmentRequest


def declare() -> None:
    page = "admin_appointment_requests.show"
    affairs.offer(Kind("appointment_requests", _l("Requests for appointments"), SERVICE, page, _open))


def _open(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[Affair]:
    rows = session.scalars(
        select(AppointmentRequest)
        .options(joinedload(AppointmentRequest.establishment))
        .where(
            AppointmentRequest.patient_id == patient_id,
            AppointmentRequest.establishment_id.in_(establishments),
            AppointmentRequest.state.in_(states.OPEN),
        )
        .order_by(AppointmentRequest.sent_at)
    )
    return [
        Affair(
            each.establishment_id,
            each.reference,
            calendar.civil_day(each.sent_at, each.tz),
            {"request_id": each.id},
        )
        for each in rows
    ]
