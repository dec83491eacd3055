"""Receipts that we give: that a mail was read, or that its letter was not filed.

Never to a third address, never to what software wrote: two programs would answer each other for ever.
"""

from uuid import UUID

import structlog

from portal import db, establishments, files, jobs
from portal.db import session
from portal.files import StoredFile
from portal.gateways import OutcomeUnknown, Refused, UnsupportedUrl
from portal.gateways.mssante import Submission
from services.documents import mss
from services.documents.mailboxes import operators
from services.documents.mailboxes.models import Mailbox, ReceivedMail
from services.documents.mailboxes.operators import NoOperator, PersonalBox
from services.documents.mss import Answer, CannotSend, Mail, MailUnreadable

log = structlog.get_logger(__name__)
READING, REFUSAL = "reading", "refusal"


@jobs.task("documents.send_receipt")
def send_receipt(received_id: str, kind: str) -> None:
    """Give a receipt. kind: `reading`, an agent opened it; `refusal`, its letter was not filed."""
    with jobs.reading():
        received = session.get_one(ReceivedMail, UUID(received_id))
        box = session.get_one(Mailbox, received.mailbox_id)
        code = _code(received) if kind == REFUSAL else ""
        stored = session.get(StoredFile, received.file_id) if received.file_id else None
        product = establishments.setting(box.establishment_id, operators.PRODUCT) or operators.USUAL_PRODUCT
    if stored is None or not box.is_open or (kind == REFUSAL and not code):
        return
    sent = _give(box, files.read_set_aside(stored), received, code, product)
    if kind == READING:
        with jobs.effect():
            session.get_one(ReceivedMail, UUID(received_id)).receipt = "sent" if sent else "refused"


def _code(received: ReceivedMail) -> str:
    """The national code to say, when the hospital says it for such letters."""
    outcome, _, code = received.receipt_code.partition(" ")
    wanted = establishments.setting(received.establishment_id, operators.ERROR_RECEIPTS, "no")
    said = wanted == "all" or (wanted == "refused" and outcome == "quarantined")
    return code if said and code in mss.ERRORS else ""


def _give(box: Mailbox, raw: bytes, received: ReceivedMail, code: str, product: str) -> bool:
    """Whether it left. Raises Unavailable: the job tries again later."""
    number = f"{received.id.hex}.{'ko' if code else 'lu'}"
    answer = Answer(
        message_id=f"<{number}@{box.address.rpartition('@')[2]}>",
        box=box.address,
        label=box.label,
        sent_at=db.now(),
        product=product,
        software="Parvis",
        error_code=code,
        was_read=not code,
    )
    try:
        mail = mss.read_mail(raw)
        if not may_be_answered(mail):
            return False
        with db.transaction(db.system("documents.send_receipt")):
            way = operators.way_to(session.get_one(Mailbox, box.id))
        way.operator.submit(way.box, Submission((mail.sender,), mss.receipt_for(raw, answer)))
    except OutcomeUnknown:
        return True
    except (CannotSend, MailUnreadable, Refused, PersonalBox, NoOperator, UnsupportedUrl) as error:
        log.info("receipt.not_sent", error=type(error).__name__)
        return False
    return True


def may_be_answered(mail: Mail) -> bool:
    """Only a person's mail, and only at its own sender's address."""
    return mail.is_answerable and bool(mail.sender) and mail.receipt_to in ("", mail.sender)
