"""Sealed batches sent to the hospital's collector (SIEM), in order, each one once; the head of each follows its rows.

A part of a batch is sent (all of it, unless it is a long one), then the mark moves: a cut line sends the same part
again, whose events carry their own numbers (`seq`). No name leaves: ids alone. On the day a collector is set, it starts
after the last batch sealed; what came before is given by `parvis audit export`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from portal import db, jobs
from portal.audit import AuditBatch, AuditEvent, AuditSending
from portal.config import Settings
from portal.db import session
from portal.gateways import OutcomeUnknown, Unavailable, siem
from portal.gateways.siem import Collector, Entry
from portal.gateways.siem.none import NoCollector

WARNINGS = (
    "sign_in.refused", "emergency.opened", "factor.refused", "factor.copied", "token.refused", "chain.broken",
    "file.lost", "file.altered",
)  # fmt: skip
"""Events that a collector is told of as warnings."""
MOST_EVENTS = 5_000
MOST_BYTES = 4 << 20
"""In one part: what a slow line takes well within the door's thirty seconds."""
_LONGEST = timedelta(seconds=50)
"""For one turn of the job: after a long outage the rest leaves at the next minutes."""
_LEASE = timedelta(minutes=5)


@dataclass
class _Collected:
    by: Collector


_collected = _Collected(NoCollector())


def configure(settings: Settings) -> None:
    """Connect the collector named by the environment. Raises UnsupportedUrl."""
    _collected.by = siem.connect(settings.siem_url)


def collector() -> str:
    """What the collector is called; "" when nothing is sent."""
    return _collected.by.name


def check() -> None:
    """Raises Unavailable when the collector does not answer."""
    _collected.by.check()


@dataclass(frozen=True)
class Lag:
    """How far behind the collector is. state: None when it was never tried."""

    state: AuditSending | None
    batches: int


def lag() -> Lag:
    """What still waits to be sent."""
    state = session.get(AuditSending, collector())
    after = state.batch_id if state else 0
    waiting = session.scalar(select(func.count()).select_from(AuditBatch).where(AuditBatch.id > after)) or 0
    return Lag(state, waiting)


@jobs.periodic("* * * * *", "audit.send")
def send_now() -> None:
    """Send the batches that the collector does not have yet. A failure waits for the next minute."""
    if not collector() or not _leased():
        return
    failure = ""
    try:
        until = db.now() + _LONGEST
        while _send_next() and db.now() < until:
            pass
    except (Unavailable, OutcomeUnknown) as error:
        failure = type(error).__name__
    with jobs.reading() as current:
        values: dict[str, Any] = {"leased_until": None, "failure": failure}
        if failure:
            values["failed_at"] = db.now()
        current.execute(update(AuditSending).where(AuditSending.collector == collector()).values(**values))


def _leased() -> bool:
    """One worker sends at a time: two would mix their batches."""
    with jobs.reading() as current:
        last = current.scalar(select(func.coalesce(func.max(AuditBatch.id), 0)))
        current.execute(insert(AuditSending).values(collector=collector(), batch_id=last).on_conflict_do_nothing())
        free = or_(AuditSending.leased_until.is_(None), AuditSending.leased_until < db.now())
        mine = update(AuditSending).where(AuditSending.collector == collector(), free)
        taken = current.execute(mine.values(leased_until=db.now() + _LEASE).returning(AuditSending.collector))
        return taken.first() is not None


def _send_next() -> bool:
    """Send the part after the mark; False when there is none. The rows are read, let go of, then sent."""
    with jobs.reading():
        part = _next_part()
    if part is None:
        return False
    _collected.by.send(part.entries)
    with jobs.reading() as current:
        # From where it was read: a worker that stood still until another one took its place moves nothing back.
        moved = update(AuditSending).where(AuditSending.collector == collector(), *part.begins.as_conditions())
        marks = {name: value for name, value in vars(part.mark).items() if value is not None}
        values = {"events": AuditSending.events + part.events, "sent_at": db.now(), "leased_until": db.now() + _LEASE}
        return current.execute(moved.values(**marks, **values).returning(AuditSending.collector)).first() is not None


@dataclass(frozen=True)
class _Mark:
    """Where a collector is. batch_id: None while a part of the batch still waits."""

    batch_id: int | None
    part_xid: int = 0
    part_id: int = 0

    def as_conditions(self) -> list[ColumnElement[bool]]:
        """Of the row of a collector that still stands there."""
        return [getattr(AuditSending, name) == value for name, value in vars(self).items()]


@dataclass(frozen=True)
class _Part:
    """What leaves at once, how many events are in it, where the mark stands once it is there, and where it stood."""

    entries: list[Entry]
    events: int
    mark: _Mark
    begins: _Mark


def _next_part() -> _Part | None:
    state = session.get_one(AuditSending, collector(), populate_existing=True)
    query = select(AuditBatch).where(AuditBatch.id > state.batch_id).order_by(AuditBatch.id).limit(1)
    batch = session.scalar(query)
    if batch is None:
        return None
    entries: list[Entry] = []
    begins = _Mark(state.batch_id, state.part_xid, state.part_id)
    size, mark = 0, _Mark(None, state.part_xid, state.part_id)
    for event in session.scalars(_ROWS, _bounds(batch, mark)):
        entry = Entry(event.at, event.action, event.id, event.action in WARNINGS, line(event, batch.id))
        size += len(entry.json)
        if entries and (size > MOST_BYTES or len(entries) == MOST_EVENTS):
            return _Part(entries, len(entries), mark, begins)
        entries.append(entry)
        mark = _Mark(None, int(event.xid), event.id)
    return _Part([*entries, _head(batch)], len(entries), _Mark(batch.id), begins)


def _bounds(batch: AuditBatch, mark: _Mark) -> dict[str, Any]:
    first = max(int(batch.from_xid), mark.part_xid)
    return {
        "first": str(first),
        "end": batch.to_xid,
        "part": str(mark.part_xid),
        "after": mark.part_id,
        "most": MOST_EVENTS + 1,
    }


_ROWS = (
    select(AuditEvent)
    .where(
        AuditEvent.xid >= text("cast(:first as xid8)"),
        AuditEvent.xid < text("cast(:end as xid8)"),
        or_(AuditEvent.xid > text("cast(:part as xid8)"), AuditEvent.id > text(":after")),
    )
    .order_by(AuditEvent.xid, AuditEvent.id)
    .limit(bindparam("most"))
)


def _head(batch: AuditBatch) -> Entry:
    """What whoever keeps the collector compares with the portal: a chain rewritten since no longer has it."""
    words = {"batch": batch.id, "events": batch.events, "digest": batch.digest.hex(), "at": _written(batch.sealed_at)}
    return Entry(batch.sealed_at, "audit.sealed", batch.id, False, json.dumps(words))


def line(event: AuditEvent, batch_id: int | None = None) -> str:
    """One event as a line of JSON: seq, at (UTC), actor, action, patient, establishment, object, details, batch."""
    words: dict[str, Any] = {
        "seq": event.id,
        "at": _written(event.at),
        "actor": event.actor,
        "action": event.action,
        "patient": str(event.patient_id) if event.patient_id else None,
        "establishment": str(event.establishment_id) if event.establishment_id else None,
        "object_kind": event.object_kind or None,
        "object": str(event.object_id) if event.object_id else None,
        "details": event.details or None,
        "batch": batch_id,
    }
    return json.dumps({name: value for name, value in words.items() if value is not None})


def between(first: datetime, end: datetime) -> Iterator[str]:
    """The events of a time, `end` excluded, as lines of JSON in the order they were written."""
    query = select(AuditEvent).where(AuditEvent.at >= first, AuditEvent.at < end).order_by(AuditEvent.at, AuditEvent.id)
    for event in session.scalars(query.execution_options(yield_per=1000)):
        yield line(event)
        session.expunge(event)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
