"""Where an appointment may begin: the one answer that lists, holds, bookings, moves, machines and agents all get.

It depends on the session's free cells, what the channel may see of them, the reason's delays, how many of this reason
the session still takes, and the rooms, devices and interpreters that the reason needs.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from services.appointments import slots
from services.appointments.models import Claim, Reason, ReasonPool, Resource
from services.appointments.slots import Opening, Window

Taken = Mapping[UUID, Mapping[UUID, Collection[int]]]
"""Pool → resource → five-minute cells in which it is taken."""


def taken(pools: Collection[UUID], since: datetime, until: datetime, but: Collection[UUID] = ()) -> Taken:
    """When the resources of these pools that are in use are taken, between two moments; but: not by these owners."""
    if not pools:
        return {}
    cells = slots.claim_cells(since, until)
    within = (Claim.resource_id == Resource.id) & Claim.cell.between(cells.start, cells.stop - 1)
    rows = session.execute(
        select(Resource.pool_id, Resource.id, Claim.cell)
        .outerjoin(Claim, within & Claim.owner_id.not_in(but))
        .where(Resource.pool_id.in_(pools), ~Resource.out_of_use)
        .order_by(Resource.name)
    )
    found: dict[UUID, dict[UUID, set[int]]] = {pool: {} for pool in pools}
    for pool_id, resource_id, cell in rows:
        busy = found[pool_id].setdefault(resource_id, set())
        if cell is not None:
            busy.add(cell)
    return found


def starts(opening: Opening, reason: Reason, window: Window, needed: Taken, *, is_full: bool = False) -> int:
    """Bits of the session's cells where an appointment for this reason may begin.

    needed: when the resources of the pools it needs are taken, the session's whole time long. is_full: the session
    has as many of this reason as it takes; agents may exceed that.
    """
    if is_full and window.channel != "phone":
        return 0
    found = slots.bookable(opening, reason.cells(opening.step_min), window, reason.grid_min)
    seen = slots.cells_for(reason.duration_min, opening.step_min)
    return slots.with_resources(opening, found, seen, [pool.values() for pool in needed.values()])


def pools_of(reasons: Collection[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """Reason → pools that its appointments need."""
    rows = session.execute(
        select(ReasonPool.reason_id, ReasonPool.pool_id)
        .where(ReasonPool.reason_id.in_(reasons))
        .order_by(ReasonPool.pool_id)
    )
    found: dict[UUID, list[UUID]] = {reason_id: [] for reason_id in reasons}
    for reason_id, pool_id in rows:
        found[reason_id].append(pool_id)
    return found


def choose(needed: Taken, wanted: range) -> tuple[UUID, ...]:
    """One resource of each pool that is clear in these cells; fewer when a pool has none."""
    clear = [
        next((each for each, busy in resources.items() if not any(cell in busy for cell in wanted)), None)
        for resources in needed.values()
    ]
    return tuple(sorted(each for each in clear if each is not None))
