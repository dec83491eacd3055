"""What every door has in common: a time limit, a circuit breaker, a log line and a state to show."""

import socket
import threading
import time
import weakref
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

import structlog

from portal import tracing
from portal.gateways import DoorError, LeftAlone, OutcomeUnknown, Refused, Unavailable
from portal.gateways.breaker import Breaker, BreakerState

log = structlog.get_logger("portal.gateways")

_doors: "weakref.WeakSet[Door]" = weakref.WeakSet()
_doors_lock = threading.Lock()

EDGES_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
"""Upper bounds of the classes in which the last passages are counted; one more class for what took longer."""
_REMEMBERED = 200


class Ending(StrEnum):
    """How a passage through a door ended."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    ERROR = "error"  # an error of ours, or an interruption: it says nothing about the counterpart


@dataclass(frozen=True, slots=True)
class DoorState:
    """One line of the connectors page. Counters are those of one process since it started; recent: its last passages,
    at most 200, counted by how long they took (`EDGES_MS`)."""

    name: str
    breaker: BreakerState
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str
    done: int
    refused: int
    failed: int
    mean_ms: float
    recent: tuple[int, ...] = ()


class Watcher(Protocol):
    """Who looks after the doors of this process: whether people closed one, and what became of each passage."""

    def look_at(self, door: str) -> None:
        """Raises `Paused` when people closed this door."""

    def passed(self) -> None:
        """Something went through a door."""


_watchers: list[Watcher] = []
_even_paused: ContextVar[bool] = ContextVar("even paused", default=False)


def watched_by(watcher: Watcher | None) -> None:
    """Ask this one before each passage, and tell it after; None: nobody any more."""
    _watchers[:] = [watcher] if watcher else []


@contextmanager
def even_paused() -> Iterator[None]:
    """Go through doors that people closed, to see whether they work again."""
    token = _even_paused.set(True)
    try:
        yield
    finally:
        _even_paused.reset(token)


def percentile_ms(recent: Sequence[int], share: float) -> float | None:
    """What that share of the passages stayed under, in ms, interpolated within its class; None without any passage.

    Passages above the last edge count as that edge: it is a lower bound then.
    """
    wanted, below = share * sum(recent), 0
    if not wanted:
        return None
    for low, high, passages in zip((0, *EDGES_MS), (*EDGES_MS, EDGES_MS[-1]), recent, strict=True):
        if passages and below + passages >= wanted:
            return low + (high - low) * (wanted - below) / passages
        below += passages
    return float(EDGES_MS[-1])


class Deadline:
    """The time left for one passage, however many reads and writes it takes."""

    def __init__(self, ends: float, clock: Callable[[], float]) -> None:
        self._ends = ends
        self._clock = clock

    def remaining(self) -> float:
        """Seconds left, always above zero. Raises `TimeoutError` when there are none."""
        left = self._ends - self._clock()
        if left <= 0:
            raise TimeoutError("time limit of the door")
        return left

    @contextmanager
    def cutting(self, line: socket.socket) -> Iterator[None]:
        """Cut the line when the time is over: one byte now and then keeps the limit of each read quiet for ever."""
        watch = threading.Timer(self.remaining(), _cut, [line])
        watch.daemon = True
        watch.start()
        try:
            yield
        finally:
            watch.cancel()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


class Door:
    """One counterpart as seen from this process; safe to share between threads.

    beside_seconds: the limit of a passage that begins while another is under way, if it is shorter and `is_hurried`
    (somebody waits for a page). A web process has two threads: a counterpart that says nothing keeps one of them for
    the whole limit, and not all; a worker has all its time.
    `clock` (seconds, never going back) and `now` (UTC) can be replaced to play with time.
    """

    def __init__(
        self,
        name: str,
        *,
        timeout_seconds: float = 15.0,
        beside_seconds: float = float("inf"),
        is_hurried: Callable[[], bool] = lambda: True,
        open_after: int = 5,
        retry_after_seconds: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self.timeout_seconds = timeout_seconds
        self._beside_seconds, self._is_hurried = beside_seconds, is_hurried
        self._under_way = 0
        self._clock = clock
        self._now = now
        self._lock = threading.Lock()
        self._breaker = Breaker(open_after, retry_after_seconds, clock)
        self._counts = dict.fromkeys(Ending, 0)
        self._total_seconds = 0.0
        self._last_success_at: datetime | None = None
        self._last_failure_at: datetime | None = None
        self._last_failure = ""
        self._recent: deque[int] = deque(maxlen=_REMEMBERED)
        with _doors_lock:
            _doors.add(self)

    @contextmanager
    def passage(self, operation: str) -> Iterator[Deadline]:
        """Surround one exchange with the counterpart; gives the `Deadline` that its reads and writes must keep.

        Raises `Unavailable` at once while the breaker is open, or while people keep the door closed. `Unavailable` and
        `OutcomeUnknown` raised inside count as failures; `Refused` does not, since the counterpart answered.
        """
        try:
            with tracing.span(f"{self.name} {operation}", "client", parvis__door=self.name):
                self._enter()
                yield from self._inside(operation)
        except DoorError as error:
            error.door = error.door or self.name
            raise

    def _inside(self, operation: str) -> Iterator[Deadline]:
        started = self._clock()
        with self._lock:
            is_shared = self._under_way and self._is_hurried()
            limit = min(self.timeout_seconds, self._beside_seconds) if is_shared else self.timeout_seconds
            self._under_way += 1
        try:
            yield Deadline(started + limit, self._clock)
        except (Unavailable, OutcomeUnknown) as error:
            self._leave(operation, Ending.FAILED, started, f"{type(error).__name__}: {error.reason}")
            raise
        except Refused as error:
            self._leave(operation, Ending.REFUSED, started, error.code)
            raise
        except BaseException as error:
            # Only the class: the text of a foreign exception may hold an address or a name.
            self._leave(operation, Ending.ERROR, started, type(error).__name__)
            raise
        self._leave(operation, Ending.DONE, started, "")

    def state(self) -> DoorState:
        with self._lock:
            passages = sum(self._counts.values())
            return DoorState(
                name=self.name,
                breaker=self._breaker.state,
                last_success_at=self._last_success_at,
                last_failure_at=self._last_failure_at,
                last_failure=self._last_failure,
                done=self._counts[Ending.DONE],
                refused=self._counts[Ending.REFUSED],
                failed=self._counts[Ending.FAILED],
                mean_ms=1000 * self._total_seconds / passages if passages else 0.0,
                recent=tuple(self._recent.count(each) for each in range(len(EDGES_MS) + 1)),
            )

    def _enter(self) -> None:
        if not _even_paused.get():
            for watcher in _watchers:
                watcher.look_at(self.name)
        with self._lock:
            passes = self._breaker.lets_pass()
        if not passes:
            raise LeftAlone(f"{self.name} failed too often and is left alone for a while")

    def _leave(self, operation: str, ending: Ending, started: float, detail: str) -> None:
        seconds = self._clock() - started
        with self._lock:
            self._count(ending, seconds, detail)
        write = log.warning if ending in (Ending.FAILED, Ending.ERROR) else log.info
        write(
            "door.passed",
            door=self.name,
            operation=operation,
            ending=ending.value,
            detail=detail,
            ms=round(1000 * seconds, 1),
        )
        for watcher in _watchers:
            watcher.passed()

    def _count(self, ending: Ending, seconds: float, detail: str) -> None:
        self._under_way -= 1
        self._counts[ending] += 1
        self._total_seconds += seconds
        self._recent.append(bisect_left(EDGES_MS, 1000 * seconds))
        if ending is Ending.FAILED:
            self._breaker.failed()
            self._last_failure_at, self._last_failure = self._now(), detail
        elif ending is Ending.ERROR:
            self._breaker.told_nothing()
        else:
            self._breaker.succeeded()
            self._last_success_at = self._now()


def states() -> list[DoorState]:
    """The state of every door this process has opened, by name."""
    with _doors_lock:
        doors = list(_doors)
    return sorted((door.state() for door in doors), key=lambda state: state.name)
