"""What of this room waits for agents."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from auth.digests.sources import Rows, Waiting, offer
from services.appointments.requests.models import AppointmentRequest
from services.appointments.requests.states import TO_ANSWER


def declare() -> None:
    offer(
        Waiting(
            "appointment_requests", _l("Requests for appointments"), "appointments",
            "admin_appointment_requests.tray", _requests,
        )
    )  # fmt: skip


def _requests(now: datetime) -> Rows:
    row = AppointmentRequest
    late = func.coalesce(row.due_at < now, False)
    return select(row.establishment_id, row.unit_id, row.sent_at, late).where(row.state.in_(TO_ANSWER))
