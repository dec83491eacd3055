"""Files that are no longer needed, or never should have come: their bytes leave the storage, and it is made sure of."""

from uuid import UUID

from sqlalchemy import delete, select

from portal import files, jobs
from portal.files import StoredFile


class StillStored(Exception):
    """The storage was asked to delete these bytes and still has them."""


def erase_later(stored: StoredFile) -> None:
    """Nobody needs this file any more: nobody opens it from now on, and a job deletes its bytes, then its row."""
    stored.state = "erased"
    jobs.enqueue("files.erase", file_id=str(stored.id))


@jobs.task("files.erase")
def erase(file_id: str) -> None:
    """Delete the bytes and their copy, make sure that they are gone, then forget the row.

    Stopped half-way, it goes on from the start: the keys are forgotten last. Raises StillStored.
    """
    with jobs.reading() as current:
        stored = current.get(StoredFile, UUID(file_id))
    if stored is None:
        return
    for key in filter(None, (stored.storage_key, stored.shown_key)):
        files.discard(key)
        if files.is_stored(key):
            raise StillStored(key)
    with jobs.effect() as current:
        current.execute(delete(StoredFile).where(StoredFile.id == stored.id))


@jobs.task("files.quarantine")
def quarantine(file_id: str) -> None:
    """Delete the bytes in which the scanner found something; what is known of the file stays, to tell its sender."""
    with jobs.reading() as current:
        key = current.scalar(select(StoredFile.storage_key).where(StoredFile.id == UUID(file_id)))
    if key is not None:
        files.discard(key)
