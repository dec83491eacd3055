"""Requests counted where they pass: by route, method and status, how long they took, how many are being answered.

The processes of one machine (`parvis web` reads the code once, then forks) write into one memory they share, so that
whichever of them is asked for `/status/metrics` answers for all. Each writes in a part of its own: no lock is shared, a
process that is killed leaves nothing held, and what it had counted stays. No statement, no address, no name: the route
is the rule (`/rendez-vous/<uuid:appointment_id>`), never the path.
"""

import mmap
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from operator import add
from typing import Any, Final

from flask import Flask, current_app, has_app_context, request
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.engine import Engine

STATUSES: Final = (
    200, 201, 204, 206, 302, 303, 304, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 429, 500, 503,
)  # fmt: skip
"""Those told apart; every other one is `other`."""
EDGES_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the classes of durations, in seconds; one more class for what took longer."""
NO_ROUTE: Final = ("(none)", "ANY")
"""Paths that lead nowhere, methods that a route does not take, routes that were not there when the counts began."""

_PARTS: Final = 64
"""Processes that may write at the same time on one machine; the 65th writes where the first one wrote."""
_HEAD: Final = 5
_PID, _USED, _ANSWERING, _IN_USE, _MOST = range(_HEAD)
_STATUS_AT: Final = {status: rank for rank, status in enumerate(STATUSES)}
_CELLS: Final = len(STATUSES) + 1 + len(EDGES_S) + 1 + 1
_SUM: Final = _CELLS - 1

Start = Any


class Counts:
    """The shared memory of one application and the part of this process. Amounts only grow; gauges are a process's own
    and count while it lives."""

    def __init__(self, routes: Iterable[tuple[str, str]]) -> None:
        """routes: rule and method of each."""
        self._rows = {route: rank for rank, route in enumerate(sorted({*routes, NO_ROUTE}))}
        self._width = _HEAD + len(self._rows) * _CELLS
        self._memory = memoryview(mmap.mmap(-1, 8 * _PARTS * self._width)).cast("d")
        self._lock = threading.Lock()
        self._part = self._next = 0
        self._has_answered = False
        self._begin()
        # Before a fork the father says which part is the child's: two children never choose the same one.
        os.register_at_fork(before=self._move_on, after_in_child=self._begin)

    def _move_on(self) -> None:
        self._next = (self._next + 1) % _PARTS

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._part = self._next * self._width
        self._has_answered = False  # who only forks is no web process
        for gauge in (_PID, _ANSWERING, _IN_USE, _MOST):
            self._memory[self._part + gauge] = 0.0

    def entered(self) -> None:
        """A request has come."""
        with self._lock:
            if not self._has_answered:
                self._memory[self._part + _PID], self._memory[self._part + _USED] = os.getpid(), 1.0
                self._has_answered = True
            self._memory[self._part + _ANSWERING] += 1

    def left(self, rule: str, method: str, status: int, seconds: float) -> None:
        """It was answered."""
        row = self._rows.get((rule, "GET" if method == "HEAD" else method), self._rows[NO_ROUTE])
        at = self._part + _HEAD + row * _CELLS
        with self._lock:
            self._memory[self._part + _ANSWERING] -= 1
            self._memory[at + _STATUS_AT.get(status, len(STATUSES))] += 1
            self._memory[at + len(STATUSES) + 1 + bisect_left(EDGES_S, seconds)] += 1
            self._memory[at + _SUM] += seconds

    def lent(self, number: int, most: int) -> None:
        """So many connections to the database more (or less) are in use, of so many at most."""
        with self._lock:
            self._memory[self._part + _IN_USE] += number
            self._memory[self._part + _MOST] = most

    def rows(self) -> Iterator[tuple[str, str, list[float]]]:
        """Rule, method and cells of whatever was asked for, all processes together."""
        summed = [0.0] * self._width
        for start in self._parts():
            summed = list(map(add, summed, self._memory[start : start + self._width].tolist()))
        for (rule, method), row in self._rows.items():
            at = _HEAD + row * _CELLS
            if any(summed[at : at + len(STATUSES) + 1]):
                yield rule, method, summed[at : at + _CELLS]

    def gauges(self) -> Mapping[str, float]:
        """processes, answering, in_use, most: of the processes that live."""
        alive = [start for start in self._parts() if _lives(int(self._memory[start + _PID]))]
        summed = {
            name: sum(self._memory[start + rank] for start in alive)
            for name, rank in (("answering", _ANSWERING), ("in_use", _IN_USE), ("most", _MOST))
        }
        return {"processes": len(alive), **summed}

    def _parts(self) -> list[int]:
        """Where the parts begin in which a process has written."""
        starts = range(0, _PARTS * self._width, self._width)
        return [start for start in starts if self._memory[start + _USED]]


def _lives(pid: int) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, and is somebody else's
        return True
    return True


def register(app: Flask) -> None:
    """Count what passes through the application as it is now; what is put around it later is not counted."""
    inner = app.wsgi_app

    def counted(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        counts: Counts | None = app.extensions.get(_NAME)
        if counts is None:
            return inner(environ, start_response)
        began, status = time.perf_counter(), 500

        def start(line: str, *more: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, *more)

        counts.entered()
        try:
            return inner(environ, start)
        finally:
            seconds = time.perf_counter() - began
            counts.left(environ.get(_RULE, ""), environ["REQUEST_METHOD"], status, seconds)

    app.wsgi_app = counted  # type: ignore[method-assign]  # as Flask documents it
    app.before_request(_note_rule)


_NAME: Final = "parvis.counts"
_RULE: Final = "parvis.rule"


def _note_rule() -> None:
    if request.url_rule is not None:
        request.environ[_RULE] = request.url_rule.rule


def begin(app: Flask, engine: Engine) -> None:
    """Make room for every route there is; to be called once they are all there, before the process forks."""
    counts = Counts((rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ())
    app.extensions[_NAME] = counts
    pool = engine.pool
    most = pool.size() + pool._max_overflow  # type: ignore[attr-defined]  # a QueuePool's, which tells it nowhere else
    event.listen(engine, "checkout", lambda *_: counts.lent(1, most))
    event.listen(engine, "checkin", lambda *_: counts.lent(-1, most))
    if not _collectors:
        _collectors.append(Requests())
        REGISTRY.register(_collectors[0])


class Requests(Collector):
    """The counts of the application that is asked, in the words of Prometheus."""

    def describe(self) -> Iterator[Metric]:
        """Nothing: there may be no application yet."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Counters, durations and gauges; nothing outside an application."""
        counts: Counts | None = current_app.extensions.get(_NAME) if has_app_context() else None
        if counts is None:
            return
        yield from _amounts(counts)
        gauges = counts.gauges()
        for name, words, gauge in (
            ("parvis_web_processes", "Web processes of this machine", "processes"),
            ("parvis_requests_in_progress", "Requests being answered", "answering"),
            ("parvis_database_connections_in_use", "Connections to the database in use by web processes", "in_use"),
            ("parvis_database_connections_most", "How many the web processes that used one may have at most", "most"),
        ):
            yield GaugeMetricFamily(name, words, value=gauges[gauge])


def _amounts(counts: Counts) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "parvis_requests", "Requests answered, by route", labels=("route", "method", "status")
    )
    seconds = HistogramMetricFamily(
        "parvis_request_seconds", "How long until the answer was ready, by route", labels=("route", "method")
    )
    for rule, method, cells in counts.rows():
        for status, number in zip((*STATUSES, "other"), cells, strict=False):
            if number:
                requests.add_metric((rule, method, str(status)), number)
        below, buckets = 0.0, []
        for edge, number in zip((*map(str, EDGES_S), "+Inf"), cells[len(STATUSES) + 1 : _SUM], strict=True):
            below += number
            buckets.append((edge, below))
        seconds.add_metric((rule, method), buckets, cells[_SUM])
    yield requests
    yield seconds


_collectors: list[Requests] = []
