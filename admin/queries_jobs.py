"""The queue of jobs as people look after it: what is late, what runs, what failed and why, what the clock does.

Arguments of jobs are ids; whatever else one may hold is not shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from portal import db, jobs
from portal.db import session

STATES: Final = ("failed", "late", "waiting", "later", "doing", "settled")
"""What a list may hold: failed, and nobody has settled it; due for minutes; due now; due later; running; given up."""
LATE: Final = timedelta(minutes=2)
PAGE: Final = 50
_ALIVE = timedelta(seconds=60)
_SHOWN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d{2}-\d{2}|[a-z]+(?:_[a-z]+){0,3}", re.ASCII)
"""A UUID, a day, a word of the code."""


@dataclass(frozen=True)
class Kind:
    """Jobs of one name, by state. oldest_at: since when the oldest that is due has been due."""

    task: str
    failed: int
    late: int
    waiting: int
    later: int
    doing: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class JobLine:
    """One job. due_at: when it is or was to be done. error, door, reason: what stopped it the last time."""

    id: int
    task: str
    status: str
    attempts: int
    queue: str
    lock: str
    by_clock: bool
    arguments: Mapping[str, Any]
    due_at: datetime | None
    changed_at: datetime | None
    error: str
    door: str
    reason: str
    settled: str
    settled_by: str
    settled_at: datetime | None

    @property
    def state(self) -> str:
        """One of `STATES`, or `succeeded`."""
        if self.settled_at is not None:
            return "settled"
        if self.status != "todo":
            return {"cancelled": "settled", "aborted": "settled"}.get(self.status, self.status)
        if self.due_at is None or self.due_at <= db.now() - LATE:
            return "late"
        return "later" if self.due_at > db.now() else "waiting"

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Its arguments: ids, days and words of the code; nothing else."""
        return [(key, str(value) if _may_be_shown(value) else "•••") for key, value in sorted(self.arguments.items())]


def _may_be_shown(value: object) -> bool:
    return isinstance(value, str) and _SHOWN.fullmatch(value) is not None


@dataclass(frozen=True)
class Worker:
    """A worker, when it last gave a sign of life, and how many jobs it does."""

    id: int
    seen_at: datetime
    doing: int

    @property
    def is_alive(self) -> bool:
        return db.now() - self.seen_at < _ALIVE


@dataclass(frozen=True)
class ClockLine:
    """A job of the clock: when it last was asked for, how that ended, when it is due again; missed: it was due since.

    What was never asked for may be due for the first time later: it missed nothing.
    """

    name: str
    cron: str
    last_at: datetime | None
    status: str
    next_at: datetime
    missed: bool


_DUE_AT = "coalesce(j.scheduled_at, (select min(e.at) from procrastinate_events e where e.job_id = j.id))"
_WITH_DUE = (
    f"with queue as (select j.*, {_DUE_AT} as due_at, s.job_id is not null as settled from procrastinate_jobs j"
    " left join job_settled s on s.job_id = j.id where j.status in ('todo', 'doing', 'failed'))"
)
_KINDS = text(
    f"{_WITH_DUE} select task_name, count(*) filter (where status = 'failed' and not settled) as failed,"
    " count(*) filter (where status = 'todo' and due_at <= now() - cast(:late as interval)) as late,"
    " count(*) filter (where status = 'todo' and due_at > now() - cast(:late as interval) and due_at <= now()),"
    " count(*) filter (where status = 'todo' and due_at > now()), count(*) filter (where status = 'doing'),"
    " min(due_at) filter (where status = 'todo' and due_at <= now())"
    " from queue where not (status = 'failed' and settled) group by 1 order by 2 desc, 3 desc, 1"
)
_LINES = (
    "select j.id, j.task_name, j.status::text, j.attempts, j.queue_name, coalesce(j.lock, ''),"
    " j.queueing_lock is not null, j.args, j.due_at,"
    " (select max(e.at) from procrastinate_events e where e.job_id = j.id), coalesce(t.error, ''),"
    " coalesce(t.door, ''), coalesce(t.reason, ''), coalesce(s.reason, ''), coalesce(s.settled_by, ''), s.settled_at"
    f" from (select j.*, {_DUE_AT} as due_at from procrastinate_jobs j where {{which}}) j"
    " left join job_trouble t on t.job_id = j.id left join job_settled s on s.job_id = j.id"
)
_CONDITIONS: Mapping[str, str] = {
    "failed": "j.status = 'failed' and s.job_id is null",
    "late": "j.status = 'todo' and j.due_at <= now() - cast(:late as interval)",
    "waiting": "j.status = 'todo' and j.due_at > now() - cast(:late as interval) and j.due_at <= now()",
    "later": "j.status = 'todo' and j.due_at > now()",
    "doing": "j.status = 'doing'",
    "settled": "s.job_id is not null or j.status in ('cancelled', 'aborted')",
}


def kinds() -> Sequence[Kind]:
    """Jobs that are not over, by name: those with failures first."""
    return [Kind(*row) for row in session.execute(_KINDS, {"late": LATE})]


def jobs_in(state: str, task: str = "", door: str = "", before: int | None = None) -> Sequence[JobLine]:
    """Jobs of one of the `STATES`, the newest first, a page and one more; of one name, or stopped by one door."""
    which = "true" if state == "settled" else "j.status in ('todo', 'doing', 'failed')"
    if task:
        which += " and j.task_name = :task"
    more = " and t.door = :door" if door else ""
    more += " and j.id < :before" if before is not None else ""
    query = f"{_LINES.format(which=which)} where ({_CONDITIONS[state]}){more} order by j.id desc limit :most"
    values = {"late": LATE, "task": task, "door": door, "before": before, "most": PAGE + 1}
    kept = {name: value for name, value in values.items() if f":{name}" in query}
    return [JobLine(*row) for row in session.execute(text(query), kept)]


def job(job_id: int) -> JobLine | None:
    """One job, over or not."""
    row = session.execute(text(_LINES.format(which="j.id = :id")), {"id": job_id}).one_or_none()
    return JobLine(*row) if row else None


def events(job_id: int) -> Sequence[tuple[str, datetime]]:
    """What became of a job, the latest first; a hundred at most."""
    query = text("select type::text, at from procrastinate_events where job_id = :id order by id desc limit 100")
    return [(kind, at) for kind, at in session.execute(query, {"id": job_id})]


def workers() -> Sequence[Worker]:
    """The workers that the queue knows."""
    query = text(
        "select w.id, w.last_heartbeat, (select count(*) from procrastinate_jobs j where j.worker_id = w.id"
        " and j.status = 'doing') from procrastinate_workers w order by w.id"
    )
    return [Worker(*row) for row in session.execute(query)]


def clock() -> Sequence[ClockLine]:
    """Every job of the clock, those that missed their time first."""
    query = text(
        "select d.task_name, to_timestamp(max(d.defer_timestamp)), max(j.status::text)"
        " from procrastinate_periodic_defers d left join procrastinate_jobs j on j.id = d.job_id group by 1"
    )
    ran = {name: (at, status or "succeeded") for name, at, status in session.execute(query)}
    lines = [_clock_line(tick, *ran.get(tick.name, (None, ""))) for tick in jobs.ticks()]
    return sorted(lines, key=lambda line: (not line.missed, line.name))


def _clock_line(tick: jobs.Tick, last_at: datetime | None, status: str) -> ClockLine:
    now = db.now()
    due = tick.due_before(now - LATE)
    missed = last_at is not None and last_at < due
    return ClockLine(tick.name, tick.cron, last_at, status, tick.due_after(now), missed)
