"""One life of a worker: from its registration in the queue until it is asked to stop, or loses the database.

procrastinate's worker dies of a statement that the database broke off, or lives on without having written how a job
ended, which it then holds for ever. Ours ends for both, and the next life begins under another number: what the former
one held is given back to the queue (`jobs.retry_stalled`), as after a kill.

Its heart also stops while it waits for its last jobs: those were given to others, who called the same doors again.
Ours beats until they have ended.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.periodic import MARGIN, PeriodicDeferrer
from procrastinate.signals import on_stop
from procrastinate.worker import Worker

from portal import clocks


class Connector(PsycopgConnector):
    """Tells the first time that the database breaks off, or does not come back in time (30 s)."""

    is_lost = False
    when_lost: Callable[[], object] | None = None

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """See `PsycopgConnector`."""
        with self._telling():
            await super().execute_query_async(query, **arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """See `PsycopgConnector`."""
        with self._telling():
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
            return row

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """See `PsycopgConnector`."""
        with self._telling():
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
            return rows

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except ConnectorException as error:
            if isinstance(error.__cause__, psycopg.OperationalError) and not self.is_lost:
                self.is_lost = True
                if self.when_lost is not None:
                    self.when_lost()
            raise


async def live(app: App, connector: Connector, **how: Any) -> bool:
    """Work until SIGINT or SIGTERM (False), or until the database is lost (True). how: as procrastinate's `Worker`.

    Jobs that run then are waited for, and it goes on saying that it lives: nobody else takes them meanwhile.
    """
    asked_to_stop = False
    is_leaving = asyncio.Event()

    def leave() -> None:
        is_leaving.set()
        worker.stop()  # type: ignore[no-untyped-call]  # theirs says nothing of types

    def stop() -> None:
        nonlocal asked_to_stop
        asked_to_stop = True
        leave()

    async with app.open_async():
        worker = _Worker(app, install_signal_handlers=False, **how)
        connector.when_lost = leave
        beating = asyncio.create_task(_beat(app, worker, is_leaving))
        with on_stop(stop):
            try:
                await worker.run()  # type: ignore[no-untyped-call]  # theirs says nothing of types
            except ConnectorException:
                if not asked_to_stop and not connector.is_lost:
                    raise
            finally:
                beating.cancel()
    return connector.is_lost and not asked_to_stop


class _Worker(Worker):
    """Its clock is the database's."""

    async def _periodic_deferrer(self) -> None:
        await _Clock(self.app.periodic_registry, **self.app.periodic_defaults).worker()


class _Clock(PeriodicDeferrer):
    """Starts the jobs of the clock when it is their time for the database: by clocks that differ, machines would each
    start them, and one that was ahead would have none to start once it is set right."""

    async def worker(self) -> None:
        """See `PeriodicDeferrer`."""
        while self.registry.periodic_tasks:
            now = clocks.timestamp()
            self.forget_after(now)
            await self.defer_jobs(jobs_to_defer=self.get_previous_tasks(at=now))
            await asyncio.sleep(self.get_next_tick(at=now) + MARGIN)

    def forget_after(self, now: float) -> None:
        """The database's clock was set back as well."""
        self.last_defers = {job: at for job, at in self.last_defers.items() if at <= now + clocks.LEFT_ALONE_S}


async def _beat(app: App, worker: Worker, is_leaving: asyncio.Event) -> None:
    """procrastinate's own heart stops as soon as the worker leaves, however long its last jobs run."""
    await is_leaving.wait()
    while True:
        if worker.worker_id is not None:
            with suppress(ConnectorException):  # not back yet
                await app.job_manager.update_heartbeat(worker.worker_id)
        await asyncio.sleep(worker.update_heartbeat_interval)
