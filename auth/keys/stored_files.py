"""Stored files, sealed anew with the current key: under another name, since an object never changes.

The row says the new name once its bytes are stored; what has the former name leaves the storage a day later, when
nobody reads it any more. Backups follow as they follow any file. Files are gone through by their ids, and how far is
kept: stopped, the next run goes on there. What came meanwhile was sealed with the current key by itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from auth.identity import sealing
from auth.keys.models import FileResealing
from portal import db, files, jobs
from portal.db import session
from portal.file_crypto import HEADER_SIZE, key_id_of
from portal.files import Arriving, StoredFile
from portal.gateways.storage import ObjectLost

BATCH: Final = 50
READ_FOR: Final = timedelta(days=1)
"""Somebody who began to read the former bytes has ended by then, and the backups have the new ones."""
_ANY_SIZE: Final = 1 << 62
"""It was let in once."""
_KEPT: Final = StoredFile.state.not_in(("erased", "infected"))


def left() -> int:
    """How many files were not looked at for the current key. In a transaction of the system."""
    mark = session.get(FileResealing, sealing.current_key_id())
    if mark is not None and mark.ended_at is not None:
        return 0
    query = select(func.count()).select_from(StoredFile).where(_KEPT)
    return session.scalar(query.where(StoredFile.id > mark.after_id) if mark and mark.after_id else query) or 0


def begin_again() -> None:
    """Go through all of them anew: a process that did not know the current key was still at work."""
    mark = session.get(FileResealing, sealing.current_key_id())
    if mark is not None:
        mark.after_id, mark.ended_at = None, None
        session.flush()


def renew() -> Iterator[tuple[int, int]]:
    """Yields how many were looked at and how many sealed anew, a batch at a time. Raises FileKeyMissing, FileTampered,
    Unavailable: what was done stays done. An object that is lost is left to the alarm of whoever opens it."""
    while True:
        with db.transaction(db.system("keys.reseal")):
            found = _next()
        done = sum(_renewed(*each) for each in found)
        with db.transaction(db.system("keys.reseal")):
            _note(found)
        yield len(found), done
        if len(found) < BATCH:
            return


def _next() -> Sequence[Any]:
    mark = session.get(FileResealing, sealing.current_key_id())
    query = select(StoredFile.id, StoredFile.storage_key, StoredFile.shown_key).where(_KEPT)
    if mark is not None and mark.ended_at is not None:
        return []
    if mark is not None and mark.after_id is not None:
        query = query.where(StoredFile.id > mark.after_id)
    return session.execute(query.order_by(StoredFile.id).limit(BATCH)).all()


def _note(found: Sequence[Any]) -> None:
    values: dict[str, Any] = {"ended_at": db.now()} if len(found) < BATCH else {}
    values |= {"after_id": found[-1].id} if found else {}
    if values:
        row = insert(FileResealing).values(key_id=sealing.current_key_id(), begun_at=db.now(), **values)
        session.execute(row.on_conflict_do_update(index_elements=["key_id"], set_=values))


def _renewed(file_id: UUID, storage_key: str, shown_key: str | None) -> int:
    return _one(file_id, "storage_key", storage_key) + (_one(file_id, "shown_key", shown_key) if shown_key else 0)


def _one(file_id: UUID, column: str, key: str) -> int:
    try:
        if _key_id(key) == sealing.current_key_id():
            return 0
        made = _copy(key)
    except ObjectLost:
        return 0
    with db.transaction(db.system("keys.reseal")):
        same = StoredFile.id == file_id, getattr(StoredFile, column) == key, _KEPT
        taken = session.scalar(update(StoredFile).where(*same).values({column: made.key}).returning(StoredFile.id))
        gone = key if taken is not None else made.key
        jobs.enqueue("keys.forget_former", at=db.now() + READ_FOR, storage_key=gone)
    return int(taken is not None)


def _copy(key: str) -> Arriving:
    """The same bytes under a new name. Raises FileKeyMissing, FileTampered, ObjectLost, Unavailable."""
    made = Arriving(limit=_ANY_SIZE)
    try:
        for piece in files.sealed_pieces(key):
            made.write(piece)
        made.finish()
    finally:
        made.discard()
    return made


def _key_id(key: str) -> str:
    store, _portal = files.place()
    with closing(store.open(key)) as reader:
        return key_id_of(reader.read(HEADER_SIZE))


@jobs.task("keys.forget_former")
def forget_former(storage_key: str) -> None:
    """Delete the bytes of the former name, unless a row says it after all: a database that was put back, say."""
    with jobs.reading() as current:
        named = (StoredFile.storage_key == storage_key) | (StoredFile.shown_key == storage_key)
        is_needed = current.scalar(select(StoredFile.id).where(named).limit(1)) is not None
    if not is_needed:
        files.discard(storage_key)
