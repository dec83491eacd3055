"""Several people who write at the same time, each on a connection of their own: some keep their transaction open
while others come and go, some give up at the end. Whoever follows behind (a roll-up, a seal) passes meanwhile.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from sqlalchemy import text

from portal import audit, db, kpi

Ending = Literal["commit", "commit late", "roll back late", "roll back"]
_ENDINGS: tuple[Ending, ...] = ("commit", "commit", "commit late", "roll back late", "roll back")
_PATIENCE_S = 20
UNCOUNTED = text("select count(*) from kpi_event where xid >= (select xid from kpi_watermark)")
UNSEALED = text(
    "select count(*) from audit_event where xid >= coalesce((select max(to_xid::text::numeric) from audit_batch), 0)"
    "::text::xid8"
)


class GivesUp(Exception):
    """A writer changes their mind: nothing of what they wrote may count."""


@dataclass
class _Passages:
    """How many times somebody has passed behind the writers; one may wait for the next ones."""

    done: int = 0
    turn: threading.Condition = field(default_factory=threading.Condition)

    def add(self) -> None:
        with self.turn:
            self.done += 1
            self.turn.notify_all()

    def wait_for_more(self, count: int) -> None:
        with self.turn:
            target = self.done + count
            assert self.turn.wait_for(lambda: self.done >= target, _PATIENCE_S), "nobody passed behind the writers"


def write_while(passing: Callable[[], object], write: Callable[[Random], None], *, writers: int = 5,
                rounds: int = 8) -> None:  # fmt: skip
    """Run `write` in many transactions at once, with `passing` in transactions of its own all the while.

    A late transaction stays open until `passing` has gone by three times after it wrote.
    """
    passages, failures = _Passages(), list[BaseException]()
    busy = [
        threading.Thread(target=_writer, args=(Random(n), write, rounds, passages, failures)) for n in range(writers)
    ]
    stop = threading.Event()
    behind = [threading.Thread(target=_passer, args=(passing, stop, passages, failures)) for _ in range(2)]
    for thread in (*behind, *busy):
        thread.start()
    for thread in busy:
        thread.join()
    stop.set()
    for thread in behind:
        thread.join()
    assert not failures, failures


def _writer(
    chance: Random, write: Callable[[Random], None], rounds: int, passages: _Passages, failures: list[BaseException]
) -> None:
    try:
        for _round in range(rounds):
            with suppress(GivesUp), db.transaction(db.system("tests.writer")):
                _one_transaction(chance, write, passages)
    except BaseException as failure:
        failures.append(failure)


def _one_transaction(chance: Random, write: Callable[[Random], None], passages: _Passages) -> None:
    ending = chance.choice(_ENDINGS)
    for _time in range(chance.randint(1, 4)):
        write(chance)
    if ending.endswith("late"):
        passages.wait_for_more(3)
        write(chance)
    if ending.startswith("roll back"):
        raise GivesUp


def _passer(
    passing: Callable[[], object], stop: threading.Event, passages: _Passages, failures: list[BaseException]
) -> None:
    try:
        while not stop.is_set():
            with db.transaction(db.system("tests.passer")):
                passing()
            passages.add()
    except BaseException as failure:
        failures.append(failure)
        stop.set()


def until(done: Callable[[], bool], step: Callable[[], object]) -> None:
    """Repeat a step until it has caught up: a transaction of another database may hold it back for a moment."""
    for _try in range(500):
        with db.transaction(db.system("tests.until")):
            step()
        with db.transaction(db.system("tests.until")):
            if done():
                return
    raise AssertionError("it never caught up")


def all_rolled_up() -> None:
    """Every event committed so far is in the figures."""
    until(lambda: db.session.scalar(UNCOUNTED) == 0, kpi.roll_up)


def all_sealed() -> None:
    """Every audit line committed so far is in a batch."""
    until(lambda: db.session.scalar(UNSEALED) == 0, audit.seal)
