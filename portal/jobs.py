"""Work to do later: enqueued in the caller's transaction (no commit, no job), done by `parvis work`.

procrastinate keeps the queue in our own database. A killed or stalled job may run twice, so each job puts its
done-mark in the transaction of its effect (`effect()`): the second run finds it and stops.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from signal import SIGINT, SIGTERM, signal
from threading import Event
from typing import Any

import procrastinate
import structlog
from croniter import croniter  # type: ignore[import-untyped]  # procrastinate's own reading of cron
from procrastinate import BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.periodic import PeriodicRegistry
from psycopg import OperationalError, connect
from sqlalchemy import BigInteger, Index, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column, scoped_session

from portal import clocks, db, job_workers, tracing
from portal.db import Base
from portal.gateways import DoorError, Paused, Unavailable

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
STALLED_AFTER_S = 60
KEEP_FINISHED_HOURS = 72
_RETRIES = 12
_RETRIES_WHILE_AWAY = 84  # three days: a mail server or a scanner may be down from Friday to Monday
_LONGEST_WAIT_S = 3600
_AFTER_A_LOSS_S = 1

Function = Callable[..., Any]


class _Retry(BaseRetryStrategy):
    """After 2, 4, 8… seconds, then hourly. A job waits for a door that is away; any other trouble is told sooner.

    For a door that people closed, it waits as long as they keep it closed: opening it again calls the job back.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, Paused):
            latest = db.now() + timedelta(seconds=_LONGEST_WAIT_S)
            return RetryDecision(retry_at=min(exception.until or latest, latest))
        most = _RETRIES_WHILE_AWAY if isinstance(exception, Unavailable) else _RETRIES
        if job.attempts >= most:
            return None
        return RetryDecision(retry_in={"seconds": min(2 ** (job.attempts + 1), _LONGEST_WAIT_S)})


app = procrastinate.App(connector=PsycopgConnector())


class JobDone(Base):
    """The done-mark of a job, written in the transaction of its effect."""

    __tablename__ = "job_done"

    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    done_at: Mapped[datetime] = mapped_column(default=db.now)


class JobTrouble(Base):
    """What stopped a job the last time: the class of the error, and of a door's error its name and its words. The text
    of any other error is not kept: it may hold a name."""

    __tablename__ = "job_trouble"
    __table_args__ = (Index(None, "door", postgresql_where=text("door <> ''")),)

    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    door: Mapped[str]
    error: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class JobSettled(Base):
    """Somebody gave a job up, and said why."""

    __tablename__ = "job_settled"

    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str]
    settled_by: Mapped[str]
    settled_at: Mapped[datetime] = mapped_column(default=db.now)


class AlreadyDone(Exception):
    """This job's effect was committed by an earlier run."""


@dataclass
class _Running:
    job_id: int
    name: str
    has_taken_effect: bool = False


_running: ContextVar[_Running] = ContextVar("job")
_names: set[str] = set()


def task(name: str, *, queue: str = "default") -> Callable[[Function], Function]:
    """Register a job `room.verb`. Its arguments are ids, as text. It opens its own transactions: `reading()` to
    look, no transaction while it calls a door, `effect()` for what it changes.
    """

    def register(function: Function) -> Function:
        def run(context: JobContext, /, **arguments: Any) -> None:
            _run(function, context, arguments)

        app.task(name=name, queue=queue, pass_context=True, retry=_Retry())(run)
        _names.add(name)
        return function

    return register


def periodic(cron: str, name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register a job that every worker's clock may start, once per tick. `cron` is in UTC, five or six fields
    (the sixth counts seconds)."""

    def register(function: Callable[[], Any]) -> Callable[[], Any]:
        def run(context: JobContext, timestamp: int) -> None:
            _run(function, context, {})

        ticking = app.task(name=name, queue="clock", pass_context=True, queueing_lock=name, retry=False)(run)
        app.periodic(cron=cron)(ticking)
        _names.add(name)
        return function

    return register


@dataclass(frozen=True)
class Tick:
    """A job of the clock and when it is due: `cron`, in UTC."""

    name: str
    cron: str

    def due_before(self, moment: datetime) -> datetime:
        """The last time it was due."""
        return datetime.fromtimestamp(croniter(self.cron, moment.timestamp()).get_prev(), UTC)

    def due_after(self, moment: datetime) -> datetime:
        """The next time it is due."""
        return datetime.fromtimestamp(croniter(self.cron, moment.timestamp()).get_next(), UTC)


def ticks() -> Sequence[Tick]:
    """Every job of the clock, by name."""
    known = app.periodic_registry.periodic_tasks.values()
    return sorted((Tick(each.task.name, each.cron) for each in known), key=lambda tick: tick.name)


def names() -> frozenset[str]:
    """Every registered job."""
    return frozenset(_names)


def enqueue(name: str, /, *, at: datetime | None = None, lock: str | None = None, **arguments: str | int) -> None:
    """Ask for a job in the current transaction. at: not before this moment. lock: one job at a time with this lock.

    Raises KeyError when no such job is registered.
    """
    if name not in _names:
        raise KeyError(f"no job is called {name!r}")
    if trace := tracing.carried():
        arguments[_TRACE] = trace
    db.write_later(
        _DEFER, {"task": name, "queue": app.tasks[name].queue, "lock": lock, "args": json.dumps(arguments), "at": at}
    )


_TRACE = "_trace"
"""Among the arguments of a job that a traced request asked for: its trace, which the job goes on with."""
_DEFER = (
    "select procrastinate_defer_jobs_v1(array[row("
    ":queue, :task, 0, cast(:lock as text), null, cast(:args as jsonb), cast(:at as timestamptz))"
    "::procrastinate_job_to_defer_v1])"
)


@contextmanager
def reading() -> Iterator[scoped_session[Session]]:
    """A transaction to look in, as the running job."""
    with db.transaction(db.system(_running.get().name)) as current:
        yield current


@contextmanager
def effect() -> Iterator[scoped_session[Session]]:
    """The transaction of the running job's effect, with its done-mark. Raises AlreadyDone on a second run.

    One effect a job: a second one would be lost if the job died between the two.
    """
    running = _running.get()
    if running.has_taken_effect:
        raise RuntimeError(f"the job {running.name} has taken effect already: enqueue another job for the rest")
    with db.transaction(db.system(running.name)) as current:
        mark = insert(JobDone).values(job_id=running.job_id).on_conflict_do_nothing().returning(JobDone.job_id)
        if current.scalar(mark) is None:
            raise AlreadyDone
        yield current
    running.has_taken_effect = True


_around: Callable[[], AbstractContextManager[object]] = nullcontext


def surround(context: Callable[[], AbstractContextManager[object]]) -> None:
    """What must be open around each job (the application's context: settings, translations)."""
    global _around
    _around = context


def _run(function: Callable[..., Any], context: JobContext, arguments: dict[str, Any]) -> None:
    assert context.job.id is not None, "a fetched job has an id"
    token = _running.set(_Running(context.job.id, context.job.task_name))
    job, parent = context.job.task_name, arguments.pop(_TRACE, "")
    numbered = structlog.contextvars.bound_contextvars(job=job, job_id=context.job.id)
    try:
        with numbered, tracing.span(job, "consumer", parent, parvis__job__id=context.job.id), _of_trace(), _around():
            function(**arguments)
    except AlreadyDone:
        log.info("job.already_done", job=job, job_id=context.job.id)
    except Exception as error:
        _note(context.job.id, error)
        raise
    finally:
        _running.reset(token)


def _of_trace() -> AbstractContextManager[object]:
    """The lines of a traced job have the number of the request that asked for it."""
    trace = tracing.carried()
    return structlog.contextvars.bound_contextvars(request=trace.split("-")[1]) if trace else nullcontext()


def _note(job_id: int, error: Exception) -> None:
    """Write down what stopped a job, for whoever looks after the queue; procrastinate keeps nothing of it."""
    met: BaseException | None = error
    while met is not None and not isinstance(met, DoorError):
        met = met.__cause__ or met.__context__
    said = {"door": met.door, "reason": str(met)[:300]} if isinstance(met, DoorError) else {"door": "", "reason": ""}
    values = {"job_id": job_id, "error": type(error).__name__, "at": db.now()} | said
    try:
        with db.transaction(db.system(_running.get().name)) as current:
            added = insert(JobTrouble).values(values)
            current.execute(added.on_conflict_do_update(index_elements=[JobTrouble.job_id], set_=values))
    except SQLAlchemyError as trouble:
        log.warning("job.trouble_not_noted", job_id=job_id, error=type(trouble).__name__)


# -- the worker --------------------------------------------------------------------------------------------------


def work(database_url: str, *, concurrency: int = 4, wait: bool = True, prepare: bool = True) -> None:
    """Run a worker until SIGINT or SIGTERM. wait=False: until the queue is empty, and the clock starts nothing.
    prepare: as in `db.connect`.

    Workers poll: a NOTIFY in the caller's transaction would limit all commits to one per disk flush.
    """
    clock = app.periodic_registry
    if not wait:
        app.periodic_registry = PeriodicRegistry()  # type: ignore[no-untyped-call]  # theirs says nothing of types
    try:
        while _work(database_url, concurrency, wait, prepare):
            log.warning("jobs.database_lost", again_in_s=_AFTER_A_LOSS_S)
            time.sleep(_AFTER_A_LOSS_S)
    finally:
        app.periodic_registry = clock


def rest(*, wait: bool = True) -> None:
    """Take no job and start none, as long as this process lives: the portal only reads. Until SIGINT or SIGTERM."""
    log.warning("jobs.resting", reason="PORTAL_READ_ONLY")
    if wait:
        stopped = Event()
        for each in (SIGINT, SIGTERM):
            signal(each, lambda *_: stopped.set())
        stopped.wait()


def _work(database_url: str, concurrency: int, wait: bool, prepare: bool) -> bool:
    """One life of a worker; whether there must be another, for it lost the database."""
    import asyncio

    how = db.libpq_words(prepare=prepare, application="parvis-work")
    with suppress(OperationalError), connect(database_url, **how) as connection:
        clocks.compare(connection)  # before the first tick
    connector = job_workers.Connector(conninfo=database_url, min_size=1, max_size=concurrency + 2, kwargs=how)
    try:
        with app.replace_connector(connector) as live:
            return asyncio.run(
                job_workers.live(
                    live,
                    connector,
                    concurrency=concurrency,
                    wait=wait,
                    listen_notify=False,
                    fetch_job_polling_interval=POLL_INTERVAL_S,
                    stalled_worker_timeout=STALLED_AFTER_S / 2,
                    shutdown_graceful_timeout=10,
                )
            )
    except (ConnectorException, OperationalError):
        if not wait:
            raise
        return True


@periodic("* * * * *", "jobs.retry_stalled")
def retry_stalled() -> None:
    """Give jobs of dead workers back to the queue; nothing else does.

    At most one of those that share a queueing lock (the clock's), and none while its next tick waits already: the
    queue refuses a second one, and would refuse all the others with it. A tick that failed goes as well, once a later
    one did its work: the database was restarted, say, and nobody has to look.

    A job may have killed its worker, and those beside it: from the second time on they begin minutes apart, and
    what was there each time is among the failed ones after the fifth.
    """
    with reading() as current:
        after = {"after": timedelta(seconds=STALLED_AFTER_S), "most": _MOST_DEATHS, "apart": _APART}
        current.execute(_RETRY_STALLED, after)
        current.execute(_FORGET_OVERTAKEN)


_FORGET_OVERTAKEN = text(
    "delete from procrastinate_jobs j where j.queue_name = 'clock' and j.status = 'failed' and exists (select 1 from"
    " procrastinate_jobs later where later.queue_name = 'clock' and later.task_name = j.task_name"
    " and later.status = 'succeeded' and later.id > j.id)"
)


_MOST_DEATHS = 5
_APART = timedelta(minutes=5)
_RETRY_STALLED = text(
    "with stalled as (select distinct on (coalesce(j.queueing_lock, j.id::text)) j.id,"
    " case when t.error = 'WorkerDied' then split_part(t.reason, ' ', 1)::int else 0 end + 1 as deaths"
    " from procrastinate_jobs j left join job_trouble t on t.job_id = j.id"
    " left join procrastinate_workers w on w.id = j.worker_id"
    " where j.status = 'doing' and (w.id is null or w.last_heartbeat < now() - cast(:after as interval))"
    " and not exists (select 1 from procrastinate_jobs t where t.status = 'todo' and t.queueing_lock = j.queueing_lock)"
    " order by coalesce(j.queueing_lock, j.id::text), j.id desc),"
    " noted as (insert into job_trouble (job_id, door, error, reason, at) select id, '', 'WorkerDied',"
    " deaths || ' times in a row, the worker died while it ran', now() from stalled on conflict (job_id) do update"
    " set door = '', error = excluded.error, reason = excluded.reason, at = excluded.at)"
    " select case when deaths >= :most then procrastinate_finish_job_v1(id, 'failed', false)::text"
    " else procrastinate_retry_job_v2(id, now() + case when deaths > 1 then cast(:apart as interval)"
    " * (row_number() over (partition by deaths > 1 order by random()) - 1) else interval '0' end,"
    " null, null, null)::text"
    " end from stalled"
)


@periodic("17 3 * * *", "jobs.forget_finished")
def forget_finished() -> None:
    """Delete finished jobs and their done-marks after three days; failed ones stay for the operator."""
    with reading() as current:
        age = {"age": timedelta(hours=KEEP_FINISHED_HOURS)}
        current.execute(
            text(
                "delete from procrastinate_jobs j where j.status = 'succeeded' and not exists ("
                "select 1 from procrastinate_events e where e.job_id = j.id"
                " and e.at > now() - cast(:age as interval))"
            ),
            age,
        )
        for beside in ("job_trouble", "job_settled"):
            gone = "not exists (select 1 from procrastinate_jobs j where j.id = b.job_id)"
            current.execute(text(f"delete from {beside} b where {gone}"))
        current.execute(
            text(
                "delete from job_done d where d.done_at < now() - cast(:age as interval) and not exists"
                " (select 1 from procrastinate_jobs j where j.id = d.job_id)"
            ),
            age,
        )
