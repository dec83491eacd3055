"""Stored bytes that no row mentions. Whoever wrote them died before the row was committed, or the store kept them and
its answer was lost: nobody can ever open them, and nobody would erase them.

What is removed is a week old, sealed by our keys under that very name (a bucket may be shared with others), and little
beside what rows do mention: a database that was put back to an earlier day, or the store of another portal, look like
many orphans, and then nothing is removed and whoever watches is told.

A copy of production with its keys and its bucket would find a few of production's files each night. So the store has a
mark of the portal that sweeps it; who is not that one removes nothing. What a month removes has a bound besides.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import text

from portal import audit, files, jobs
from portal.db import session
from portal.file_crypto import FileCryptoError
from portal.gateways.storage import ObjectLost, Store

log = structlog.get_logger(__name__)

OLD: Final = timedelta(days=7)
FEW: Final = 20
"""Orphans that are removed in thirty days whatever the number of files; beyond, one file in a hundred."""
MARK: Final = "swept-by"
"""The object that says whose store it is: the portal's address and the identifier of its PostgreSQL cluster."""
_AT_ONCE: Final = 500
_OURS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
SWEEP: Final = UUID("00000000-0000-4000-8000-0000f11e5bad")
"""The object that the audit names: the store."""
_WITHOUT_A_ROW: Final = text(
    "select key from unnest(cast(:keys as text[])) key"
    " where not exists (select from stored_file where storage_key = key)"
    " and not exists (select from stored_file where shown_key = key)"
)
_LAST: Final = text(
    "select details from audit_event where object_id = :sweep and action = 'storage.swept' order by id desc limit 1"
)
_OF_LATE: Final = text(
    "select coalesce(sum(cast(details ->> 'removed' as bigint)), 0) from audit_event where object_id = :sweep"
    " and action = 'storage.swept' and at > clock_timestamp() - interval '30 days'"
)
_CLUSTER: Final = text("select system_identifier from pg_control_system()")


@dataclass(frozen=True)
class Swept:
    """files: objects of our own form that are old. orphans: those that no row mentions, of which so many were removed;
    the others are not ours, or too many, or another portal sweeps here."""

    files: int = 0
    orphans: int = 0
    removed: int = 0

    @property
    def left(self) -> int:
        return self.orphans - self.removed


def last() -> Swept:
    """What the last sweep found; nothing when there was none. One statement."""
    found = session.scalar(_LAST, {"sweep": SWEEP}) or {}
    return Swept(*(int(found.get(name, 0)) for name in ("files", "orphans", "removed")))


@jobs.periodic("23 3 * * *", "files.sweep_orphans")
def sweep() -> None:
    """Remove what no row mentions, unless that is much, or the store is another's. A portal that only reads has no
    worker that does it."""
    number, orphans = 0, list[str]()
    store, _portal = files.place()
    for keys in _in_parts(filter(_OURS.fullmatch, store.keys(OLD.total_seconds()))):
        number += len(keys)
        orphans += _without_a_row(keys)
    are_few = len(orphans) < number and len(orphans) + _of_late() <= max(FEW, number // 100)
    is_ours, removed = _is_ours(may_mark=are_few), 0
    try:
        for key in _to_remove(orphans if is_ours and are_few else ()):
            log.info("storage.removes_orphan", storage_key=key)
            files.discard(key)
            removed += 1
    finally:
        with jobs.reading():
            audit.record(
                "storage.swept", object_kind="storage", object_id=SWEEP,
                files=number, orphans=len(orphans), removed=removed,
            )  # fmt: skip


def _is_ours(*, may_mark: bool) -> bool:
    """Whether the store's mark names this portal. One without a mark gets ours, if it may, and is swept from the next
    night on: two that mark it at once must not both think that it is theirs."""
    store, portal = files.place()
    with jobs.reading() as current:
        mine = f"{portal} {current.scalar(_CLUSTER)}"
    try:
        with closing(store.open(MARK)) as reader:
            found = reader.read(1000).decode(errors="replace")
    except ObjectLost:
        if may_mark:
            _write(store, mine)
        return False
    if found != mine:
        log.warning("storage.swept_by_another", mark=found, here=mine)
    return found == mine


def _write(store: Store, mine: str) -> None:
    with store.sink(MARK) as sink:
        sink.write(mine.encode())
        sink.commit()


def _of_late() -> int:
    with jobs.reading() as current:
        return int(current.scalar(_OF_LATE, {"sweep": SWEEP}) or 0)


def _to_remove(orphans: Sequence[str]) -> Iterator[str]:
    """Those that are ours. A row that came since its key was listed keeps its object."""
    for keys in _in_parts(orphans):
        yield from filter(_is_sealed_by_us, _without_a_row(keys))


def _without_a_row(keys: Sequence[str]) -> list[str]:
    with jobs.reading() as current:
        return list(current.scalars(_WITHOUT_A_ROW, {"keys": list(keys)}))


def _is_sealed_by_us(key: str) -> bool:
    """Whether its first piece opens with one of our keys, as the object of that name."""
    try:
        with closing(files.sealed_pieces(key)) as pieces:
            next(pieces)
    except (FileCryptoError, ObjectLost):
        return False
    return True


def _in_parts(keys: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(keys)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
