"""The one way in for messages of hospital systems, whoever brings them: the listener, a folder, a web call."""

import threading
import time
from contextlib import nullcontext
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from portal import db
from portal.gateways.his import hl7v2
from portal.gateways.his.hl7v2 import MAX_BYTES, Acknowledgement, NotHl7
from services.exchanges import actions, subjects

log = structlog.get_logger(__name__)
_TRIES = 4
_AT_ONCE = threading.BoundedSemaphore(4)
"""Connections to the database are few, and lines of interfaces many."""
_LARGE_AT_ONCE = threading.BoundedSemaphore(1)
"""A message that carries a large file is in memory several times while it is read."""


def take(establishment_id: UUID, body: bytes, via: str) -> bytes:
    """A message in its own transaction; always an acknowledgement, whatever happens: AE 207 when we fail, and then
    nothing was written."""
    with _AT_ONCE, _LARGE_AT_ONCE if len(body) > MAX_BYTES else nullcontext():
        for tried in range(_TRIES):
            try:
                actor = db.system(actions.job_for(body))
                with db.transaction(actor):
                    preparation = actions.preparation(establishment_id, body)
                with db.transaction(actor):
                    hear = preparation() if preparation is not None else None
                with db.transaction(actor):
                    return actions.receive(establishment_id, body, via, hear)
            except DBAPIError as error:
                log.warning("his.database", reason=type(error).__name__, tried=tried)
                time.sleep(0.05 * 2**tried)
            except Exception:
                log.exception("his.failed")
                break
    return _failed(body)


def take_list(establishment_id: UUID, name: str, body: bytes) -> tuple[bytes, bool]:
    """A CSV file of the folder, by the room that reads such lists: its report, and whether all of it was done."""
    reader = next((each for each in subjects.every() if each.read_list is not None), None)
    if reader is None or reader.read_list is None:
        return b"nobody reads lists here\r\n", False
    try:
        with db.transaction(db.system(reader.job)):
            return reader.read_list(establishment_id, name, body)
    except Exception:
        log.exception("his.list_failed")
        return b"the portal failed: nothing of this file was done; put it back in in/\r\n", False


def _failed(body: bytes) -> bytes:
    try:
        message = hl7v2.read(body)
    except NotHl7:
        return hl7v2.acknowledge(None, Acknowledgement("AE", "", "207"), "", "0")
    answer = Acknowledgement("AE", message.control_id, "207", "The portal could not look at this message.")
    return hl7v2.acknowledge(message.header, answer, message.header.value(7), "0")
