"""Doors closed and opened by people, and tried when they ask."""

from datetime import datetime

from sqlalchemy import select, text

from admin.queries_connectors import NEVER_CLOSED, family
from portal import audit, db, jobs
from portal.db import session
from portal.gateways import board
from portal.gateways.board import DoorPause, DoorTest


class AlreadyClosed(Exception):
    """Somebody closed this door before."""


class NotClosed(Exception):
    """Nobody keeps this door closed."""


class NeverClosed(Exception):
    """Nobody may close this door."""


def close(name: str, reason: str, until: datetime | None = None) -> DoorPause:
    """Let nothing through a door: what would go there waits. until: it opens by itself then.

    Raises AlreadyClosed, NeverClosed.
    """
    if family(name) in NEVER_CLOSED:
        raise NeverClosed
    former = _held(name)
    if former is not None and former.holds:
        raise AlreadyClosed
    if former is not None:  # its end has passed, and nobody had to open the door
        former.resumed_at = former.until
        session.flush()
    pause = DoorPause(
        door=name,
        establishment_id=board.establishment_of(name),
        reason=reason,
        paused_by=db.current_actor().name,
        until=until,
    )
    session.add(pause)
    session.flush()
    audit.record(
        "door.closed",
        establishment_id=pause.establishment_id,
        object_kind="door",
        object_id=pause.id,
        door=name,
        until=f"{until:%Y-%m-%dT%H:%MZ}" if until else None,
    )
    return pause


def reopen(name: str) -> int:
    """Let everything through again, and call back the jobs that waited; returns how many. Raises NotClosed."""
    pause = _held(name)
    if pause is None:
        raise NotClosed
    pause.resumed_at, pause.resumed_by = db.now(), db.current_actor().name
    session.flush()
    called = call_back(name)
    audit.record(
        "door.opened",
        establishment_id=pause.establishment_id,
        object_kind="door",
        object_id=pause.id,
        door=name,
        jobs=called,
    )
    return called


def call_back(name: str) -> int:
    """Do now what waits for a door and would be tried later; returns how many jobs."""
    return len(session.execute(_CALL_BACK, {"door": name}).all())


def ask_test(name: str) -> DoorTest:
    """Have a worker go through the door once, closed or not."""
    test = DoorTest(door=name, establishment_id=board.establishment_of(name), asked_by=db.current_actor().name)
    session.add(test)
    session.flush()
    jobs.enqueue("doors.test", test_id=str(test.id))
    audit.record("door.tried", establishment_id=test.establishment_id, object_kind="door", object_id=test.id, door=name)
    return test


def _held(name: str) -> DoorPause | None:
    held = select(DoorPause).where(DoorPause.door == name, DoorPause.resumed_at.is_(None))
    return session.scalar(held.with_for_update(key_share=True))


# The queue has a function to retry a job that failed, and none to bring forward one that waits.
_CALL_BACK = text(
    "update procrastinate_jobs j set scheduled_at = now() from job_trouble t"
    " where t.job_id = j.id and t.door = :door and j.status = 'todo' and j.scheduled_at > now() returning j.id"
)
