"""Work to do later: asked for in the transaction, done once, whatever dies in between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from portal import db, jobs
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
            cursor = connection.execute(statement)  # type: ignore[call-overload]
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


def ask_the_clock(name: str) -> None:
    """A tick of a periodic job, now."""
    with prepared():
        jobs.enqueue(name, timestamp=0)


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
