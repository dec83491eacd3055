"""How the machine is: its doors, as every process has seen them, and whether the ledgers keep up. No row of a person
is shown.

Counting the events that wait for their seal takes sight of every hospital's: it is done as the system, and only
numbers come out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text

from portal import db
from portal.db import session
from portal.gateways import board, door
from portal.gateways.board import DoorLine, DoorPause, DoorTest
from portal.gateways.door import DoorState

LATE = timedelta(minutes=2)
"""A roll-up or a seal older than this means that no worker runs, or that a transaction stays open."""
SEEN_LATELY = timedelta(days=1)
"""What processes said of their doors counts for this long."""
NEVER_CLOSED: Final = frozenset({"storage"})
"""Families of doors that people cannot close: without its files the portal is out of order, not waiting."""
_HEARTBEAT = timedelta(seconds=60)


@dataclass(frozen=True)
class Connector:
    """One door, as all the processes together see it. waiting, given_up: jobs that it stopped."""

    state: DoorState
    processes: int
    pause: DoorPause | None
    test: DoorTest | None
    waiting: int
    given_up: int

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def family(self) -> str:
        """What stands behind it: `his`, `mail`, `payments`…"""
        return family(self.name)

    @property
    def p95_ms(self) -> float | None:
        """What 95 of 100 of the last passages stayed under."""
        return door.percentile_ms(self.state.recent, 0.95)

    @property
    def is_used(self) -> bool:
        """Whether anything went through it lately, or was kept from it."""
        state = self.state
        return bool(state.last_success_at or state.last_failure_at or self.pause or self.test or self.waiting)

    @property
    def may_be_closed(self) -> bool:
        return self.family not in NEVER_CLOSED


@dataclass(frozen=True)
class Queue:
    """Jobs by state, and the workers that gave a sign of life in the last minute."""

    waiting: int
    later: int
    doing: int
    failed: int
    workers: int


@dataclass(frozen=True)
class Ledgers:
    """The audit's chain and the roll-up of figures; waiting: committed rows that neither has taken yet."""

    batches: int
    sealed: int
    sealed_at: datetime | None
    to_seal: int
    rolled_up_at: datetime
    to_count: int

    @property
    def figures_are_late(self) -> bool:
        return db.now() - self.rolled_up_at > LATE


def family(name: str) -> str:
    """What stands behind a door of this name."""
    return name.partition(".")[0].partition(" ")[0]


def connectors(finess: Collection[str]) -> Sequence[Connector]:
    """Every door used in a day, or that this process holds: the whole group's, and those of these hospitals."""
    own = [state for state in door.states() if board.finess_of(state.name) in ("", *finess)]
    fresher = {(board.process(), state.name) for state in own}
    lines = [line for line in board.lines(db.now() - SEEN_LATELY) if (line.process, line.door) not in fresher]
    states = board.by_name([*(line.state for line in lines), *own])
    pauses, tests, stopped = board.pauses(), board.last_tests(), _stopped()
    return [
        Connector(state, _seen_by(name, lines, own), pauses.get(name), tests.get(name), *stopped.get(name, (0, 0)))
        for name, state in states.items()
    ]


def connector(name: str, finess: Collection[str]) -> Connector | None:
    """One of them."""
    return next((each for each in connectors(finess) if each.name == name), None)


def _seen_by(name: str, lines: Sequence[DoorLine], own: Sequence[DoorState]) -> int:
    used = any(state.name == name and (state.last_success_at or state.last_failure_at) for state in own)
    return len({line.process for line in lines if line.door == name}) + used


def seen_by(name: str) -> Sequence[DoorLine]:
    """One door process by process, the last seen first."""
    lines = [line for line in board.lines(db.now() - SEEN_LATELY) if line.door == name]
    return sorted(lines, key=lambda line: line.seen_at, reverse=True)


_QUEUE = text(
    "select count(*) filter (where status = 'todo' and coalesce(scheduled_at, now()) <= now()),"
    " count(*) filter (where status = 'todo' and scheduled_at > now()),"
    " count(*) filter (where status = 'doing'),"
    " count(*) filter (where status = 'failed' and not exists (select 1 from job_settled s where s.job_id = j.id)),"
    " (select count(*) from procrastinate_workers where last_heartbeat > now() - cast(:heartbeat as interval))"
    " from procrastinate_jobs j where status in ('todo', 'doing', 'failed')"
)
_STOPPED = text(
    "select t.door, count(*) filter (where j.status = 'todo'), count(*) filter (where j.status = 'failed' and"
    " not exists (select 1 from job_settled s where s.job_id = j.id)) from job_trouble t"
    " join procrastinate_jobs j on j.id = t.job_id"
    " where t.door <> '' and j.status in ('todo', 'failed') group by 1"
)
_LEDGERS = text(
    "select (select count(*) from audit_batch), (select coalesce(sum(events), 0) from audit_batch),"
    " (select max(sealed_at) from audit_batch),"
    " (select count(*) from audit_event where xid >= coalesce("
    "   (select to_xid from audit_batch order by id desc limit 1), '0'::xid8)),"
    " w.rolled_up_at, (select count(*) from kpi_event where xid >= w.xid) from kpi_watermark w"
)


def queue() -> Queue:
    """What waits, runs and failed."""
    return Queue(*session.execute(_QUEUE, {"heartbeat": _HEARTBEAT}).one())


def _stopped() -> Mapping[str, tuple[int, int]]:
    """Door → jobs that wait for it, jobs that were given up because of it."""
    return {name: (waiting, failed) for name, waiting, failed in session.execute(_STOPPED)}


def ledgers() -> Ledgers:
    """Whether the seals and the figures keep up with what is written."""
    with db.transaction(db.system("admin.connectors")):
        return Ledgers(*session.execute(_LEDGERS).one())


def pauses_of(name: str) -> Sequence[DoorPause]:
    """When people closed a door, the latest first; twenty at most."""
    query = select(DoorPause).where(DoorPause.door == name).order_by(DoorPause.paused_at.desc()).limit(20)
    return session.scalars(query).all()
