"""How the machine is: what the worker has to do, whether the ledgers keep up. No row of a person is shown.

Counting the events that wait for their seal takes sight of every hospital's: it is done as the system, and only
numbers come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from portal import db
from portal.db import session

LATE = timedelta(minutes=2)
"""A roll-up or a seal older than this means that no worker runs, or that a transaction stays open."""
_HEARTBEAT = timedelta(seconds=60)


@dataclass(frozen=True)
class Queue:
    """Jobs by state, and the workers that gave a sign of life in the last minute."""

    waiting: int
    later: int
    doing: int
    failed: int
    workers: int


@dataclass(frozen=True)
class FailedTask:
    """Jobs of one kind that were given up."""

    task: str
    jobs: int
    last_at: datetime | None


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


_QUEUE = text(
    "select count(*) filter (where status = 'todo' and coalesce(scheduled_at, now()) <= now()),"
    " count(*) filter (where status = 'todo' and scheduled_at > now()),"
    " count(*) filter (where status = 'doing'), count(*) filter (where status = 'failed'),"
    " (select count(*) from procrastinate_workers where last_heartbeat > now() - cast(:heartbeat as interval))"
    " from procrastinate_jobs where status in ('todo', 'doing', 'failed')"
)
_FAILED = text(
    "select j.task_name, count(distinct j.id), max(e.at) from procrastinate_jobs j"
    " left join procrastinate_events e on e.job_id = j.id and e.type = 'failed'"
    " where j.status = 'failed' group by 1 order by 2 desc, 1 limit 20"
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


def failed_tasks() -> Sequence[FailedTask]:
    """Kinds of jobs that were given up, the most frequent first."""
    return [FailedTask(*row) for row in session.execute(_FAILED)]


def ledgers() -> Ledgers:
    """Whether the seals and the figures keep up with what is written."""
    with db.transaction(db.system("admin.connectors")):
        return Ledgers(*session.execute(_LEDGERS).one())
