"""Sending: a mail at a time, with no transaction open while its operator is spoken to."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import structlog

from portal import db, jobs
from portal.db import session
from portal.gateways import DoorError, OutcomeUnknown, Refused, UnsupportedUrl
from portal.gateways.mssante import NobodyTaken, NotLetIn, Submission, TooLarge
from services.documents.mailboxes import composing, operators
from services.documents.mailboxes.actions import sending
from services.documents.mailboxes.actions.sending import Ending
from services.documents.mailboxes.composing import Gathered, NotSent, NotYet
from services.documents.mailboxes.models import Mailbox, Transmission
from services.documents.mailboxes.operators import NoOperator, PersonalBox, Way
from services.documents.mss import bounces

log = structlog.get_logger(__name__)
Opening = Callable[[], AbstractContextManager[object]]
_NEVER: tuple[type[Exception], ...] = (PersonalBox, NoOperator, UnsupportedUrl)


@jobs.task("documents.send_mail")
def send_mail(transmission_id: str) -> None:
    """Send a mail that waits."""
    send(UUID(transmission_id), jobs.reading, jobs.effect)


def send(transmission_id: UUID, opening: Opening, finishing: Opening) -> None:
    """Write down that a try begins, make it, write down how it ended. Killed in between, the next run says that nobody
    knows, and the mail leaves again later under the same Message-ID."""
    way: Way | None = None
    prepared: Gathered | Ending | None = None
    with opening():
        way = _way(transmission_id)
        found = sending.begin_try(transmission_id, way.host if way else "", db.now())
        if found is not None:
            prepared = _prepared(found, way, production=operators.is_production())
    if prepared is None:
        return
    ending = prepared if isinstance(prepared, Ending) else submit(way, prepared)
    with finishing():
        sending.end_try(transmission_id, ending, db.now())


def _way(transmission_id: UUID) -> Way | None:
    found = session.get(Transmission, transmission_id)
    box = session.get_one(Mailbox, found.mailbox_id) if found else None
    try:
        return operators.way_to(box) if box else None
    except _NEVER:
        return None


def _prepared(found: Transmission, way: Way | None, *, production: bool) -> Gathered | Ending:
    if way is None:
        return Ending("refused", reason=_why_no_way(found))
    try:
        return composing.gather(found, production=production)
    except NotSent as error:
        return Ending("refused", reason=error.reason)
    except NotYet:
        return Ending("waiting", reason="file_waiting")


def _why_no_way(found: Transmission) -> str:
    try:
        operators.way_to(session.get_one(Mailbox, found.mailbox_id))
    except _NEVER as error:
        return operators.trouble_of(error)
    return "other"


def submit(way: Way | None, gathered: Gathered) -> Ending:
    """Hand the mail over to the operator. Whatever happens is an ending."""
    assert way is not None, "a mail without a way was refused already"
    try:
        raw = composing.compose(gathered)
    except NotSent as error:
        return Ending("refused", reason=error.reason)
    except ValueError:  # a sign that no letter may hold
        return Ending("refused", reason="documents")
    except DoorError:
        return Ending("waiting", reason="storage")
    try:
        refused = way.operator.submit(way.box, Submission((gathered.address,), raw, asks_delivery=True)).refused
    except DoorError as error:
        return _ending(error, way, gathered.address)
    if code := refused.get(gathered.address, ""):
        return _not_taken(code, way)
    return Ending("accepted", host=way.host)


def _ending(error: DoorError, way: Way, address: str) -> Ending:
    log.info("mail.not_submitted", operator=way.host, trouble=operators.trouble_of(error))
    if isinstance(error, NobodyTaken):
        return _not_taken(error.refused.get(address, error.code), way)
    if isinstance(error, TooLarge):
        return Ending("refused", "552", "too_large", host=way.host)
    if isinstance(error, NotLetIn):
        return Ending("waiting", error.code, "not_let_in", host=way.host)
    if isinstance(error, OutcomeUnknown):
        return Ending("uncertain", reason="cut", host=way.host)
    if isinstance(error, Refused):
        return Ending("refused", error.code, str(bounces.classified(_status(error.code), error.meaning)), host=way.host)
    return Ending("waiting", reason=operators.trouble_of(error), away=True, host=way.host)


def _not_taken(code: str, way: Way) -> Ending:
    """What the operator said of the recipient. One that may pass later waits."""
    if code.startswith("4"):
        return Ending("waiting", code, "temporary", host=way.host)
    return Ending("refused", code, str(bounces.classified(_status(code), "")), host=way.host)


def _status(code: str) -> str:
    """`550 5.1.1` → `5.1.1`."""
    return code.partition(" ")[2]
