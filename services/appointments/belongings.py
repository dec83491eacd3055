"""Appointments that follow a patient's link to the hospital's number, and come back when it was wrong."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, text, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.appointments.models import Appointment, Claim

# The patient's own time: unless theirs is taken already, by an appointment they made with their account.
_TAKE_TIME = text(
    "update claim c set resource_id = :to_id where c.resource_id = :from_id and c.owner_id = any(:moved)"
    " and not exists (select 1 from claim o where o.resource_id = :to_id and o.cell = c.cell and o.seat = c.seat)"
)


def adopt(move: Move) -> Rows:
    """What the hospital's staff booked for them."""
    moved = session.scalars(
        update(Appointment)
        .where(Appointment.establishment_id == move.establishment_id, Appointment.patient_id == move.from_id)
        .values(patient_id=move.to_id)
        .returning(Appointment.id)
    ).all()
    _move_claims(move, moved)
    return {"appointment": moved}


def release(move: Move, moved: Rows) -> None:
    """Those that moved, and those that the staff booked by phone for the number since."""
    by_phone = Appointment.channel.in_(("phone", "walk_in")) & (Appointment.booked_at >= move.since)
    released = session.scalars(
        update(Appointment)
        .where(
            Appointment.establishment_id == move.establishment_id,
            Appointment.patient_id == move.from_id,
            or_(Appointment.id.in_(moved.get("appointment", ())), by_phone),
        )
        .values(patient_id=move.to_id)
        .returning(Appointment.id)
    ).all()
    _move_claims(move, released)


def _move_claims(move: Move, appointments: Sequence[UUID]) -> None:
    session.execute(
        update(Claim).where(Claim.owner_id.in_(appointments)).values(patient_id=move.to_id),
        execution_options={"synchronize_session": False},
    )
    session.execute(_TAKE_TIME, {"to_id": move.to_id, "from_id": move.from_id, "moved": list(appointments)})


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("appointments", adopt, release))
