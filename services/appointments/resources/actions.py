"""Rooms, devices and interpreters: named, taken out of use, and what they were needed for given others."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, text

from portal import audit
from portal.db import session
from services.appointments import availability, slots, states
from services.appointments.actions import booking, capacity
from services.appointments.actions.facts import AlreadyOver
from services.appointments.models import Appointment, Claim, Resource, ResourcePool
from services.appointments.resources import queries

KINDS = ("room", "device", "interpreter")


class NameTaken(Exception):
    """The hospital has a pool, or the pool a resource, of this name already."""


@dataclass(frozen=True)
class Relief:
    """How many appointments got another resource, and those for which none was free."""

    helped: int
    left: Sequence[Appointment]


def create_pool(establishment_id: UUID, kind: str, name: str) -> ResourcePool:
    """A kind of room, device or interpreter. kind: one of KINDS. Raises NameTaken."""
    _check_pool_name(establishment_id, name)
    made = ResourcePool(id=uuid4(), establishment_id=establishment_id, kind=kind, name=name)
    session.add(made)
    session.flush()
    _record("resource_pool.created", made, name=name)
    return made


def rename_pool(pool: ResourcePool, name: str) -> None:
    """Raises NameTaken."""
    if name != pool.name:
        _check_pool_name(pool.establishment_id, name)
        former, pool.name = pool.name, name
        session.flush()
        _record("resource_pool.renamed", pool, name=f"{former} → {name}")


def add_resource(pool: ResourcePool, name: str) -> Resource:
    """One more of the pool, in use at once. Raises NameTaken."""
    _check_name(pool.id, name)
    made = Resource(id=uuid4(), establishment_id=pool.establishment_id, pool_id=pool.id, name=name, out_of_use=False)
    session.add(made)
    session.flush()
    _record("resource.added", made, name=name)
    return made


def rename_resource(resource: Resource, name: str) -> None:
    """Raises NameTaken."""
    if name != resource.name:
        _check_name(resource.pool_id, name)
        former, resource.name = resource.name, name
        session.flush()
        _record("resource.renamed", resource, name=f"{former} → {name}")


def put_out_of_use(resource: Resource) -> None:
    """Nobody is given it any more; the appointments that had it keep it until an agent gives them another."""
    if not resource.out_of_use:
        resource.out_of_use = True
        session.flush()
        _record("resource.put_out_of_use", resource)


def put_in_use(resource: Resource) -> None:
    """It may be given again."""
    if resource.out_of_use:
        resource.out_of_use = False
        session.flush()
        _record("resource.put_in_use", resource)


def relieve(resource: Resource, only: UUID | None = None) -> Relief:
    """Give another one of the pool, free at that time, to the appointments to come that have this one (or to one of
    them). The appointments do not move; those for which none is free keep this one."""
    concerned = [each for each in queries.stranded(resource) if only in (None, each.id)]
    concerned = [each for each in sorted(concerned, key=lambda each: each.id) if _hold_still(each)]
    capacity.hold_still([each.session_id for each in concerned])
    chosen = _choose(sorted(concerned, key=lambda each: each.start_at), resource)
    won = _claim(chosen, resource.id)
    for appointment_id, other_id in chosen.items():
        lost = resource.id if appointment_id in won else other_id
        session.execute(delete(Claim).where(Claim.owner_id == appointment_id, Claim.resource_id == lost))
        if appointment_id in won:
            _record("resource.replaced", resource, by=str(other_id), appointment=str(appointment_id))
    return Relief(len(won), [each for each in concerned if each.id not in won])


def _hold_still(appointment: Appointment) -> bool:
    """Whether it is still to come once nobody else can change it."""
    try:
        return booking.lock(appointment).state == states.BOOKED
    except AlreadyOver:
        return False


def _choose(concerned: Sequence[Appointment], resource: Resource) -> dict[UUID, UUID]:
    """Appointment → another resource that nothing else needs meanwhile, the others' choices included."""
    if not concerned:
        return {}
    until = max(each.end_at for each in concerned)
    pool = availability.taken([resource.pool_id], concerned[0].start_at, until).get(resource.pool_id, {})
    busy = {other_id: set(cells) for other_id, cells in pool.items() if other_id != resource.id}
    chosen = dict[UUID, UUID]()
    for each in concerned:
        wanted = slots.claim_cells(each.start_at, each.end_at)
        other_id = next((other for other, cells in busy.items() if cells.isdisjoint(wanted)), None)
        if other_id is not None:
            busy[other_id].update(wanted)
            chosen[each.id] = other_id
    return chosen


def open_day(resource: Resource, on: date) -> None:
    """An agent looks at whom a resource waits for: names are shown, so the journal knows."""
    audit.record(
        "appointment_list.opened",
        establishment_id=resource.establishment_id,
        object_kind="resource",
        object_id=resource.id,
        day=on.isoformat(),
    )


# A resource's claim names nobody. In the order of the key, as every booking claims.
_CLAIM = text("""
insert into claim (resource_id, cell, seat, owner_id, establishment_id)
select wanted.resource_id, mine.cell, 0, mine.owner_id, mine.establishment_id
from unnest(cast(:owners as uuid[]), cast(:resources as uuid[])) as wanted (owner_id, resource_id)
join claim mine on mine.owner_id = wanted.owner_id and mine.resource_id = :former
order by 1, 2
on conflict do nothing
returning owner_id
""")


def _claim(chosen: dict[UUID, UUID], former: UUID) -> set[UUID]:
    """Appointments that got all they need of what was chosen for them."""
    asked = {"owners": list(chosen), "resources": list(chosen.values()), "former": former}
    got = Counter(session.scalars(_CLAIM, asked))
    held = select(Claim.owner_id, func.count()).where(Claim.owner_id.in_(chosen), Claim.resource_id == former)
    return {owner_id for owner_id, count in session.execute(held.group_by(Claim.owner_id)) if got[owner_id] == count}


def _check_pool_name(establishment_id: UUID, name: str) -> None:
    same = (ResourcePool.establishment_id == establishment_id) & (func.lower(ResourcePool.name) == name.lower())
    if session.scalar(select(func.count()).select_from(ResourcePool).where(same)):
        raise NameTaken


def _check_name(pool_id: UUID, name: str) -> None:
    same = (Resource.pool_id == pool_id) & (func.lower(Resource.name) == name.lower())
    if session.scalar(select(func.count()).select_from(Resource).where(same)):
        raise NameTaken


def _record(what: str, made: ResourcePool | Resource, **details: Any) -> None:
    kind = "resource_pool" if isinstance(made, ResourcePool) else "resource"
    audit.record(what, establishment_id=made.establishment_id, object_kind=kind, object_id=made.id, **details)
