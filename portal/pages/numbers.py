"""Numbers of the house for `/status/metrics`: database, queue, clock, doors, the audit's chain, figures, files.

Read in the database, so that any process of any machine answers for all; the storage's space is this machine's.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from flask import current_app
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from admin import printed_lists, queries_connectors, queries_jobs
from portal import clocks, db, files_orphans, kpi
from portal.audit import sending, verifying
from portal.backup import marks
from portal.config import Settings
from portal.db import session
from portal.gateways import board
from portal.gateways.breaker import BreakerState
from portal.gateways.door import DoorState
from portal.web.measuring import gauge, measure

_BREAKERS: Final = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}
_LATELY: Final = timedelta(minutes=5)
_FRESH: Final = timedelta(minutes=2)
"""A process that wrote nothing of its doors for so long has ended."""


def register() -> None:
    """Once a process."""
    measure("status.queue", _queue)
    measure("status.doors", _doors)
    measure("status.ledgers", _ledgers)
    measure("status.events", _events)
    measure("status.backups", _backups)
    measure("status.lists", _lists)
    if not _machine:
        _machine.append(Machine())
        REGISTRY.register(_machine[0])


_OLDEST = text(
    "select coalesce(extract(epoch from now() - min(coalesce(j.scheduled_at,"
    " (select min(e.at) from procrastinate_events e where e.job_id = j.id)))), 0)"
    " from procrastinate_jobs j where j.status = 'todo' and coalesce(j.scheduled_at, now()) <= now()"
)


def _queue() -> Iterator[Metric]:
    found = queries_connectors.queue()
    states = GaugeMetricFamily("parvis_jobs", "Jobs by state; failed: those nobody settled", labels=("state",))
    for state in ("waiting", "later", "doing", "failed"):
        states.add_metric((state,), getattr(found, state))
    yield states
    oldest = float(session.scalar(_OLDEST) or 0)
    yield gauge("parvis_jobs_oldest_seconds", "How long the oldest job that is due has waited", oldest)
    yield gauge("parvis_workers", "Workers that gave a sign of life in the last minute", found.workers)
    missed = sum(line.missed for line in queries_jobs.clock())
    yield gauge("parvis_clock_missed", "Jobs of the clock that were not started at their time", missed)
    yield gauge("parvis_clock_ahead_seconds", "Our clock against the database's; 0 under two seconds", clocks.ahead())


def _doors() -> Iterator[Metric]:
    lines = board.lines(db.now() - _FRESH)
    states = board.by_name(line.state for line in lines)
    breakers = GaugeMetricFamily("parvis_door_breaker", "0 closed, 1 being tried, 2 left alone", labels=("door",))
    success = GaugeMetricFamily(
        "parvis_door_last_success_timestamp_seconds", "When a passage last went well", labels=("door",)
    )
    for name, state in states.items():
        breakers.add_metric((name,), _BREAKERS[state.breaker])
        if state.last_success_at:
            success.add_metric((name,), state.last_success_at.timestamp())
    passages = CounterMetricFamily(
        "parvis_door_passages", "Passages of one process, by how they ended", labels=("door", "process", "ending")
    )
    for line in lines:
        _add_passages(passages, line.process, line.state)
    paused = GaugeMetricFamily("parvis_door_paused", "1: people closed this door for a while", labels=("door",))
    for name in board.pauses():
        paused.add_metric((name,), 1)
    yield from (breakers, success, passages, paused)


def _add_passages(passages: CounterMetricFamily, process: str, state: DoorState) -> None:
    for ending in ("done", "refused", "failed"):
        passages.add_metric((state.name, process, ending), getattr(state, ending))


_UNSEALED = text(
    "select count(*), coalesce(extract(epoch from now() - min(at)), 0) from audit_event where xid >= coalesce("
    " (select to_xid from audit_batch order by id desc limit 1), '0'::xid8)"
)


def _ledgers() -> Iterator[Metric]:
    unsealed, lag_s = session.execute(_UNSEALED).one()
    yield gauge("parvis_audit_unsealed", "Events of the audit that no seal covers yet", unsealed)
    yield gauge("parvis_audit_seal_lag_seconds", "How long the oldest of them has waited", float(lag_s))
    for last in verifying.last():
        holds, at = last.broken_batch is None, last.ended_at.timestamp()
        yield gauge("parvis_audit_chain_holds", "Whether the chain held when it was last recomputed", holds)
        yield gauge("parvis_audit_verified_timestamp_seconds", "When the chain was last recomputed", at)
    if sending.collector():
        yield gauge("parvis_audit_unsent_batches", "Sealed parts that the collector lacks", sending.lag().batches)
    swept = files_orphans.last()
    yield gauge("parvis_storage_orphans_removed", "Objects without a row that the last sweep removed", swept.removed)
    yield gauge("parvis_storage_orphans_left", "Objects without a row that it left: not ours, or too many", swept.left)
    rolled_up_at = session.scalar(text("select rolled_up_at from kpi_watermark"))
    if isinstance(rolled_up_at, datetime):
        lag = (db.now() - rolled_up_at).total_seconds()
        yield gauge("parvis_figures_lag_seconds", "How long ago events were last counted", lag)


def _lists() -> Iterator[Metric]:
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.printed_lists_dir:
        return
    yield gauge("parvis_printed_lists_age_seconds", "Since lists of the day were all written", printed_lists.age_s())
    without = sum(not password for password in printed_lists.passwords().values())
    yield gauge("parvis_printed_lists_without_password", "Hospitals whose lists are not written", without)


_HAPPENED = text(
    "select event, sum(events) from kpi_day where day = cast(:day as date)"
    " and not starts_with(event, 'unit.') group by 1"  # told a second time, of their unit
)
_LATELY_AUDITED = text("select action, count(*) from audit_event where at > :since and action = any(:which) group by 1")


def _events() -> Iterator[Metric]:
    today = db.now().astimezone(ZoneInfo(kpi.GROUP_ZONE))
    happened = GaugeMetricFamily(
        "parvis_happened_today", "Events of the group's civil day, all hospitals together", labels=("event",)
    )
    for event, number in session.execute(_HAPPENED, {"day": today.date()}):
        happened.add_metric((event,), float(number))
    yield happened
    lately = dict.fromkeys(sending.WARNINGS, 0)
    values = {"since": db.now() - _LATELY, "which": list(sending.WARNINGS)}
    for action, number in session.execute(_LATELY_AUDITED, values):
        lately[action] = number
    warnings = GaugeMetricFamily(
        "parvis_security_events", "Events of the last five minutes that a collector takes as warnings",
        labels=("action",),
    )  # fmt: skip
    for action, number in lately.items():
        warnings.add_metric((action,), number)
    yield warnings


_BACKED_UP: Final = {
    "wal": "Up to when everything is out of the database's machine; 0: never",
    "taken": "When the last whole backup ended; 0: never",
    "verified": "When a backup was last restored and held; 0: never",
}
_NOT_SHIPPED = text(
    "select max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) from pg_replication_slots"
    " where starts_with(cast(slot_name as text), 'parvis_')"  # a whole backup that hangs holds the log too
)


def _backups() -> Iterator[Metric]:
    """Always said: what never succeeded is an alert too."""
    found = marks.read()
    for kind, meaning in _BACKED_UP.items():
        at = found[kind].timestamp() if kind in found else 0
        yield gauge(f"parvis_backup_{kind}_timestamp_seconds", meaning, at)
    waiting = session.scalar(_NOT_SHIPPED)
    yield gauge("parvis_backup_log_waiting_bytes", "Log that the server keeps for the backups", float(waiting or 0))


class Machine(Collector):
    """What needs no row: does the database answer, is the portal read-only, how much space the files' folder has."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: there may be no application yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Said even while the database is away."""
        began = time.perf_counter()
        up = _answers()
        yield gauge("parvis_database_up", "Whether the database answers this process", up)
        yield gauge("parvis_database_answer_seconds", "How long it took to", time.perf_counter() - began)
        settings: Settings = current_app.config["SETTINGS"]
        yield gauge("parvis_read_only", "Whether writes are answered with 503", settings.read_only)
        yield from _space(settings.storage_url)


def _answers() -> bool:
    try:
        with db.transaction(db.system("status.database")):
            session.execute(text("select 1"))
    except SQLAlchemyError:
        return False
    return True


def _space(storage_url: str) -> Iterator[Metric]:
    scheme, _colon, path = storage_url.partition(":")
    if scheme != "file":
        return
    with suppress(OSError):
        found = os.statvfs(Path(path))
        yield gauge("parvis_storage_free_bytes", "Space left where files are stored", found.f_bavail * found.f_frsize)
        yield gauge("parvis_storage_size_bytes", "Space there in all", found.f_blocks * found.f_frsize)


_machine: list[Machine] = []
