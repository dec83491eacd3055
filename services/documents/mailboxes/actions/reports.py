"""What receipts and bounces say of the mails that left. Anybody can write one: it counts when it is about the address
we wrote to, and comes from there, or from an operator."""

from dataclasses import dataclass
from uuid import UUID

from services.documents.mailboxes.actions import sending
from services.documents.mailboxes.actions.reading import Turn
from services.documents.mailboxes.models import Transmission
from services.documents.mss import Bounce, Cause, Delivered, Mail, MailKind, Outcome, Receipt

_ROBOTS = ("mailer-daemon", "postmaster", "mail-daemon", "noreply", "no-reply")
_RECEIPTS = {
    Outcome.PROCESSED: ("delivered", ""),
    Outcome.DISPATCHED: ("delivered", ""),
    Outcome.DISPLAYED: ("read", ""),
    Outcome.DELETED: ("refused", "deleted"),
    Outcome.FAILED: ("refused", "not_integrated"),
}


@dataclass(frozen=True)
class News:
    """What a report changed; reason: why it changed nothing."""

    changed: bool
    reason: str = ""
    transmission_id: UUID | None = None


def hear(turn: Turn, mail: Mail) -> News:
    """Move the mails that it is about."""
    if mail.kind is MailKind.RECEIPT and mail.receipt:
        return _hear_receipt(turn, mail, mail.receipt)
    said: list[Bounce | Delivered] = [*mail.bounces, *mail.delivered]
    heard = [_hear_operator(turn, mail, each) for each in said]
    return next((news for news in heard if news.changed), heard[0] if heard else News(False, "about_nothing"))


def _hear_receipt(turn: Turn, mail: Mail, receipt: Receipt) -> News:
    """Only whom we wrote to says that they read."""
    found = sending.transmission_of(receipt.original_message_id, turn.establishment_id, mail.sender)
    if found is None or found.mailbox_id != turn.mailbox_id:
        return News(False, "forged" if receipt.original_message_id else "about_nothing")
    to, reason = _RECEIPTS[receipt.outcome]
    code = receipt.error.code if receipt.error else ""
    return _moved(found, to, code, reason)


def _hear_operator(turn: Turn, mail: Mail, said: Bounce | Delivered) -> News:
    """An operator says it of the address we wrote to."""
    found = sending.transmission_of(said.original_message_id, turn.establishment_id, said.recipient)
    if found is None or found.mailbox_id != turn.mailbox_id:
        return News(False, "forged" if said.original_message_id else "about_nothing")
    if not _speaks_for(mail.sender, found.address):
        return News(False, "forged", found.id)
    if isinstance(said, Delivered):
        return _moved(found, "delivered", "", "")
    if said.cause is Cause.TEMPORARY:
        return _moved(found, "accepted", said.status, "late")
    return _moved(found, "refused", said.status, str(said.cause))


def _speaks_for(sender: str, address: str) -> bool:
    """Operators write as robots of their own domains; who else knows this Message-ID is whom we wrote to."""
    return not sender or sender == address or sender.partition("@")[0].startswith(_ROBOTS)


def _moved(found: Transmission, to: str, code: str, reason: str) -> News:
    if sending.hear_back(found, to, code, reason):
        return News(True, transmission_id=found.id)
    return News(False, "no_news", found.id)
