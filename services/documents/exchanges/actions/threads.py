"""Messages between a hospital's unit and its correspondents, and the receipts that both sides see."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, update

from auth import acts
from auth.models import Patient, Professional
from portal import audit, calendar, db, files, jobs, kpi
from portal.db import Actor, session
from portal.establishments import Establishment, Unit
from portal.files import StoredFile
from services.directory.queries import Person
from services.documents.exchanges import pace, states
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage, UnitDesk
from services.documents.mailboxes import outgoing
from services.documents.mailboxes.models import Mailbox
from services.documents.models import RIGHT

_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else
USUAL_ANSWER_DAYS: Final = 3
_REOPENED_WITHIN: Final = timedelta(days=30)
_UNREAD: Final = {"correspondent": ("delivered", "read"), "unit": ("received", "opened")}
_TOLD: Final = {"professional": "documents.tell_professional", "patient": "documents.tell_correspondent"}
"""Whom a job tells that the unit wrote; a bare address gets the message itself."""


class EmptyMessage(Exception):
    """Neither words nor a file."""


class Closed(Exception):
    """The unit closed this thread: nobody writes in it until it is reopened."""


@dataclass(frozen=True)
class Words:
    """One message. receipt_wanted: its author wants to know when it is read. replaces_id: what it cancels."""

    text: str = ""
    file_ids: Sequence[UUID] = ()
    receipt_wanted: bool = False
    replaces_id: UUID | None = None


@dataclass(frozen=True)
class Draft:
    """What somebody wants to send, mostly about a patient described by typed traits."""

    subject: str
    birth_name: str = ""
    first_name: str = ""
    birth_on: date | None = None
    text: str = ""
    file_ids: Sequence[UUID] = ()
    about_id: UUID | None = None
    priority: str = "normal"
    receipt_wanted: bool = False

    @property
    def words(self) -> Words:
        return Words(self.text, self.file_ids, self.receipt_wanted)


# -- beginning -----------------------------------------------------------------------------------------------------


def send_to_unit(
    unit: Unit, draft: Draft, *, professional_id: UUID | None = None, patient_id: UUID | None = None
) -> Exchange:
    """A practitioner, or somebody for a patient, writes to a unit. Raises EmptyMessage, FileNotReadable."""
    exchange = _new(unit.establishment_id, unit.id, draft)
    exchange.professional_id, exchange.patient_id = professional_id, patient_id
    return _begin(exchange, draft, "received")


def send_to_professional(
    unit: Unit, professional: Professional, draft: Draft, *, box: Mailbox | None = None, address: str = ""
) -> Exchange:
    """A unit writes to a practitioner who has an account here. Raises EmptyMessage, FileNotReadable.

    box, address: from where and to where a copy goes by MSSanté; the practitioner reads and answers in the portal.
    """
    exchange = _new(unit.establishment_id, unit.id, draft, box, address)
    exchange.professional_id = professional.id
    return _begin(exchange, draft, "delivered")


def send_to_patient(
    unit: Unit, patient: Patient, draft: Draft, *, box: Mailbox | None = None, address: str = ""
) -> Exchange:
    """A unit writes to a patient of its hospital. Raises EmptyMessage, FileNotReadable."""
    exchange = _new(unit.establishment_id, unit.id, draft, box, address)
    exchange.patient_id = exchange.about_id = patient.id
    return _begin(exchange, draft, "delivered")


def send_to_address(
    unit: Unit, box: Mailbox, address: str, correspondent: str, draft: Draft, *, rpps: str = ""
) -> Exchange:
    """A unit writes to somebody whom MSSanté alone reaches. Raises EmptyMessage, FileNotReadable."""
    exchange = _new(unit.establishment_id, unit.id, draft, box, address)
    exchange.correspondent, exchange.rpps = correspondent, rpps
    return _begin(exchange, draft, "delivered")


def send_by_link(unit: Unit, person: Person, email: str, draft: Draft) -> Exchange:
    """A unit writes to a practitioner without MSSanté: a plain mail holds a link alone, and the thread is theirs once
    they have signed in with Pro Santé Connect under this RPPS number. Raises EmptyMessage, FileNotReadable."""
    exchange = _new(unit.establishment_id, unit.id, draft)
    exchange.correspondent, exchange.rpps, exchange.email = person.full_name, person.rpps, email
    return _begin(exchange, draft, "delivered")


def claim(professional: Professional) -> list[Exchange]:
    """Give a practitioner who has just signed in the threads that wait for their RPPS number."""
    if not professional.rpps:
        return []
    found = session.scalars(
        select(Exchange)
        .where(Exchange.rpps == professional.rpps, Exchange.professional_id.is_(None), Exchange.patient_id.is_(None))
        .order_by(Exchange.id)
        .with_for_update(key_share=True)
    ).all()
    for exchange in found:
        exchange.professional_id = professional.id
        _record("exchange.claimed", exchange)
    messages = select(ExchangeMessage.id).where(ExchangeMessage.exchange_id.in_([each.id for each in found]))
    files_of = select(ExchangeFile.file_id).where(ExchangeFile.message_id.in_(messages))
    session.execute(
        update(StoredFile).where(StoredFile.id.in_(files_of)).values(professional_id=professional.id),
        execution_options={"synchronize_session": False},
    )
    return list(found)


def _new(
    establishment_id: UUID, unit_id: UUID | None, draft: Draft, box: Mailbox | None = None, address: str = ""
) -> Exchange:
    return Exchange(
        id=uuid4(),
        reference=new_reference(),
        establishment_id=establishment_id,
        unit_id=unit_id,
        mailbox_id=box.id if box else None,
        address=address.lower() if box else "",
        correspondent="",
        subject=draft.subject,
        about_id=draft.about_id,
        birth_name=draft.birth_name,
        first_name=draft.first_name,
        birth_on=draft.birth_on,
        priority=draft.priority,
        state=states.NEW,
        created_at=db.now(),
    )


def _begin(exchange: Exchange, draft: Draft, state: str) -> Exchange:
    change = states.move(exchange, state, db.current_actor())
    if exchange.patient_id and state == "received":
        exchange.answer_by = _due(exchange)
    session.add(exchange)
    session.flush()
    session.add(change)
    write(exchange, draft.words)
    _record("exchange.sent", exchange)
    _tell(exchange)
    return exchange


# -- going on ------------------------------------------------------------------------------------------------------


def answer(exchange: Exchange, words: Words) -> ExchangeMessage:
    """Either side writes again in a thread. Raises EmptyMessage, Closed, FileNotReadable."""
    by_unit = _side(db.current_actor()) == "unit"
    _lock(exchange)
    if exchange.state == "closed" and not can_reopen(exchange):
        raise Closed
    if by_unit:
        pace.count_first_answer(exchange)
    message = write(exchange, words)
    session.add(states.move(exchange, "delivered" if by_unit else "received", db.current_actor()))
    if by_unit:
        exchange.answer_by = None
    elif exchange.patient_id and exchange.answer_by is None:
        exchange.answer_by = _due(exchange)
    _record("exchange.answered", exchange)
    _tell(exchange)
    return message


def can_reopen(exchange: Exchange) -> bool:
    """Whether whoever acts may write again in a closed thread: a patient may, for a month."""
    recent = db.now() - exchange.changed_at <= _REOPENED_WITHIN
    return exchange.patient_id is not None and recent and _side(db.current_actor()) == "correspondent"


def open_exchange(exchange: Exchange) -> None:
    """Somebody opens a thread: when something waited for their side, the other side sees that it was opened."""
    waiting, opened = _UNREAD[_side(db.current_actor())]
    if exchange.state == waiting:
        _lock(exchange)
    if exchange.state == waiting:  # still, now that it is locked
        pace.count_reading(exchange, ours="unit" if opened == "opened" else exchange.kind)
        exchange.changes.append(states.move(exchange, opened, db.current_actor()))
        if opened == "opened":
            outgoing.tell_read(exchange)
    _record("exchange.opened", exchange)


def close(exchange: Exchange) -> None:
    """The unit ends a thread: nobody writes in it until it is reopened. Raises NotPossibleNow."""
    _lock(exchange)
    session.add(states.move(exchange, "closed", db.current_actor()))
    exchange.answer_by = None
    _record("exchange.closed", exchange)


def reopen(exchange: Exchange) -> None:
    """The unit opens a closed thread again. Raises NotPossibleNow."""
    _lock(exchange)
    session.add(states.move(exchange, "opened", db.current_actor()))
    _record("exchange.reopened", exchange)


def hand_over_file(exchange: Exchange, joined: ExchangeFile) -> None:
    """Somebody takes a file of a thread away."""
    audit.record(
        "exchange_file.downloaded",
        patient_id=exchange.about_id or exchange.patient_id,
        establishment_id=joined.establishment_id,
        object_kind="exchange_file",
        object_id=joined.id,
    )


# -- the steps that several actions share --------------------------------------------------------------------------


def write(exchange: Exchange, words: Words) -> ExchangeMessage:
    """Add a message of whoever acts to a thread; the unit's leaves by MSSanté too where the thread has an address.

    Raises EmptyMessage, FileNotReadable.
    """
    if not words.text.strip() and not words.file_ids:
        raise EmptyMessage
    actor = db.current_actor()
    identifier = uuid4()
    message = ExchangeMessage(
        id=identifier,
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        sender=exchange.kind if _side(actor) == "correspondent" else "unit",
        channel="portal",
        author_name=exchange.unit_name if actor.kind == "system" else actor.name,
        text=_signed(exchange, words.text.strip()) if _side(actor) == "unit" else words.text.strip(),
        message_key=f"<{identifier.hex}@{_domain(exchange)}>" if exchange.mailbox_id else "",
        replaces_id=words.replaces_id,
        receipt_wanted=words.receipt_wanted,
        sent_at=db.now(),
    )
    session.add(message)
    session.flush()
    join(exchange, message, words.file_ids)
    kpi.count(
        "exchange_sent",
        establishment_id=exchange.establishment_id,
        dimension=message.sender,
        account_id=actor.account_id,
        unit_id=exchange.unit_id,
    )
    acts.count("messages", exchange.establishment_id, exchange.patient_id)
    if message.sender == "unit":
        pace.count_to_read(exchange)
        outgoing.plan(exchange, message)
    return message


def join(exchange: Exchange, message: ExchangeMessage, file_ids: Sequence[UUID]) -> None:
    """Join files to a message, in their order; whoever sees the thread opens them. Raises FileNotReadable."""
    for position, file_id in enumerate(file_ids):
        files.attach(
            file_id,
            establishment_id=exchange.establishment_id,
            staff_right=RIGHT,
            professional_id=exchange.professional_id,
            patient_id=exchange.patient_id,
        )
        session.add(
            ExchangeFile(
                message_id=message.id,
                establishment_id=exchange.establishment_id,
                file_id=file_id,
                position=position,
            )
        )
    session.flush()


def _domain(exchange: Exchange) -> str:
    """The right side of our Message-IDs: the domain of the box that writes (RFC 5322, 3.6.4)."""
    box = session.get_one(Mailbox, exchange.mailbox_id)
    return box.address.rpartition("@")[2]


def _signed(exchange: Exchange, text: str) -> str:
    """The unit's words with its signature below."""
    desk = session.get(UnitDesk, exchange.unit_id) if exchange.unit_id else None
    return f"{text}\n\n{desk.signature}".strip() if desk and desk.signature else text


def _due(exchange: Exchange) -> datetime:
    """The end of the business day, at the hospital, until which its unit says that it answers a patient."""
    place = session.get_one(Establishment, exchange.establishment_id)
    desk = session.get(UnitDesk, exchange.unit_id) if exchange.unit_id else None
    days = desk.answer_days if desk else USUAL_ANSWER_DAYS
    day = calendar.business_days_after(calendar.civil_day(db.now(), place.tz), days, place.holiday_rules)
    return calendar.to_utc_or_after(day + timedelta(days=1), time(0), place.tz)


def _tell(exchange: Exchange) -> None:
    """A job tells the other side; a bare address got the message itself."""
    job = "documents.tell_unit" if exchange.state == "received" else _TOLD.get(exchange.kind)
    if job:
        jobs.enqueue(job, exchange_id=str(exchange.id))


def _record(action: str, exchange: Exchange) -> None:
    audit.record(
        action,
        patient_id=exchange.about_id or exchange.patient_id,
        establishment_id=exchange.establishment_id,
        object_kind="exchange",
        object_id=exchange.id,
    )


def _lock(exchange: Exchange) -> None:
    session.refresh(exchange, with_for_update={"of": Exchange, "key_share": True})


def _side(actor: Actor) -> str:
    """Agents and the system write for the unit."""
    return "correspondent" if actor.kind in ("professional", "patient") else "unit"


def new_reference() -> str:
    """What people quote to name a thread."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"
