"""A portal that only reads (`PORTAL_READ_ONLY`), over a database that may refuse every write (a standby).

What a page writes beside what it shows is of three kinds: lines of the audit, which go to the technical log instead, in
the words that a collector knows; events, jobs and marks of reading, which are not kept; and what the page is for, which
is refused. Transactions are READ ONLY, so that PostgreSQL holds the promise whatever the code does.
See docs/decisions/0027-a-portal-that-only-reads.md.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from psycopg.errors import ReadOnlySqlTransaction
from sqlalchemy import Connection
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import ORMExecuteState, Session, object_mapper

MARKS: Final = {
    "circle_member": "a patient is told the first time that somebody looks at what they let them see",
    "community_announcement_reading": "which announcements a member has read, for the counts of their community",
    "community_event": "who took the journal or the list of members of a community away",
    "community_topic_reading": "until when a member has read a discussion",
    "document_reading": "when a patient first opened a letter: its sender is told",
    "exchange": "an exchange that the other side has opened is no longer new",
    "exchange_change": "by whom, and when",
    "held_form": "what somebody had typed before their session ended waits, once it was shown again",
    "news": "what leads to a page is no longer new once the page is open",
    "preadmission_presence": "which agents have a file open, so that two do not answer it by surprise",
    "received_mail": "that a unit opened a mail whose sender wanted to know",
    "referral_target": "the unit knows that its patient has read its answer, and each side what it has not read",
}
"""Table → the mark that reading a page makes there. It is not made while the portal only reads: the page is shown, and
what is new stays so. A page that writes elsewhere is refused."""

_on: ContextVar[bool] = ContextVar("only reads", default=False)
_AUDITED: Final = "insert into audit_event"


def is_on() -> bool:
    """Whether what runs here may only read: a mark of reading is then not made."""
    return _on.get()


@contextmanager
def held() -> Iterator[None]:
    """Every transaction begun inside only reads."""
    token = _on.set(True)
    try:
        yield
    finally:
        _on.reset(token)


def turn(on: bool) -> None:
    """Say it for the rest of this context: a server's threads answer one request after another."""
    _on.set(on)


def begin(connection: Connection) -> None:
    """First thing in a transaction that only reads. The database is told that we know: over a standby that we were not
    told of, nobody looks at the idle time of sessions but itself (`open_web_session`)."""
    connection.exec_driver_sql(
        "select set_config('transaction_read_only', 'on', true), set_config('parvis.only_reads', 'on', true)"
    )


def is_refusal(error: BaseException | None) -> bool:
    """Whether the database refused a write because it only reads (SQLSTATE 25006)."""
    return isinstance(error, DBAPIError) and isinstance(error.orig, ReadOnlySqlTransaction)


class _Nothing(IteratorResult[Any]):
    """What a mark that was not made answers: no row, and none that was changed."""

    rowcount = 0

    def __init__(self) -> None:
        super().__init__(SimpleResultMetaData(["nothing"]), iter(()))


def pass_over(state: ORMExecuteState) -> Any:
    """The answer to a statement that would make a mark; None for any other, which goes on, without locking the rows it
    reads: a lock is for a writing that will not come, and PostgreSQL refuses it."""
    if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
        unlocked = state.statement._generate()  # type: ignore[attr-defined]  # as `with_for_update`, which cannot undo
        unlocked._for_update_arg = None
        state.statement = unlocked
    if not (state.is_insert or state.is_update or state.is_delete):
        return None
    table = getattr(getattr(state.statement, "table", None), "name", "")
    return _Nothing() if table in MARKS else None


def forget_marks(session: Session) -> None:
    """Before objects are written: those that only hold marks are as they were."""
    for each in (*session.new, *session.dirty, *session.deleted):
        if object_mapper(each).local_table.description not in MARKS:  # type: ignore[attr-defined]  # a table has one
            continue
        if each in session.new:
            session.expunge(each)
        elif each in session.deleted:
            session.add(each)
        else:
            session.expire(each)


def tell(statement: str, values: Mapping[str, Any]) -> None:
    """What waits to be written and will not be: a line of the audit goes to the technical log, with its fields but the
    name of whoever acts, and the number of the request. Whatever PORTAL_LOG_LEVEL says: no other trace of that reading
    is left."""
    if not statement.startswith(_AUDITED):
        return
    told = {
        "event": "audit.not_written",
        "level": "warning",
        "at": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request": structlog.contextvars.get_contextvars().get("request"),
        "actor": values["actor"],
        "action": values["action"],
        "patient": _id(values["patient_id"]),
        "establishment": _id(values["establishment_id"]),
        "object_kind": values["object_kind"] or None,
        "object": _id(values["object_id"]),
        "details": json.loads(values["details"]) or None,
    }
    sys.stderr.write(json.dumps({name: value for name, value in told.items() if value is not None}) + "\n")


def _id(value: object) -> str | None:
    return str(value) if value else None
