"""What is told at once of files: a virus that came, stored bytes that are gone or are not what was stored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError

from portal import audit, db
from portal.file_crypto import FileTampered, NotAnEncryptedFile
from portal.gateways.storage import ObjectLost

log = structlog.get_logger(__name__)
_told_of_viruses: list[Callable[[], object]] = [lambda: None]


def tell_of_viruses(tell: Callable[[], object]) -> None:
    """Call this when a file that arrives holds a virus: it is kept nowhere, and the request writes nothing."""
    _told_of_viruses[:] = [tell]


def virus_found() -> None:
    _told_of_viruses[-1]()


@contextmanager
def alarming(storage_key: str) -> Iterator[None]:
    """Tell the log and the audit, in a transaction of its own (the request's is undone), then let the error through.

    The audit hands `file.lost` and `file.altered` to the collector as warnings, and they are counted for alerts.
    """
    try:
        yield
    except ObjectLost:
        _tell("file.lost", storage_key)
        raise
    except (FileTampered, NotAnEncryptedFile):
        _tell("file.altered", storage_key)
        raise


def _tell(action: str, storage_key: str) -> None:
    log.error(action, storage_key=storage_key)
    with suppress(SQLAlchemyError), db.transaction(db.system("files.open")):
        audit.record(action, object_kind="stored_file", storage_key=storage_key)
