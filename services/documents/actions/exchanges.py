"""Messages between a hospital's unit and a practitioner, and the receipts that both see."""

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from auth.models import Professional
from portal import audit, db, files, jobs, kpi
from portal.db import Actor, session
from portal.establishments import Unit
from services.documents import states
from services.documents.models import RIGHT, Exchange, ExchangeMessage

_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else
_UNREAD: Final = {"professional": ("delivered", "read"), "unit": ("received", "opened")}


class EmptyMessage(Exception):
    """Neither words nor a file."""


@dataclass(frozen=True)
class Draft:
    """What somebody wants to send about a patient, described by typed traits."""

    subject: str
    birth_name: str
    first_name: str
    birth_on: date
    text: str = ""
    file_id: UUID | None = None


def send_to_unit(unit: Unit, professional_id: UUID, draft: Draft) -> Exchange:
    """A practitioner writes to a unit. Raises EmptyMessage, FileNotReadable."""
    return _begin(unit, professional_id, draft, "received", "documents.tell_unit")


def send_to_professional(unit: Unit, professional: Professional, draft: Draft) -> Exchange:
    """A unit writes to a practitioner who has an account here. Raises EmptyMessage, FileNotReadable."""
    return _begin(unit, professional.id, draft, "delivered", "documents.tell_professional")


def _begin(unit: Unit, professional_id: UUID, draft: Draft, state: str, job: str) -> Exchange:
    exchange = Exchange(
        id=uuid4(),
        reference=_new_reference(),
        establishment_id=unit.establishment_id,
        unit_id=unit.id,
        professional_id=professional_id,
        subject=draft.subject,
        birth_name=draft.birth_name,
        first_name=draft.first_name,
        birth_on=draft.birth_on,
        state=states.NEW,
    )
    change = states.move_exchange(exchange, state, db.current_actor())
    session.add(exchange)
    session.flush()
    session.add(change)
    _write(exchange, draft.text, draft.file_id)
    audit.record("exchange.sent", establishment_id=unit.establishment_id, object_kind="exchange", object_id=exchange.id)
    jobs.enqueue(job, exchange_id=str(exchange.id))
    return exchange


def answer(exchange: Exchange, text: str, file_id: UUID | None) -> ExchangeMessage:
    """Either side writes again in a thread. Raises EmptyMessage, FileNotReadable."""
    by_unit = _side(db.current_actor()) == "unit"
    session.refresh(exchange, with_for_update={"of": Exchange, "key_share": True})
    message = _write(exchange, text, file_id)
    session.add(states.move_exchange(exchange, "delivered" if by_unit else "received", db.current_actor()))
    audit.record(
        "exchange.answered", establishment_id=exchange.establishment_id, object_kind="exchange", object_id=exchange.id
    )
    jobs.enqueue("documents.tell_professional" if by_unit else "documents.tell_unit", exchange_id=str(exchange.id))
    return message


def open_exchange(exchange: Exchange) -> None:
    """Somebody opens a thread: when something waited for their side, the other side sees that it was opened."""
    waiting, opened = _UNREAD[_side(db.current_actor())]
    if exchange.state == waiting:
        session.refresh(exchange, with_for_update={"of": Exchange, "key_share": True})
    if exchange.state == waiting:  # still, now that it is locked
        exchange.changes.append(states.move_exchange(exchange, opened, db.current_actor()))
    audit.record(
        "exchange.opened", establishment_id=exchange.establishment_id, object_kind="exchange", object_id=exchange.id
    )


def hand_over_message(message: ExchangeMessage) -> None:
    """Somebody takes the file of a message away."""
    audit.record(
        "exchange_file.downloaded",
        establishment_id=message.establishment_id,
        object_kind="exchange_message",
        object_id=message.id,
    )


def _write(exchange: Exchange, text: str, file_id: UUID | None) -> ExchangeMessage:
    if not text.strip() and file_id is None:
        raise EmptyMessage
    if file_id:
        files.attach(
            file_id,
            establishment_id=exchange.establishment_id,
            staff_right=RIGHT,
            professional_id=exchange.professional_id,
        )
    actor = db.current_actor()
    message = ExchangeMessage(
        id=uuid4(),
        exchange_id=exchange.id,
        establishment_id=exchange.establishment_id,
        professional_id=exchange.professional_id,
        sender=_side(actor),
        author_name=actor.name,
        text=text.strip(),
        file_id=file_id,
    )
    session.add(message)
    session.flush()
    kpi.count(
        "exchange_sent",
        establishment_id=exchange.establishment_id,
        dimension=message.sender,
        account_id=actor.account_id,
    )
    return message


def _side(actor: Actor) -> str:
    return "professional" if actor.kind == "professional" else "unit"


def _new_reference() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"
