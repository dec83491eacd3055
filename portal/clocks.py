"""Whose clock counts: the database's. A machine whose own is wrong writes the same moments as the others, ends sessions
when they do, and starts the clock's jobs at their time.

Each process compares its clock with the database's about once a minute, on a connection it is given anyway. Less than
two seconds are left alone: on machines that agree, this changes nothing.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

LEFT_ALONE_S: Final = 2.0
_EVERY_S: Final = 60.0
_STEP_S: Final = 1.0
"""By so much our clock moved against the seconds that passed: somebody set it."""
_TOO_SLOW_S: Final = 1.0
"""An answer that took longer says too little."""
_ASK: Final = "select extract(epoch from clock_timestamp())::float8"
_STEADY: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Connection(Protocol):
    """What is asked: a connection of the driver."""

    def execute(self, query: str) -> Any: ...

    def rollback(self) -> None: ...


@dataclass(frozen=True)
class _Compared:
    """steady: seconds of a clock that nobody sets. ahead: how far ours was ahead of the database's then, in seconds."""

    steady: float
    theirs: float
    ahead: float


_last: list[_Compared] = []


def now() -> datetime:
    """The present moment, aware, UTC, by the database's clock."""
    return datetime.fromtimestamp(timestamp(), UTC) if ahead() else datetime.now(UTC)


def timestamp() -> float:
    """The same, in seconds of the epoch."""
    return time.time() - ahead()


def ahead() -> float:
    """By how many seconds this machine's clock is ahead of the database's; 0 when that is too little to matter."""
    if not _last:
        return 0.0
    found = time.time() - (_last[0].theirs + _steady() - _last[0].steady)
    return found if abs(found) >= LEFT_ALONE_S else 0.0


def watch(engine: Engine) -> None:
    """Compare, from now on, on the connections of this pool."""

    @event.listens_for(engine, "checkout")
    def _given(connection: Any, _record: Any, _proxy: Any) -> None:
        if _is_due():
            compare(connection)


def compare(connection: Connection) -> None:
    """Ask the database; a connection that breaks tells whoever wanted it, at their own statement."""
    began = _steady()
    try:
        row = connection.execute(_ASK).fetchone()
        ended = _steady()
        connection.rollback()
    except psycopg.Error:
        return
    if ended - began <= _TOO_SLOW_S or not _last:
        middle = (began + ended) / 2
        ours = time.time() - (ended - middle)
        _last[:] = [_Compared(middle, row[0], ours - row[0])]


def _is_due() -> bool:
    if not _last:
        return True
    steady = _steady()
    stepped = time.time() - (_last[0].theirs + steady - _last[0].steady) - _last[0].ahead
    return steady - _last[0].steady > _EVERY_S or abs(stepped) > _STEP_S


def _steady() -> float:
    return time.clock_gettime(_STEADY)
