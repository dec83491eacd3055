"""Work to do later: asked for in the transaction, done once, whatever dies in between."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import procrastinate
import psycopg
import pytest
from procrastinate import PsycopgConnector
from sqlalchemy import text

from portal import db, job_workers, jobs
from portal.establishments import Establishment
from tests.conftest import Database
from tests.ground import count, prepared
from tests.portal import jobs_under_test

pytestmark = pytest.mark.usefixtures("app")
Work = Callable[[], None]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    jobs_under_test.runs.clear()


@pytest.fixture
def run_sql(database: Database) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """The queue as an operator sees it."""
    with psycopg.connect(database.superuser_url, autocommit=True) as connection:

        def run(statement: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement)  # type: ignore[call-overload]  # psycopg asks for literal text
            return cursor.fetchall() if cursor.description else []

        yield run


Sql = Callable[..., list[tuple[Any, ...]]]


def marks(run_sql: Sql) -> int:
    """Done-marks of the jobs of these tests: the clock's own jobs leave some too."""
    ours = "select id from procrastinate_jobs where task_name like 'tests.%'"
    return int(run_sql(f"select count(*) from job_done where job_id in ({ours})")[0][0])


def ask(job: str = "tests.add", /, **arguments: Any) -> None:
    with prepared():
        jobs.enqueue(job, **({"name": "one"} | arguments))


class TestAskingForAJob:
    def test_in_a_transaction_that_commits_gets_it_done(self, work_jobs: Work) -> None:
        ask()
        assert jobs_under_test.runs == []
        work_jobs()
        assert jobs_under_test.runs == ["one"]
        assert count(Establishment) == 1

    def test_in_one_that_does_not_commit_gets_nothing(self, work_jobs: Work, run_sql: Sql) -> None:
        with pytest.raises(ZeroDivisionError), db.transaction(db.system("tests")):  # noqa: PT012
            jobs.enqueue("tests.add", name="one")
            raise ZeroDivisionError
        assert run_sql("select count(*) from procrastinate_jobs where task_name = 'tests.add'") == [(0,)]
        work_jobs()
        assert jobs_under_test.runs == []

    def test_as_anybody_is_possible(self, work_jobs: Work) -> None:
        with db.transaction(db.ANONYMOUS):
            jobs.enqueue("tests.add", name="one")
        work_jobs()
        assert jobs_under_test.runs == ["one"]

    def test_for_later_waits(self, work_jobs: Work) -> None:
        ask(at=db.now() + timedelta(minutes=5))
        work_jobs()
        assert jobs_under_test.runs == []

    def test_that_does_not_exist_is_our_mistake_at_once(self) -> None:
        with pytest.raises(KeyError, match="no job is called"):
            ask("tests.nothing")

    def test_keeps_hostile_text_as_text(self, work_jobs: Work) -> None:
        hostile = "'); drop table account; -- \\ \" {} %s :x é"
        ask(name=hostile)
        work_jobs()
        assert jobs_under_test.runs == [hostile]


class TestAJob:
    def test_run_a_second_time_takes_no_second_effect(self, work_jobs: Work, run_sql: Sql) -> None:
        ask()
        work_jobs()
        run_sql("update procrastinate_jobs set status = 'todo', scheduled_at = now() where task_name = 'tests.add'")
        work_jobs()
        assert jobs_under_test.runs == ["one", "one"]
        assert count(Establishment) == 1
        assert run_sql("select status::text from procrastinate_jobs where task_name = 'tests.add'") == [("succeeded",)]

    def test_that_fails_keeps_nothing_and_is_tried_again(self, work_jobs: Work, run_sql: Sql) -> None:
        ask("tests.fail")
        work_jobs()
        assert (count(Establishment), marks(run_sql)) == (0, 0)
        run_sql("update procrastinate_jobs set scheduled_at = now() where task_name = 'tests.fail'")
        work_jobs()
        assert (count(Establishment), marks(run_sql)) == (1, 1)

    @pytest.mark.parametrize(
        ("trouble", "tries", "becomes"),
        [("away", 30, "todo"), ("away", 84, "failed"), ("a mistake", 11, "todo"), ("a mistake", 12, "failed")],
    )
    def test_waits_three_days_for_its_door_and_tells_a_mistake_sooner(
        self, work_jobs: Work, run_sql: Sql, trouble: str, tries: int, becomes: str
    ) -> None:
        ask("tests.find_the_door_closed", name=trouble)
        run_sql(f"update procrastinate_jobs set attempts = {tries} where task_name like 'tests.find%'")
        work_jobs()
        query = "select status::text, coalesce(scheduled_at, now()) < now() + interval '61 minutes'"
        assert run_sql(f"{query} from procrastinate_jobs where task_name like 'tests.find%'") == [(becomes, True)]

    def test_that_tries_to_take_effect_twice_is_our_mistake(self, work_jobs: Work) -> None:
        ask("tests.twice")
        work_jobs()
        with db.transaction(db.system("tests")) as current:
            assert current.scalars(text("select finess from establishment")).all() == ["one first"]

    def test_acts_as_the_system_under_its_own_name(self, work_jobs: Work) -> None:
        seen: list[str] = []

        @jobs.task("tests.who")
        def who() -> None:
            with jobs.reading():
                seen.append(db.current_actor().label)

        with prepared():
            jobs.enqueue("tests.who")
        work_jobs()
        assert seen == ["system:tests.who"]

    def test_outside_a_worker_has_no_effect_to_take(self) -> None:
        with pytest.raises(LookupError), jobs.effect():
            pass


class TestAWorkerKilledInTheMiddle:
    """SIGKILL, a real process, a real job: what `kill -9` and a power cut do."""

    @pytest.mark.parametrize("stage", ["door", "effect", "done"])
    def test_loses_and_doubles_nothing(self, database: Database, work_jobs: Work, run_sql: Sql, stage: str) -> None:
        ask()
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.portal.killable_worker", stage, database.application_url],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline().strip() == stage
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.communicate()
        assert run_sql("select status::text from procrastinate_jobs where task_name = 'tests.add'") == [("doing",)]
        assert count(Establishment) == (1 if stage == "done" else 0)

        run_sql("update procrastinate_workers set last_heartbeat = now() - interval '2 minutes'")
        ask_the_clock("jobs.retry_stalled")
        work_jobs()
        work_jobs()
        assert run_sql("select status::text from procrastinate_jobs where task_name = 'tests.add'") == [("succeeded",)]
        assert jobs_under_test.runs == ["one"]
        assert count(Establishment) == 1

    def test_that_is_only_slow_keeps_its_job(self, work_jobs: Work, run_sql: Sql) -> None:
        ask()
        run_sql(
            "with w as (insert into procrastinate_workers default values returning id)"
            " update procrastinate_jobs set status = 'doing', worker_id = (select id from w)"
        )
        ask_the_clock("jobs.retry_stalled")
        work_jobs()
        assert jobs_under_test.runs == []

    def test_in_the_clock_s_own_jobs_does_not_stop_the_clock(self, work_jobs: Work, run_sql: Sql) -> None:
        """Two ticks died and a third waits: the queue holds one waiting tick at most, and other jobs must go on."""
        ask()
        run_sql("update procrastinate_jobs set status = 'doing' where task_name = 'tests.add'")
        run_sql(
            "insert into procrastinate_jobs (queue_name, task_name, queueing_lock, status, args) values"
            " ('clock', 'tests.tick', 'tests.tick', 'doing', '{\"timestamp\": 1}'),"
            " ('clock', 'tests.tick', 'tests.tick', 'doing', '{\"timestamp\": 2}'),"
            " ('clock', 'tests.tick', 'tests.tick', 'todo', '{\"timestamp\": 3}')"
        )
        for _ in range(3):
            ask_the_clock("jobs.retry_stalled")
            work_jobs()
        assert jobs_under_test.runs.count("one") == 1
        assert jobs_under_test.runs.count("tick") == 3
        assert run_sql("select count(*) from procrastinate_jobs where status = 'doing'") == [(0,)]

    def test_with_the_same_job_five_times_sets_it_aside_and_those_beside_it_go_on(
        self, work_jobs: Work, run_sql: Sql
    ) -> None:
        """It kills each worker that takes it, and whatever runs beside it: the second time they begin apart."""
        ask(name="poison")
        ask(name="beside")
        ((poison,), (beside,)) = run_sql("select id from procrastinate_jobs where task_name = 'tests.add' order by id")
        both = f"from procrastinate_jobs where id in ({poison}, {beside})"
        for _death in range(2):
            died_with(run_sql, poison, beside)
        assert run_sql(f"select max(scheduled_at) - min(scheduled_at) {both}") == [(jobs._APART,)]
        died_with(run_sql, poison)
        run_sql(f"update procrastinate_jobs set scheduled_at = now() + interval '1 hour' where id = {poison}")
        run_sql(f"update procrastinate_jobs set scheduled_at = now() where id = {beside}")
        work_jobs()
        for _death in range(2):
            died_with(run_sql, poison)
        assert jobs_under_test.runs == ["beside"]
        assert run_sql(f"select status::text from procrastinate_jobs where id = {poison}") == [("failed",)]
        assert run_sql(f"select error, reason from job_trouble where job_id = {poison}") == [
            ("WorkerDied", "5 times in a row, the worker died while it ran")
        ]


BREAK_OFF = (
    "with broken as materialized (select application_name, pg_terminate_backend(pid) from pg_stat_activity"
    " where wait_event_type = 'Lock') select 1 from broken where application_name <> 'parvis'"
)
"""What waits for the queue: jobs, which have this name, and the worker itself, which is the one that matters."""


class TestAWorkerThatLosesTheDatabase:
    """The server is restarted, or a connection broken off, in the middle of a statement of the queue itself."""

    def test_takes_its_place_again_under_another_number(self, database: Database, run_sql: Sql) -> None:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.portal.killable_worker", "never", database.application_url], cwd=ROOT
        )
        try:
            until("select 1 from procrastinate_workers", run_sql)
            former = run_sql("select id from procrastinate_workers")
            with psycopg.connect(database.superuser_url) as held:
                held.execute("lock table procrastinate_jobs in access exclusive mode")
                until(BREAK_OFF, run_sql)
                held.rollback()
            ask()
            until("select 1 from procrastinate_jobs where task_name = 'tests.add' and status = 'succeeded'", run_sql)
            assert run_sql("select id from procrastinate_workers") != former
            worker.terminate()
            assert worker.wait(60) == 0
        finally:
            worker.kill()
            worker.wait()


class _Aside:
    """A job that ends when it is told to, in a worker that has lost the database since."""

    def __init__(self, url: str) -> None:
        self.begun, self.end = threading.Event(), threading.Event()
        self._app = procrastinate.App(connector=PsycopgConnector())
        self._app.task(name="tests.aside", queue="aside")(self._run)
        self.connector = job_workers.Connector(conninfo=url, min_size=1, max_size=3)

    def _run(self) -> None:
        self.begun.set()
        assert self.end.wait(60)

    def live(self) -> bool:
        with self._app.replace_connector(self.connector) as app:
            return asyncio.run(self._live(app))

    async def _live(self, app: procrastinate.App) -> bool:
        life = asyncio.create_task(job_workers.live(
            app, self.connector, queues=["aside"], listen_notify=False, update_heartbeat_interval=0.05,
            fetch_job_polling_interval=0.05, shutdown_graceful_timeout=0.05,
        ))  # fmt: skip
        while not self.begun.is_set():
            await asyncio.sleep(0.01)
        self.connector.is_lost = True
        for _reason in range(2):
            assert self.connector.when_lost is not None
            self.connector.when_lost()
            await asyncio.sleep(0)
        return await life


def test_a_worker_that_leaves_says_that_it_lives_until_its_last_job_ends(database: Database, run_sql: Sql) -> None:
    aside = _Aside(database.application_url)
    run_sql("insert into procrastinate_jobs (queue_name, task_name) values ('aside', 'tests.aside')")
    with ThreadPoolExecutor(1) as apart:  # browser tests leave a loop of theirs in this thread
        ended = apart.submit(aside.live)
        assert aside.begun.wait(60)
        for _beat in range(3):
            run_sql("update procrastinate_workers set last_heartbeat = now() - interval '1 hour'")
            until("select 1 from procrastinate_workers where last_heartbeat > now() - interval '1 minute'", run_sql)
        assert not ended.done()
        aside.end.set()
        assert ended.result(60)
    held = run_sql("select status::text, attempts from procrastinate_jobs where task_name = 'tests.aside'")
    assert held == [("succeeded", 1)]


def until(query: str, run_sql: Sql, within_s: float = 60) -> None:
    """Ask again until there is an answer."""
    end = time.monotonic() + within_s
    while not run_sql(query):
        assert time.monotonic() < end, query
        time.sleep(0.05)


def ask_the_clock(name: str) -> None:
    """A tick of a periodic job, now."""
    with prepared():
        jobs.enqueue(name, timestamp=0)


def died_with(run_sql: Sql, *running: int) -> None:
    """A worker died a minute ago while these jobs ran, and the clock looks for such."""
    for job in running:
        run_sql(f"update procrastinate_jobs set status = 'doing', worker_id = null where id = {job}")
    how = {"after": timedelta(seconds=jobs.STALLED_AFTER_S), "most": jobs._MOST_DEATHS, "apart": jobs._APART}
    with prepared():
        db.session.execute(jobs._RETRY_STALLED, how)


class TestTheQueue:
    def test_forgets_finished_jobs_and_their_marks_after_three_days(self, work_jobs: Work, run_sql: Sql) -> None:
        for age, name in (("71 hours", "young"), ("73 hours", "old")):
            ask(name=name)
            work_jobs()
            job = f"(select id from procrastinate_jobs where args ->> 'name' = '{name}')"
            run_sql(f"update procrastinate_events set at = now() - interval '{age}' where job_id = {job}")
            run_sql(f"update job_done set done_at = now() - interval '{age}' where job_id = {job}")
        ask_the_clock("jobs.forget_finished")
        work_jobs()
        names = run_sql("select args ->> 'name' from procrastinate_jobs where task_name = 'tests.add'")
        assert names == [("young",)]
        assert marks(run_sql) == 1

    def test_forgets_a_tick_that_failed_once_a_later_one_did_its_work(self, work_jobs: Work, run_sql: Sql) -> None:
        run_sql(
            "insert into procrastinate_jobs (queue_name, task_name, status) values ('clock', 'tests.tick', 'failed'),"
            " ('clock', 'tests.tick', 'succeeded'), ('clock', 'tests.tick', 'failed'),"
            " ('default', 'tests.add', 'failed'), ('default', 'tests.add', 'succeeded')"
        )
        first = run_sql("select min(id) from procrastinate_jobs where task_name = 'tests.tick'")[0][0]
        ask_the_clock("jobs.retry_stalled")
        work_jobs()
        left = run_sql(f"select task_name, id > {first} from procrastinate_jobs where status = 'failed' order by 1")
        assert left == [("tests.add", True), ("tests.tick", True)]

    def test_never_notifies(self, run_sql: Sql) -> None:
        """A NOTIFY in the caller's transaction would limit all commits to one per flush of the disk."""
        triggers = run_sql(
            "select tgname, tgenabled::text from pg_trigger where tgrelid = 'procrastinate_jobs'::regclass"
            " and tgname like '%notify%'"
        )
        assert triggers
        assert {enabled for _name, enabled in triggers} == {"D"}

    def test_knows_every_periodic_job_by_its_name(self) -> None:
        assert {task.task.name for task in jobs.app.periodic_registry.periodic_tasks.values()} <= jobs.names()
