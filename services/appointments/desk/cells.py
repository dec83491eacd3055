"""A time that an agent pointed at: what may be booked there, and what a booking beyond it would exceed."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit
from services.appointments import availability, slots, states
from services.appointments.availability import Taken
from services.appointments.models import (
    Appointment,
    ConsultationSession,
    Hold,
    Reason,
    ResourcePool,
    SessionReason,
)
from services.appointments.slots import Slot

WALK_IN_WITHIN = timedelta(hours=12)
"""How long somebody who came without an appointment may be asked to wait."""


@dataclass(frozen=True)
class Excess:
    """One thing that a booking would exceed. code: taken, kept, closed, grid or resource. count: how many are there
    already; name: which pool is wanting."""

    code: str
    count: int = 0
    name: str = ""


@dataclass(frozen=True)
class Offer:
    """A reason at the chosen time. impossible: too_long or past, whatever the agent says. fits: it may be booked as it
    is. beyond: what it would exceed otherwise. most, taken: how many of it the session takes, and has."""

    reason: Reason
    fits: bool
    impossible: str
    beyond: tuple[Excess, ...]
    most: int | None
    taken: int

    @property
    def is_full(self) -> bool:
        """The session has as many of this reason as it takes: an agent may still add one."""
        return self.most is not None and self.taken >= self.most


@dataclass(frozen=True)
class Cell:
    """The chosen time, and every reason that its session takes, by rank."""

    slot: Slot
    opened: ConsultationSession
    unit: Unit
    offers: Sequence[Offer]

    @property
    def at(self) -> datetime:
        return self.opened.at(self.slot.first_cell)

    def offer(self, reason_id: str) -> Offer | None:
        return next((each for each in self.offers if str(each.reason.id) == reason_id), None)


def cell(slot: Slot, establishments: Collection[UUID]) -> Cell | None:
    """None when it is not a time of these hospitals."""
    row = session.execute(
        select(ConsultationSession, Unit)
        .join(Unit, Unit.id == ConsultationSession.unit_id)
        .join(Unit.establishment)
        .where(
            ConsultationSession.id == slot.session_id,
            ConsultationSession.n_cells > slot.first_cell,
            ConsultationSession.establishment_id.in_(establishments),
        )
        .options(joinedload(ConsultationSession.practitioner), contains_eager(Unit.establishment))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    opened, unit = row
    return Cell(slot, opened, unit, _offers(opened, slot.first_cell))


def _offers(opened: ConsultationSession, first_cell: int) -> Sequence[Offer]:
    rows = session.execute(
        select(Reason, SessionReason)
        .join(SessionReason, SessionReason.reason_id == Reason.id)
        .where(SessionReason.session_id == opened.id)
        .order_by(Reason.position, Reason.name)
    ).all()
    pools = availability.pools_of([reason.id for reason, _takes in rows])
    wanted = {pool for each in pools.values() for pool in each}
    taken = availability.taken(wanted, opened.start_at, opened.at(opened.n_cells))
    around = _Around.of(opened, {pool: _name(pool) for pool in wanted})
    return [
        around.offer(reason, takes, first_cell, {pool: taken[pool] for pool in pools[reason.id]})
        for reason, takes in rows
    ]


def _name(pool_id: UUID) -> str:
    pool = session.get(ResourcePool, pool_id)
    return pool.name if pool else ""


@dataclass(frozen=True)
class _Around:
    """What fills a session already. visits, kept: first cell and number of cells of each."""

    opened: ConsultationSession
    visits: Sequence[tuple[int, int]]
    kept: Sequence[tuple[int, int]]
    names: dict[UUID, str]

    @classmethod
    def of(cls, opened: ConsultationSession, names: dict[UUID, str]) -> "_Around":
        expected = Appointment.state != states.CANCELLED
        visits = select(Appointment.first_cell, Appointment.n_cells).where(Appointment.session_id == opened.id)
        kept = select(Hold.first_cell, Hold.n_cells).where(Hold.session_id == opened.id)
        return cls(
            opened,
            [(first, count) for first, count in session.execute(visits.where(expected))],
            [(first, count) for first, count in session.execute(kept)],
            names,
        )

    def offer(self, reason: Reason, takes: SessionReason, first_cell: int, needed: Taken) -> Offer:
        window = reason.window("phone", db.now())
        found = availability.starts(self.opened, reason, window, needed)
        fits = bool(found >> first_cell & 1)
        beyond = () if fits else tuple(self._exceeded(reason, first_cell, needed))
        return Offer(reason, fits, self._impossible(reason, first_cell), beyond, takes.most, takes.taken)

    def _impossible(self, reason: Reason, first_cell: int) -> str:
        if self.opened.at(first_cell) <= db.now():
            return "past"
        return "too_long" if first_cell + reason.cells(self.opened.step_min) > self.opened.n_cells else ""

    def _exceeded(self, reason: Reason, first_cell: int, needed: Taken) -> Iterator[Excess]:
        opened, count = self.opened, reason.cells(self.opened.step_min)
        wanted = slots.mask(first_cell, count)
        if wanted & ~opened.open:
            yield Excess("closed")
        if wanted & opened.open & ~opened.free:
            yield from self._who_has(wanted)
        elif reason.grid_min and first_cell * opened.step_min % reason.grid_min:
            yield Excess("grid", reason.grid_min)
        seen = opened.at(first_cell + slots.cells_for(reason.duration_min, opened.step_min))
        cells = slots.claim_cells(opened.at(first_cell), seen)
        for pool, resources in needed.items():
            if not availability.choose({pool: resources}, cells):
                yield Excess("resource", 0, self.names[pool])

    def _who_has(self, wanted: int) -> Iterator[Excess]:
        visits = sum(bool(slots.mask(*each) & wanted) for each in self.visits)
        kept = sum(bool(slots.mask(*each) & wanted) for each in self.kept)
        if visits or not kept:
            yield Excess("taken", visits)
        if kept:
            yield Excess("kept", kept)


# -- somebody without an appointment -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """When a practitioner could receive somebody who is there: at a free time, or beyond what is free."""

    slot: Slot
    at: datetime
    practitioner: str
    beyond: bool

    def __str__(self) -> str:
        return f"{'beyond' if self.beyond else 'free'}:{self.slot}"


def places(reason: Reason) -> Sequence[Place]:
    """For somebody who is at the desk now, for this reason: the soonest free time of each practitioner who receives
    today, then the soonest time beyond."""
    now = db.now()
    rows = session.scalars(
        select(ConsultationSession)
        .join(SessionReason, SessionReason.session_id == ConsultationSession.id)
        .join(Establishment, Establishment.id == ConsultationSession.establishment_id)
        .where(
            SessionReason.reason_id == reason.id,
            ConsultationSession.start_at.between(now - timedelta(hours=15), now + WALK_IN_WITHIN),
        )
        .options(joinedload(ConsultationSession.practitioner))
    ).all()
    running = [each for each in rows if each.at(each.n_cells) > now]
    pools = availability.pools_of([reason.id])[reason.id]
    found = [place for each in running for place in _places_in(each, reason, pools)]
    return sorted(found, key=lambda each: (each.beyond, each.at, each.practitioner))


def _places_in(opened: ConsultationSession, reason: Reason, pools: Sequence[UUID]) -> Iterator[Place]:
    now, name = db.now(), opened.practitioner.full_name
    needed = availability.taken(pools, opened.start_at, opened.at(opened.n_cells))
    found = availability.starts(opened, reason, reason.window("phone", now), needed)
    if found:
        first = (found & -found).bit_length() - 1
        yield Place(Slot(opened.id, first), opened.at(first), name, beyond=False)
    following = max(0, (now - opened.start_at) // timedelta(minutes=opened.step_min) + 1)
    fits = following + reason.cells(opened.step_min) <= opened.n_cells
    if fits and not found >> following & 1:
        yield Place(Slot(opened.id, following), opened.at(following), name, beyond=True)
