"""News are gathered every minute, and each message leaves by itself: a door that is away holds up no other."""

from uuid import UUID

import structlog

from auth.models import Account
from auth.news import boxes, gathering, mails, sending
from auth.news.boxes import NoBox
from auth.news.sending import Parting
from portal import db, jobs
from portal.gateways import OutcomeUnknown, Refused, Unavailable

log = structlog.get_logger(__name__)


@jobs.periodic("* * * * *", "news.gather")
def gather() -> None:
    """Make the messages that are due, one transaction for each account: late or repeated, it makes none twice."""
    now = db.now()
    with jobs.reading():
        found = gathering.accounts(now)
    for account_id in found:
        with jobs.reading():
            gathering.gather(account_id, now)


@jobs.task("news.gather_urgent")
def gather_urgent(account_id: str) -> None:
    """At once, for what cannot wait for the next minute."""
    with jobs.reading():
        gathering.gather(UUID(account_id), db.now())


@jobs.task("news.send")
def send(message_id: str) -> None:
    """Send one message, if it is still to be sent."""
    with jobs.reading():
        parting = sending.prepare(UUID(message_id), db.now())
    if parting is None:
        return
    if parting.later_at is not None:
        with jobs.effect():
            jobs.enqueue("news.send", at=parting.later_at, message_id=message_id)
    elif parting.withheld:
        _settle(parting, "withheld", parting.withheld)
    else:
        _leave(parting)


def _leave(parting: Parting) -> None:
    try:
        parting.leave()
    except NoBox:
        _by_mail_instead(parting, "no_box")
    except Unavailable:
        if not parting.is_overdue:
            raise
        _by_mail_instead(parting, "away")
    except Refused as refused:
        log.warning("news.refused", channel=parting.channel, reason=refused.code)
        _refused(parting)
    except OutcomeUnknown:
        with jobs.reading():
            again = sending.doubt(parting.message_id)
        if again:
            raise
        _settle(parting, "uncertain", "no_answer")
    else:
        _settle(parting, "sent")


def _refused(parting: Parting) -> None:
    if parting.channel == "mssante":
        _by_mail_instead(parting, "refused")
    else:
        _settle(parting, "refused", "refused")


def _by_mail_instead(parting: Parting, trouble: str) -> None:
    with jobs.effect():
        if sending.by_mail_instead(parting.message_id, trouble):
            jobs.enqueue("news.send", message_id=str(parting.message_id))
        else:
            sending.settle(parting.message_id, "refused", trouble)


def _settle(parting: Parting, state: str, because: str = "") -> None:
    with jobs.effect():
        sending.settle(parting.message_id, state, because)


@jobs.task("news.prove_box")
def prove_box(account_id: str) -> None:
    """Send the link that proves a professional box, to that box."""
    with jobs.reading() as current:
        found = boxes.proof(UUID(account_id))
        locale = current.get_one(Account, UUID(account_id)).locale
    if found is None:
        return
    address, token = found
    trouble = ""
    try:
        boxes.send(address, *mails.proof(token, locale), f"box-{account_id}")
    except NoBox:
        trouble = "no_box"
    except Refused:
        trouble = "refused"
    if trouble:
        with jobs.effect():
            boxes.note_trouble(UUID(account_id), address, trouble)
