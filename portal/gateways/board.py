"""What all processes say of their doors, in one table, and which doors people have closed for a while.

Each process looks every few seconds for doors that were closed or opened again, and writes how its own are twice a
minute at most: in a thread of its own, never on the way of a request. A process that cannot reach the database goes on
with what it knew.
"""

import os
import platform
import re
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ForeignKey, Index, Integer, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed, session
from portal.gateways import Paused, door
from portal.gateways.breaker import BreakerState
from portal.gateways.door import DoorState

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0
WRITE_EVERY_S = 30.0
_FINESS = re.compile(r"[0-9][0-9AB][0-9]{7}")
_FRESH = timedelta(minutes=2)
KEPT = timedelta(days=2)
"""How long the lines of a process that ended stay."""


class DoorLine(Base):
    """How one process sees one door. establishment_id: of a door that is one hospital's. total_ms: spent in all the
    passages. recent: the last ones, counted by `door.EDGES_MS`."""

    __tablename__ = "door_state"

    door: Mapped[str] = mapped_column(primary_key=True)
    process: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    breaker: Mapped[str]
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]
    last_failure: Mapped[str]
    done: Mapped[int]
    refused: Mapped[int]
    failed: Mapped[int]
    total_ms: Mapped[float]
    recent: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    seen_at: Mapped[datetime] = mapped_column(default=db.now)

    @property
    def state(self) -> DoorState:
        """What the process saw. A breaker is only true for a moment: that of a silent process says nothing any more."""
        passages = self.done + self.refused + self.failed
        is_fresh = db.now() - self.seen_at < _FRESH
        return DoorState(
            self.door,
            BreakerState(self.breaker) if is_fresh else BreakerState.CLOSED,
            self.last_success_at,
            self.last_failure_at,
            self.last_failure,
            self.done,
            self.refused,
            self.failed,
            self.total_ms / passages if passages else 0.0,
            tuple(self.recent),
        )


class DoorPause(Keyed, Base):
    """People closed a door, why, and until when at the latest; one at a time for a door."""

    __tablename__ = "door_pause"
    __table_args__ = (
        Index("uq_door_pause_door", "door", unique=True, postgresql_where=text("resumed_at is null")),
        Index(None, "door", "paused_at"),
    )

    door: Mapped[str]
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    reason: Mapped[str]
    paused_by: Mapped[str]
    paused_at: Mapped[datetime] = mapped_column(default=db.now)
    until: Mapped[datetime | None]
    resumed_by: Mapped[str] = mapped_column(default="")
    resumed_at: Mapped[datetime | None]

    @property
    def holds(self) -> bool:
        """Whether the door is closed now."""
        return self.resumed_at is None and (self.until is None or self.until > db.now())


class DoorTest(Keyed, Base):
    """Somebody asked to try a door, and what came of it: trouble is empty when it works."""

    __tablename__ = "door_test"
    __table_args__ = (Index(None, "door", "asked_at"),)

    door: Mapped[str]
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    asked_by: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Closed:
    """A door that people closed, as processes know it."""

    door: str
    establishment_id: UUID | None
    reason: str
    until: datetime | None

    @property
    def holds(self) -> bool:
        return self.until is None or self.until > db.now()


def finess_of(name: str) -> str:
    """Whose a door is, when its name ends with a FINESS number (`his.mllp 990000017`); "" for the whole group's."""
    last = name.rpartition(" ")[2]
    return last if _FINESS.fullmatch(last) else ""


class Board:
    """The doors of this process, written down and looked after. kind: `web`, `worker` or `command`.

    threaded: False where the caller says when to look and to write (a command that ends soon, a test).
    """

    def __init__(self, kind: str, *, threaded: bool = True) -> None:
        self._kind = kind
        self._threaded = threaded
        self._lock = threading.Lock()
        self._closed: Mapping[str, Closed] = {}
        self._pid = 0
        self._ended = threading.Event()

    def end(self) -> None:
        """Look and write no more."""
        self._ended.set()

    @property
    def process(self) -> str:
        """How this process is called on the screens."""
        return f"{self._kind} {platform.node()}:{os.getpid()}"

    def look_at(self, name: str) -> None:
        """See `door.Watcher`. The text of what is raised goes to logs: it does not repeat people's reason."""
        self._begin()
        closed = self._closed.get(name)
        if closed is not None and closed.holds:
            raise Paused(f"{name} was closed for a while by an administrator", closed.until)

    def passed(self) -> None:
        """See `door.Watcher`."""
        self._begin()

    def closed(self) -> Sequence[Closed]:
        """The doors that people keep closed, as this process has known for a few seconds."""
        self._begin()
        return [each for each in self._closed.values() if each.holds]

    def look(self) -> None:
        """Learn which doors are closed."""
        try:
            with db.transaction(db.system("doors.look")):
                rows = session.scalars(select(DoorPause).where(DoorPause.resumed_at.is_(None)))
                self._closed = {row.door: Closed(row.door, row.establishment_id, row.reason, row.until) for row in rows}
        except SQLAlchemyError as error:
            log.warning("doors.not_looked_at", error=type(error).__name__)

    def write(self) -> None:
        """Write how the doors of this process are."""
        try:
            with db.transaction(db.system("doors.write")):
                for state in by_name(door.states()).values():
                    session.execute(_WRITE, _values(self.process, state))
                session.execute(_FORGET, {"before": db.now() - KEPT})
        except SQLAlchemyError as error:
            log.warning("doors.not_written", error=type(error).__name__)

    def _begin(self) -> None:
        """Look once, then go on in a thread: once a process, since a fork takes no thread along."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
        self.look()
        if self._threaded:
            threading.Thread(target=self._go_on, name="doors", daemon=True).start()

    def _go_on(self) -> None:
        self.write()
        written = time.monotonic()
        while not self._ended.wait(LOOK_EVERY_S):
            self.look()
            if time.monotonic() - written >= WRITE_EVERY_S:
                self.write()
                written = time.monotonic()


_boards: list[Board] = []


def open_board(kind: str, *, threaded: bool = True) -> Board:
    """From now on the doors of this process are written down, and keep closed those that people closed."""
    board = Board(kind, threaded=threaded)
    _boards[:] = [board]
    door.watched_by(board)
    return board


def close_board() -> None:
    """Nobody looks after the doors of this process any more."""
    for board in _boards:
        board.end()
    _boards.clear()
    door.watched_by(None)


def closed() -> Sequence[Closed]:
    """The doors that people keep closed; none where this process has no board."""
    return _boards[0].closed() if _boards else []


def process() -> str:
    """This process as the board calls it, or "" without a board."""
    return _boards[0].process if _boards else ""


def establishment_of(name: str) -> UUID | None:
    """The hospital whose door it is; None for the whole group's."""
    finess = finess_of(name)
    known = session.scalar(text("select id from establishment where finess = :finess"), {"finess": finess})
    return known if finess and isinstance(known, UUID) else None


def lines(since: datetime) -> Sequence[DoorLine]:
    """What processes wrote since then, of the doors that the reader may see."""
    return session.scalars(select(DoorLine).where(DoorLine.seen_at >= since).order_by(DoorLine.door)).all()


def open_pause(name: str) -> DoorPause | None:
    """The pause of a door that nobody has ended, over or not."""
    return session.scalar(select(DoorPause).where(DoorPause.door == name, DoorPause.resumed_at.is_(None)))


def pauses() -> Mapping[str, DoorPause]:
    """Door → its pause, of those that are closed now."""
    held = DoorPause.resumed_at.is_(None), func.coalesce(DoorPause.until, func.now() + timedelta(1)) > func.now()
    return {pause.door: pause for pause in session.scalars(select(DoorPause).where(*held))}


def last_tests() -> Mapping[str, DoorTest]:
    """Door → the last time somebody tried it."""
    query = select(DoorTest).ext(distinct_on(DoorTest.door)).order_by(DoorTest.door, DoorTest.asked_at.desc())
    return {test.door: test for test in session.scalars(query)}


_WORST_FIRST = (BreakerState.OPEN, BreakerState.HALF_OPEN, BreakerState.CLOSED)


def by_name(states: Iterable[DoorState]) -> Mapping[str, DoorState]:
    """One state a door, of all that was seen of it: by several processes, or before and after its address changed."""
    found: dict[str, list[DoorState]] = {}
    for state in states:
        found.setdefault(state.name, []).append(state)
    return {name: _together(seen) for name, seen in sorted(found.items())}


def _together(seen: Sequence[DoorState]) -> DoorState:
    passages = [state.done + state.refused + state.failed for state in seen]
    spent_ms = sum(state.mean_ms * count for state, count in zip(seen, passages, strict=True))
    failed_last = max(seen, key=lambda state: state.last_failure_at or _NEVER)
    return DoorState(
        seen[0].name,
        min((state.breaker for state in seen), key=_WORST_FIRST.index),
        max((state.last_success_at for state in seen if state.last_success_at), default=None),
        failed_last.last_failure_at,
        failed_last.last_failure,
        sum(state.done for state in seen),
        sum(state.refused for state in seen),
        sum(state.failed for state in seen),
        spent_ms / sum(passages) if sum(passages) else 0.0,
        tuple(map(sum, zip(*(state.recent for state in seen), strict=True))),
    )


_NEVER = datetime.min.replace(tzinfo=UTC)


def _values(process_name: str, state: DoorState) -> dict[str, object]:
    passages = state.done + state.refused + state.failed
    return {
        "door": state.name, "process": process_name, "finess": finess_of(state.name), "breaker": state.breaker.value,
        "last_success_at": state.last_success_at, "last_failure_at": state.last_failure_at,
        "last_failure": state.last_failure, "done": state.done, "refused": state.refused, "failed": state.failed,
        "total_ms": state.mean_ms * passages, "recent": list(state.recent),
    }  # fmt: skip


_WRITE = text(
    "insert into door_state (door, process, establishment_id, breaker, last_success_at, last_failure_at, last_failure,"
    " done, refused, failed, total_ms, recent, seen_at) values (:door, :process,"
    " (select id from establishment where finess = :finess), :breaker, :last_success_at, :last_failure_at,"
    " :last_failure, :done, :refused, :failed, :total_ms, cast(:recent as integer[]), now())"
    " on conflict (door, process) do update set breaker = excluded.breaker, seen_at = excluded.seen_at,"
    " last_success_at = excluded.last_success_at, last_failure_at = excluded.last_failure_at,"
    " last_failure = excluded.last_failure, done = excluded.done, refused = excluded.refused,"
    " failed = excluded.failed, total_ms = excluded.total_ms, recent = excluded.recent"
)
_FORGET = text("delete from door_state where seen_at < :before")
