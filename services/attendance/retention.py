"""How long the figures of emergency departments are kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule, deleting
from services.attendance.models import EmergencyReading


def declare() -> None:
    retention.offer(
        Rule(
            "emergency_reading",
            _l("Waiting times of emergency departments"),
            _l("Counted from the moment they were measured: they are shown for minutes, and looked back at for weeks"),
            30, _due, deleting(EmergencyReading, lambda reading: reading.measured_at), most=400,
        )
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    if place is None:
        return []
    rows = session.scalars(
        select(EmergencyReading.id)
        .where(EmergencyReading.establishment_id == place, EmergencyReading.measured_at < before)
        .order_by(EmergencyReading.measured_at)
        .limit(limit)
    ).all()
    return [Due(reading_id) for reading_id in rows]
