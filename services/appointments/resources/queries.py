"""Rooms, devices and interpreters, what they are for, and who has them when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from portal import calendar, db
from portal.db import session
from portal.establishments import Establishment
from services.appointments import slots, states
from services.appointments.models import (
    Appointment,
    Claim,
    ConsultationSession,
    Hold,
    Reason,
    ReasonPool,
    Resource,
    ResourcePool,
)


@dataclass(frozen=True)
class Pool:
    """A pool with what it holds, and the reasons that need one of it."""

    pool: ResourcePool
    establishment: Establishment
    resources: Sequence[Resource]
    reasons: Sequence[Reason]

    def said(self, with_place: bool) -> str:
        """Its name, with the hospital's where several are shown."""
        place = self.establishment.short_name or self.establishment.name
        return f"{self.pool.name} – {place}" if with_place else self.pool.name


def pools(establishments: Collection[UUID]) -> Sequence[Pool]:
    """By hospital, kind and name."""
    rows = session.execute(
        select(ResourcePool, Establishment)
        .join(Establishment, Establishment.id == ResourcePool.establishment_id)
        .where(ResourcePool.establishment_id.in_(establishments))
        .order_by(Establishment.name, ResourcePool.kind, ResourcePool.name)
    ).all()
    ids = [pool.id for pool, _at in rows]
    resources, reasons = _resources(ids), _reasons(ids)
    return [Pool(pool, place, resources.get(pool.id, []), reasons.get(pool.id, [])) for pool, place in rows]


def pool(pool_id: UUID, establishments: Collection[UUID]) -> Pool | None:
    return next((each for each in pools(establishments) if each.pool.id == pool_id), None)


def resource(resource_id: UUID, establishments: Collection[UUID]) -> Resource | None:
    return session.scalar(
        select(Resource)
        .options(joinedload(Resource.pool))
        .where(Resource.id == resource_id, Resource.establishment_id.in_(establishments))
    )


def _resources(pool_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Resource]]:
    found: dict[UUID, list[Resource]] = {}
    for each in session.scalars(select(Resource).where(Resource.pool_id.in_(pool_ids)).order_by(Resource.name)):
        found.setdefault(each.pool_id, []).append(each)
    return found


def _reasons(pool_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Reason]]:
    found: dict[UUID, list[Reason]] = {}
    rows = session.execute(
        select(ReasonPool.pool_id, Reason)
        .join(Reason, Reason.id == ReasonPool.reason_id)
        .options(joinedload(Reason.unit))
        .where(ReasonPool.pool_id.in_(pool_ids), Reason.closed_at.is_(None))
        .order_by(Reason.name)
    )
    for pool_id, reason in rows:
        found.setdefault(pool_id, []).append(reason)
    return found


# -- who has it when ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Busy:
    """A stretch of a resource's day. appointment: None while a time is only kept for somebody."""

    start_at: datetime
    end_at: datetime
    appointment: Appointment | None


def day(one: Resource, on: date, establishment: Establishment) -> Sequence[Busy]:
    """What fills a resource on a day of the hospital's calendar, in order of time."""
    tz = establishment.tz
    begins, ends = (datetime.combine(each, time(), tz) for each in (on, on + timedelta(days=1)))
    cells = slots.claim_cells(begins, ends)
    owners = (
        select(Claim.owner_id)
        .where(Claim.resource_id == one.id, Claim.cell.between(cells.start, cells.stop - 1))
        .distinct()
    )
    booked = session.scalars(_appointments().where(Appointment.id.in_(owners)))
    kept = session.scalars(select(Hold).where(Hold.id.in_(owners)))
    found = [Busy(each.start_at, each.end_at, each) for each in booked]
    found += [Busy(each.start_at, each.end_at, None) for each in kept]
    return sorted(found, key=lambda each: each.start_at)


def sessions_in(one: Resource, on: date) -> Sequence[ConsultationSession]:
    """Sessions that are held in this room on a day, in order of time."""
    query = select(ConsultationSession).options(joinedload(ConsultationSession.practitioner))
    held = query.where(
        ConsultationSession.room_id == one.id, ConsultationSession.local_date == on, ConsultationSession.open != 0
    )
    return session.scalars(held.order_by(ConsultationSession.start_at)).all()


def count_sessions_to_come(one: Resource) -> int:
    """How many sessions to come are held in this room."""
    query = select(func.count()).select_from(ConsultationSession)
    held = query.where(
        ConsultationSession.room_id == one.id,
        ConsultationSession.start_at > db.now(),
        ConsultationSession.open != 0,
    )
    return session.scalar(held) or 0


def stranded(one: Resource) -> Sequence[Appointment]:
    """Appointments to come that have this resource, soonest first."""
    having = select(Claim.owner_id).where(Claim.resource_id == one.id, Claim.cell >= _cell_now())
    query = _appointments().where(
        Appointment.id.in_(having), Appointment.state == states.BOOKED, Appointment.start_at > db.now()
    )
    return session.scalars(query.order_by(Appointment.start_at, Appointment.id)).all()


def to_come(resources: Collection[UUID]) -> Mapping[UUID, int]:
    """Resource → how many appointments or kept times to come have it."""
    rows = session.execute(
        select(Claim.resource_id, func.count(Claim.owner_id.distinct()))
        .where(Claim.resource_id.in_(resources), Claim.cell >= _cell_now())
        .group_by(Claim.resource_id)
    )
    return {row[0]: row[1] for row in rows}


def _cell_now() -> int:
    now = db.now()
    return slots.claim_cells(now, now + timedelta(minutes=slots.CLAIM_MIN)).start


def _appointments() -> Select[Any]:
    return select(Appointment).options(
        joinedload(Appointment.establishment),
        joinedload(Appointment.patient),
        joinedload(Appointment.unit),
        joinedload(Appointment.practitioner),
        joinedload(Appointment.reason),
    )


def today(establishment: Establishment) -> date:
    return calendar.civil_day(db.now(), establishment.tz)
