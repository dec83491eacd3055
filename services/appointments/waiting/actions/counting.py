"""Of the visits cancelled late, whose time was taken again by somebody else."""

from datetime import timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal import audit, db, kpi
from portal.db import session
from services.appointments.models import Appointment, AppointmentChange
from services.appointments.states import CANCELLED
from services.appointments.waiting.models import FreedSlot

LATE = timedelta(hours=48)
_LOOKED_BACK = timedelta(days=30)
_AT_ONCE = 1000


def count_freed() -> int:
    """Count each visit that was cancelled less than two days before, once its time has come; returns how many."""
    other, counted = aliased(Appointment), exists().where(FreedSlot.appointment_id == Appointment.id)
    taken = exists().where(
        other.session_id == Appointment.session_id,
        other.state != CANCELLED,
        ~other.beyond,
        other.start_at < Appointment.end_at,
        other.end_at > Appointment.start_at,
    )
    late = exists().where(
        AppointmentChange.appointment_id == Appointment.id,
        AppointmentChange.to_state == CANCELLED,
        AppointmentChange.at > Appointment.start_at - LATE,
    )
    rows = session.execute(
        select(Appointment.id, Appointment.establishment_id, Appointment.unit_id, taken)
        .where(
            Appointment.state == CANCELLED,
            Appointment.start_at.between(db.now() - _LOOKED_BACK, db.now()),
            late,
            ~counted,
        )
        .order_by(Appointment.id)
        .limit(_AT_ONCE)
    ).all()
    for appointment_id, establishment_id, unit_id, was_taken in rows:
        session.add(
            FreedSlot(appointment_id=appointment_id, establishment_id=establishment_id, was_taken=bool(was_taken))
        )
        kpi.count(
            "appointment_slot_freed",
            establishment_id=establishment_id,
            dimension="taken" if was_taken else "empty",
            unit_id=unit_id,
        )
    if rows:
        session.flush()
        audit.record("freed_slots.counted", slots=len(rows))
    return len(rows)
