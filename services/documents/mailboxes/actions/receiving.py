"""What a mail that came becomes: news of one that left, a message of a thread, or something put aside."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, select

from auth.models import Patient, Professional
from portal import audit, db, files, jobs, kpi
from portal.db import Actor, session
from services.directory import queries as directory
from services.documents.actions import Outcome
from services.documents.exchanges import states as thread_states
from services.documents.exchanges.actions import threads
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.jobs import Prepared, settle
from services.documents.mailboxes.actions import reports
from services.documents.mailboxes.actions.reading import Turn
from services.documents.mailboxes.models import ReceivedMail
from services.documents.models import Document
from services.documents.mss import Mail, MailKind
from services.documents.states import NotPossibleNow

_NO_SUBJECT: Final = "Sans objet"
_REPORTS: Final = (MailKind.RECEIPT, MailKind.DELIVERY, MailKind.BOUNCE)


@dataclass(frozen=True)
class Came:
    """A mail as it came. file_id: its bytes, sealed; None when they are not kept."""

    key: str
    size: int
    file_id: UUID | None = None
    mail: Mail | None = None


@dataclass(frozen=True)
class Carried:
    """What a mail carries, scanned and stored. message_id: of the message that it will be. parcels: for the intake, and
    what is refused; file_ids: what people open."""

    message_id: UUID
    parcels: Sequence[Prepared] = ()
    file_ids: Sequence[UUID] = ()


def told_apart(turn: Turn, came: Came) -> Came:
    """A mail that bears the Message-ID of somebody else's is another mail: whoever was sent a copy knows that name, and
    could hide one by writing under it first."""
    first = session.scalar(
        select(ReceivedMail.sender).where(
            ReceivedMail.mailbox_id == turn.mailbox_id, ReceivedMail.message_key == came.key
        )
    )
    sender = came.mail.sender if came.mail else ""
    return came if first in (None, sender) else replace(came, key=f"{came.key} {sender}")


def is_known(turn: Turn, key: str) -> bool:
    """Whether this mail was taken from this box before."""
    same = (ReceivedMail.mailbox_id == turn.mailbox_id, ReceivedMail.message_key == key)
    return bool(session.scalar(select(exists().where(*same))))


def put_aside(turn: Turn, came: Came, reason: str) -> ReceivedMail:
    """Keep what cannot be taken, where nobody opens it, until somebody decides. The next ones are not kept waiting."""
    return _write(turn, came, "quarantined", reason=reason)


def take_in(turn: Turn, came: Came, carried: Carried) -> ReceivedMail:
    """Make of a mail what it is."""
    mail = came.mail
    assert mail is not None, "what cannot be read is put aside"
    if mail.kind in _REPORTS:
        news = reports.hear(turn, mail)
        outcome = "report" if news.changed else "noted"
        return _write(turn, came, outcome, reason=news.reason, transmission_id=news.transmission_id)
    if not mail.sender:
        return put_aside(turn, came, "no_sender")
    thread = _thread_of(turn, mail)
    if mail.kind is MailKind.AUTOMATIC and thread is None:
        return _write(turn, came, "noted", reason="automatic")
    return _as_message(turn, came, carried, mail, thread)


def ask_reading(received: ReceivedMail) -> None:
    """An agent wants a mail that was put aside to be read again: a job does it. Raises NotPossibleNow."""
    _check_aside(received)
    actor = db.current_actor()
    received.actor, received.actor_name, received.decided_at = actor.label, actor.name, db.now()
    session.flush()
    _record("received_mail.asked_again", received)
    jobs.enqueue("documents.read_again", received_id=str(received.id))


def release(received: ReceivedMail) -> None:
    """It was read after all: what it became has a row of its own. Raises NotPossibleNow."""
    _check_aside(received)
    received.outcome = "released"
    session.flush()
    _record("received_mail.released", received)


def discard(received: ReceivedMail) -> None:
    """An agent says that nothing is to be done with it. Its bytes stay sealed. Raises NotPossibleNow."""
    _check_aside(received)
    actor = db.current_actor()
    received.outcome, received.decided_at = "discarded", db.now()
    received.actor, received.actor_name = actor.label, actor.name
    session.flush()
    _record("received_mail.discarded", received)


def _check_aside(received: ReceivedMail) -> None:
    session.refresh(received, with_for_update={"of": ReceivedMail, "key_share": True})
    if received.outcome != "quarantined":
        raise NotPossibleNow(received.outcome)


def _record(action: str, received: ReceivedMail) -> None:
    audit.record(
        action,
        establishment_id=received.establishment_id,
        object_kind="received_mail",
        object_id=received.id,
        reason=received.reason,
    )


# -- messages ------------------------------------------------------------------------------------------------------


def _as_message(turn: Turn, came: Came, carried: Carried, mail: Mail, thread: Exchange | None) -> ReceivedMail:
    is_new = thread is None
    exchange = thread or _begin(turn, mail, carried)
    message = _say(exchange, mail, came, carried.message_id)
    threads.join(exchange, message, carried.file_ids)
    outcomes = [outcome for parcel in carried.parcels for outcome in settle(parcel)]
    _recognise(exchange, outcomes)
    wants = bool(mail.receipt_to) and mail.receipt_to == mail.sender and mail.is_answerable
    received = _write(turn, came, "message", message_id=message.id, receipt="wanted" if wants else "")
    received.receipt_code = _refusal(outcomes)
    if mail.kind is MailKind.MESSAGE:
        _move(exchange, mail, is_new=is_new)
    kpi.count(
        "exchange_sent",
        establishment_id=turn.establishment_id,
        channel="mssante",
        dimension=message.sender,
        unit_id=exchange.unit_id,
    )
    return received


def _thread_of(turn: Turn, mail: Mail) -> Exchange | None:
    """The thread that it answers, if it comes from that thread's own correspondent: knowing a name is no proof."""
    keys = [key for key in (mail.in_reply_to, *reversed(mail.references)) if key]
    if not keys:
        return None
    rows = session.execute(
        select(ExchangeMessage.message_key, Exchange)
        .join(Exchange, Exchange.id == ExchangeMessage.exchange_id)
        .where(
            ExchangeMessage.message_key.in_(keys),
            Exchange.establishment_id == turn.establishment_id,
            Exchange.mailbox_id == turn.mailbox_id,
            Exchange.address == mail.sender,
        )
        .order_by(Exchange.created_at, Exchange.id)
    ).all()
    found = {row.message_key: row.Exchange for row in rows}
    thread = next((found[key] for key in keys if key in found), None)
    if thread is not None:
        session.refresh(thread, with_for_update={"of": Exchange, "key_share": True})
    return thread


def _begin(turn: Turn, mail: Mail, carried: Carried) -> Exchange:
    known = directory.box(mail.sender)
    professional = _account_of(known.rpps) if known and known.kind == "PER" and known.rpps else None
    header = next((kept.letter.header.patient for each in carried.parcels for kept in each.kept), None)
    exchange = Exchange(
        id=uuid4(),
        reference=threads.new_reference(),
        establishment_id=turn.establishment_id,
        unit_id=turn.unit_id,
        professional_id=professional,
        mailbox_id=turn.mailbox_id,
        address=mail.sender,
        correspondent=(known.holder if known else "") or mail.label or mail.sender,
        subject=mail.subject.shown or _NO_SUBJECT,
        birth_name=header.birth_name if header else "",
        first_name=header.first_name if header else "",
        birth_on=header.birth_on if header else None,
        state=thread_states.NEW,
        created_at=db.now(),
    )
    change = thread_states.move(exchange, "received", _by(exchange))
    session.add(exchange)
    session.flush()
    session.add(change)
    return exchange


def _by(exchange: Exchange) -> Actor:
    """Whose doing it is, as the history names them."""
    return replace(db.current_actor(), name=exchange.correspondent_name)


def _account_of(rpps: str) -> UUID | None:
    return session.scalar(select(Professional.id).where(Professional.rpps == rpps.removeprefix("8")[:11]))


def _say(exchange: Exchange, mail: Mail, came: Came, message_id: UUID) -> ExchangeMessage:
    message = ExchangeMessage(
        id=message_id,
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        sender="patient" if exchange.patient_id or mail.patient_number else "professional",
        channel="mssante",
        author_name=exchange.correspondent_name,
        text=mail.text,
        message_key=mail.message_id,
        replaces_id=_replaced(exchange, mail),
        raw_file_id=came.file_id,
        receipt_wanted=bool(mail.receipt_to),
        sent_at=db.now(),  # theirs may lie: a thread is in the order in which things came
    )
    session.add(message)
    session.flush()
    audit.record(
        "mail.received",
        patient_id=exchange.about_id or exchange.patient_id,
        establishment_id=exchange.establishment_id,
        object_kind="exchange",
        object_id=exchange.id,
    )
    return message


def _replaced(exchange: Exchange, mail: Mail) -> UUID | None:
    """The message of the same correspondent that this one cancels and replaces."""
    if not mail.subject.replaces:
        return None
    keys = [key for key in (mail.in_reply_to, *mail.references) if key]
    return session.scalars(
        select(ExchangeMessage.id)
        .where(
            ExchangeMessage.exchange_id == exchange.id,
            ExchangeMessage.sender != "unit",
            ExchangeMessage.message_key.in_(keys),
        )
        .order_by(ExchangeMessage.sent_at.desc())
        .limit(1)
    ).first()


def _recognise(exchange: Exchange, outcomes: Sequence[Outcome]) -> None:
    """The thread is about the patient to whom the intake gave its letters without a doubt, by a qualified INS."""
    ids = [each.document_id for each in outcomes if each.outcome == "filed" and each.document_id]
    if exchange.about_id or not ids:
        return
    bearers = session.scalars(
        select(Patient.id)
        .join(Document, Document.patient_id == Patient.id)
        .where(Document.id.in_(ids), Patient.identity_status == "QUAL", Patient.ins == Document.ins, Document.ins != "")
        .distinct()
    ).all()
    if len(bearers) == 1:
        exchange.about_id = bearers[0]
        session.flush()


def _refusal(outcomes: Sequence[Outcome]) -> str:
    """The national code of what was not filed: `quarantined 906`, `tray 902`; empty when everything was."""
    for wanted in ("quarantined", "tray"):
        if code := next((each.code for each in outcomes if each.outcome == wanted and each.code), ""):
            return f"{wanted} {code}"
    return ""


def _move(exchange: Exchange, mail: Mail, *, is_new: bool) -> None:
    """The unit has something to open; a mail that closes and says nothing more closes the thread."""
    if mail.closes and not is_new and not mail.attachments and not mail.text.strip():
        if exchange.state != "closed":
            session.add(thread_states.move(exchange, "closed", _by(exchange)))
        return
    if not is_new:
        session.add(thread_states.move(exchange, "received", _by(exchange)))
    session.flush()
    jobs.enqueue("documents.tell_unit", exchange_id=str(exchange.id))


def _write(
    turn: Turn,
    came: Came,
    outcome: str,
    *,
    reason: str = "",
    message_id: UUID | None = None,
    transmission_id: UUID | None = None,
    receipt: str = "",
) -> ReceivedMail:
    if came.file_id and files.unattached(came.file_id):
        files.attach(came.file_id, establishment_id=turn.establishment_id)
    received = ReceivedMail(
        id=uuid4(),
        establishment_id=turn.establishment_id,
        mailbox_id=turn.mailbox_id,
        message_key=came.key,
        kind=str(came.mail.kind) if came.mail else "unknown",
        sender=came.mail.sender if came.mail else "",
        size=came.size,
        outcome=outcome,
        reason=reason,
        file_id=came.file_id,
        message_id=message_id,
        transmission_id=transmission_id,
        receipt=receipt,
        receipt_code="",
        received_at=db.now(),
    )
    session.add(received)
    session.flush()
    if outcome == "quarantined":
        _record("received_mail.quarantined", received)
    return received
