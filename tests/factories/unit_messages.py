"""Units that take messages, a question and its answer, texts ready to use, a list of correspondents."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import select

from portal import db, files
from portal.db import Actor, session
from portal.establishments import Unit
from portal.gateways.mssante.twin.addresses import CORRESPONDENTS
from services.directory import queries as directory
from services.documents.exchanges import actions, states
from services.documents.exchanges.actions import Desk
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage
from services.documents.inbox import actions as texts
from services.documents.lists import actions as lists
from tests.factories import documents

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_PATIENT = "Suzanne VALMORIN"
_SECRETARY = "Secrétariat"


def demonstrate(world: "World") -> None:
    """A question that waits, one that was answered with a document, and what agents prepared."""
    place = world.north.establishment
    units = session.scalars(select(Unit).where(Unit.establishment_id == place.id).order_by(Unit.name)).all()
    for unit in units[:3]:
        actions.open_desk(unit, Desk(is_open=True, answer_days=3, signature=f"Le secrétariat, {unit.name}"))
    texts.write_text(place.id, None, "Bien reçu", "Bonjour,\n\nNous avons bien reçu votre message.")
    texts.write_text(place.id, units[0].id, "À jeun", "Bonjour,\n\nVenez à jeun : ni repas ni boisson depuis minuit.")
    _thread(world, units[0], "Dois-je venir à jeun ?", "Bonjour, faut-il être à jeun pour ma consultation ?")
    answered = _thread(world, units[1], "Ordonnance illisible", "Bonjour, je ne lis pas la dose sur mon ordonnance.")
    _answer(answered, "Bonjour,\n\nVoici l’ordonnance imprimée.")
    if boxes := [box for each in CORRESPONDENTS if (box := directory.box(each.address))]:
        lists.keep(place.id, "Médecins du secteur", "Premier recours", boxes[:3])


def _thread(world: "World", unit: Unit, subject: str, text: str) -> Exchange:
    made = Exchange(
        id=uuid4(),
        reference=f"TEST-{uuid4().hex[:8].upper()}",
        establishment_id=unit.establishment_id,
        unit_id=unit.id,
        patient_id=world.patients["suzanne"].id,
        correspondent=_PATIENT,
        subject=subject,
        state=states.NEW,
        created_at=db.now() - timedelta(hours=5),
        answer_by=db.now() + timedelta(days=2),
    )
    _move(made, "received", _PATIENT)
    _say(made, "patient", _PATIENT, text)
    return made


def _answer(thread: Exchange, text: str) -> None:
    _move(thread, "opened", _SECRETARY)
    _move(thread, "delivered", _SECRETARY)
    thread.answer_by = None
    said = _say(thread, "unit", _SECRETARY, text)
    pdf = documents.pdf("Ordonnance", "Un comprimé le matin.")
    stored = files.attach(
        documents.stored(pdf, "ordonnance.pdf").id,
        establishment_id=thread.establishment_id,
        staff_right="documents",
        patient_id=thread.patient_id,
    )
    session.add(ExchangeFile(message_id=said.id, establishment_id=thread.establishment_id, file_id=stored.id))
    session.flush()


def _move(thread: Exchange, to: str, author: str) -> None:
    change = states.move(thread, to, Actor("system", author))
    session.add(thread)
    session.flush()
    session.add(change)


def _say(thread: Exchange, sender: str, author: str, text: str) -> ExchangeMessage:
    said = ExchangeMessage(
        id=uuid4(),
        exchange_id=thread.id,
        establishment_id=thread.establishment_id,
        sender=sender,
        author_name=author,
        text=text,
        sent_at=thread.changed_at,
    )
    session.add(said)
    session.flush()
    return said
