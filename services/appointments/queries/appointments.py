"""The appointments of patients."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import joinedload

from portal import db
from portal.db import session
from services.appointments import states
from services.appointments.models import Appointment, AppointmentChange

PAGE_SIZE = 20
PARTS = ("to_come", "past", "cancelled")
_EXPECTED = (states.BOOKED, states.ARRIVED)


def appointments() -> Select[Appointment]:
    """With everything that a page says of one, in one statement."""
    return select(Appointment).options(
        joinedload(Appointment.establishment),
        joinedload(Appointment.patient),
        joinedload(Appointment.site),
        joinedload(Appointment.unit),
        joinedload(Appointment.practitioner),
        joinedload(Appointment.reason),
    )


@dataclass(frozen=True)
class Timeline:
    """One page of somebody's appointments, at every hospital of the group. counts: part → how many in all."""

    part: str
    rows: Sequence[Appointment]
    counts: Mapping[str, int]
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.counts[self.part] // PAGE_SIZE))


def timeline(patient_id: UUID, part: str, page: int) -> Timeline:
    """part: `to_come` (soonest first), `past` or `cancelled` (latest first). page: from 1."""
    counts = _counts(patient_id)
    pages = max(1, -(-counts[part] // PAGE_SIZE))
    page = min(max(1, page), pages)
    order = Appointment.start_at if part == "to_come" else Appointment.start_at.desc()
    query = appointments().where(Appointment.patient_id == patient_id, _parts()[part]).order_by(order, Appointment.id)
    rows = session.scalars(query.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all() if counts[part] else ()
    return Timeline(part, rows, counts, page)


def _counts(patient_id: UUID) -> Mapping[str, int]:
    # By rank and not by name: in support mode a computed text is blanked.
    parts = _parts()
    named = case(*((parts[name], rank) for rank, name in enumerate(PARTS))).label("part")
    rows = session.execute(select(named, func.count()).where(Appointment.patient_id == patient_id).group_by(named))
    return dict.fromkeys(PARTS, 0) | {PARTS[row[0]]: row[1] for row in rows if row[0] is not None}


def _parts() -> Mapping[str, ColumnElement[bool]]:
    is_cancelled = Appointment.state == states.CANCELLED
    is_to_come = and_(Appointment.state.in_(_EXPECTED), Appointment.end_at > db.now())
    return {
        "to_come": is_to_come,
        "past": and_(~is_cancelled, or_(Appointment.state.not_in(_EXPECTED), Appointment.end_at <= db.now())),
        "cancelled": is_cancelled,
    }


def others_to_come(patients: Collection[UUID]) -> Mapping[UUID, int]:
    """How many appointments to come each of these people has."""
    if not patients:
        return {}
    rows = session.execute(
        select(Appointment.patient_id, func.count())
        .where(Appointment.patient_id.in_(patients), _parts()["to_come"])
        .group_by(Appointment.patient_id)
    )
    return dict.fromkeys(patients, 0) | {row[0]: row[1] for row in rows}


def of_patients(patients: Collection[UUID]) -> tuple[Sequence[Appointment], Sequence[Appointment]]:
    """Appointments to come (soonest first), then those that are over or cancelled (latest first, one year)."""
    since = db.now() - timedelta(days=365)
    rows = session.scalars(
        appointments()
        .where(Appointment.patient_id.in_(patients), Appointment.start_at > since)
        .order_by(Appointment.start_at)
    ).all()
    to_come = [each for each in rows if each.is_to_come]
    over = [each for each in reversed(rows) if not each.is_to_come]
    return to_come, over


def one_of_patients(appointment_id: UUID, patients: Collection[UUID]) -> Appointment | None:
    return session.scalar(appointments().where(Appointment.id == appointment_id, Appointment.patient_id.in_(patients)))


def at_same_time(patients: Collection[UUID], start_at: datetime, end_at: datetime) -> Appointment | None:
    """What already fills these people's time."""
    return session.scalar(
        appointments()
        .where(
            Appointment.patient_id.in_(patients),
            Appointment.state.in_(_EXPECTED),
            Appointment.start_at < end_at,
            Appointment.end_at > start_at,
        )
        .order_by(Appointment.start_at)
        .limit(1)
    )


def changes(appointment: Appointment) -> Sequence[AppointmentChange]:
    """What happened to it, latest first."""
    return session.scalars(
        select(AppointmentChange)
        .where(AppointmentChange.appointment_id == appointment.id)
        .order_by(AppointmentChange.at.desc())
    ).all()
