"""Documents on their way to Mon espace santé: a mail from the hospital's box to the patient's own, which nobody answers
(Mon espace santé, messagerie v1.3: the matricule of a qualified INS, X-MSS-MES: FIN).

Which documents go there is decided by `shelf.mes`; here they are sent, and what became of them is told back.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth.models import Patient
from portal import audit, db, jobs
from portal.db import session
from services.documents import mss
from services.documents.exchanges import states
from services.documents.exchanges.actions.threads import new_reference
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.mailboxes import outgoing
from services.documents.mailboxes.models import Mailbox, Transmission
from services.documents.models import Document
from services.documents.shelf.mes import actions as mes
from services.documents.shelf.mes import queries as waiting

_SURE_AFTER: Final = timedelta(hours=2)
"""An operator that took a mail may still say that its box is closed."""
_TEXT: Final = "Bonjour,\n\nVotre hôpital vous transmet un document.\n"


@jobs.periodic("*/10 * * * *", "documents.send_to_mes")
def send_documents() -> None:
    """Send what waits, once; tell what became of the rest. One transaction a document; safe to repeat."""
    actor = db.system("documents.send_to_mes")
    with db.transaction(actor):
        found = [document.id for document in waiting.waiting()]
    for document_id in found:
        with db.transaction(actor) as current:
            _look_at(current.get_one(Document, document_id))


def _look_at(document: Document) -> None:
    transmission = _transmission_of(document)
    if transmission is None:
        if mes.may_leave(document.id) and (box := _box_of(document.establishment_id)):
            _send(document, box)
        return
    is_sure = transmission.state == "accepted" and db.now() - transmission.changed_at >= _SURE_AFTER
    if transmission.state in ("delivered", "read") or is_sure:
        mes.mark_sent(document.id)
    elif transmission.state in ("refused", "given_up"):
        mes.mark_refused(document.id, transmission.reason)


def _send(document: Document, box: Mailbox) -> None:
    try:
        send(document, box)
    except mss.BadAddress:
        mes.mark_refused(document.id, "invalid_address")


def send(document: Document, box: Mailbox) -> Exchange:
    """Write a filed document to its patient's box: a thread that is closed at once, in nobody's inbox.

    Raises `mss.BadAddress` when their number makes no address.
    """
    patient = session.get_one(Patient, document.patient_id)
    address = mss.of_citizen(patient.ins)
    exchange = Exchange(
        id=uuid4(),
        reference=new_reference(),
        establishment_id=document.establishment_id,
        patient_id=patient.id,
        about_id=patient.id,
        mailbox_id=box.id,
        address=address,
        subject=document.title,
        masked=document.masked,
        state=states.NEW,
        created_at=db.now(),
    )
    actor = db.current_actor()
    changes = [states.move(exchange, "delivered", actor), states.move(exchange, "closed", actor)]
    session.add(exchange)
    session.flush()
    session.add_all(changes)
    outgoing.plan(exchange, _message(exchange, document, box))
    audit.record(
        "exchange.sent",
        patient_id=patient.id,
        establishment_id=document.establishment_id,
        object_kind="exchange",
        object_id=exchange.id,
    )
    return exchange


def _message(exchange: Exchange, document: Document, box: Mailbox) -> ExchangeMessage:
    identifier = uuid4()
    message = ExchangeMessage(
        id=identifier,
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        sender="unit",
        channel="mssante",
        author_name=box.label,
        text=_TEXT,
        message_key=f"<{identifier.hex}@{box.address.rpartition('@')[2]}>",
        sent_at=db.now(),
    )
    session.add(message)
    session.flush()
    session.add(
        ExchangeFile(message_id=message.id, establishment_id=exchange.establishment_id, file_id=document.file_id)
    )
    session.flush()
    return message


def _transmission_of(document: Document) -> Transmission | None:
    """The mail that carries this document to its patient's own box, if there is one."""
    return session.scalars(
        select(Transmission)
        .join(ExchangeMessage, ExchangeMessage.id == Transmission.message_id)
        .join(ExchangeFile, ExchangeFile.message_id == ExchangeMessage.id)
        .join(Exchange, Exchange.id == ExchangeMessage.exchange_id)
        .where(
            ExchangeFile.file_id == document.file_id,
            Exchange.patient_id == document.patient_id,
            Exchange.unit_id.is_(None),
            Transmission.establishment_id == document.establishment_id,
        )
        .order_by(Transmission.created_at.desc())
        .limit(1)
    ).first()


def _box_of(establishment_id: UUID) -> Mailbox | None:
    """The hospital's box for what the portal itself sends: an application's before an organisation's."""
    return session.scalars(
        select(Mailbox)
        .where(Mailbox.establishment_id == establishment_id, Mailbox.closed_at.is_(None), Mailbox.kind != "PER")
        .order_by(Mailbox.kind != "APP", Mailbox.unit_id.is_not(None), Mailbox.created_at)
        .limit(1)
    ).first()
