"""Which mails a message of a unit becomes; they are sent later, by a job."""

from uuid import uuid4

from sqlalchemy import select

from portal import db, jobs
from portal.db import session
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes import states
from services.documents.mailboxes.models import ReceivedMail, Transmission


def plan(exchange: Exchange, message: ExchangeMessage) -> Transmission | None:
    """One mail to the thread's address, from the unit's box; none when either is missing.

    Whoever reads the thread in the portal gets a copy: it is theirs to close their box to it.
    """
    if not exchange.address or exchange.mailbox_id is None:
        return None
    planned = Transmission(
        id=uuid4(),
        establishment_id=exchange.establishment_id,
        mailbox_id=exchange.mailbox_id,
        message_id=message.id,
        address=exchange.address,
        role="copy" if exchange.professional_id else "to",
        message_key=message.message_key,
        receipt_asked=message.receipt_wanted,
        created_at=db.now(),
    )
    change = states.move(planned, "waiting")
    session.add(planned)
    session.flush()
    session.add(change)
    jobs.enqueue("documents.send_mail", transmission_id=str(planned.id))
    return planned


def tell_read(exchange: Exchange) -> None:
    """The unit opened a thread: those who asked to know are told, once each."""
    wanted = session.scalars(
        select(ReceivedMail)
        .join(ExchangeMessage, ExchangeMessage.id == ReceivedMail.message_id)
        .where(ExchangeMessage.exchange_id == exchange.id, ReceivedMail.receipt == "wanted")
        .with_for_update(of=ReceivedMail, key_share=True)
    ).all()
    for each in wanted:
        each.receipt = "due"
        jobs.enqueue("documents.send_receipt", received_id=str(each.id), kind="reading")
