"""Boxes of the demonstration's hospitals, mails that left from them and mails that came."""

from dataclasses import replace
from email.message import EmailMessage
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db
from portal.db import session
from portal.establishments import Unit
from portal.gateways.mssante import Place
from portal.gateways.mssante.twin.addresses import HOSPITAL_BOXES
from services.documents import mss
from services.documents.actions import storing
from services.documents.exchanges import states as thread_states
from services.documents.exchanges.actions import threads
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.documents.mailboxes import actions, outgoing, polling, states
from services.documents.mailboxes.actions import BoxDraft, receiving, sending
from services.documents.mailboxes.actions.reading import Turn
from services.documents.mailboxes.actions.receiving import Came
from services.documents.mailboxes.models import Mailbox, Transmission
from tests.factories import documents

if TYPE_CHECKING:
    from tests.factories.demonstration import World

_SENT = (
    ("adam.hoda@medecin.mssante.fr", "Dr Adam HODA", "Suivi après cataracte", ("accepted", "delivered", "read"), ""),
    ("solene.abrial@infirmier.mssante.fr", "Mme Solène ABRIAL", "Soins après intervention", ("accepted",), ""),
    ("ancien.cabinet@medecin.mssante.fr", "Cabinet des Tilleuls", "Compte rendu de consultation", ("refused",),
     "mailbox_closed"),
)  # fmt: skip


def demonstrate(world: "World") -> None:
    """Every box that the twin holds for the two hospitals; mails read, accepted, refused, received, put aside."""
    boxes = _open_boxes(world)
    eyes = session.scalars(select(Unit).where(Unit.uf == "1204")).one()
    box = boxes["ophtalmologie@ch-arceau.mssante.fr"]
    for address, name, subject, steps, reason in _SENT:
        sent = _write(eyes, box, address, name, subject)
        for step in steps:
            session.add(states.move(sent, step, "550 5.2.1" if reason else "", reason if step == "refused" else ""))
        sent.tries = 1
        session.flush()
    _receive(box)


def _write(unit: Unit, box: Mailbox, address: str, name: str, subject: str) -> Transmission:
    """What the unit's secretary wrote."""
    thread = Exchange(
        id=uuid4(), reference=threads.new_reference(), establishment_id=unit.establishment_id, unit_id=unit.id,
        mailbox_id=box.id, address=address, correspondent=name, subject=subject, state="", created_at=db.now(),
    )  # fmt: skip
    change = thread_states.move(
        thread, "delivered", replace(db.system("demonstration"), name="Secrétariat d’ophtalmologie")
    )
    session.add(thread)
    session.flush()
    message = ExchangeMessage(
        id=uuid4(), exchange_id=thread.id, establishment_id=unit.establishment_id, sender="unit",
        author_name="Secrétariat d’ophtalmologie", text="Cher confrère,\n\nvoici les nouvelles de votre patient.",
        message_key=sending.new_key(box.address.rpartition("@")[2]), receipt_wanted=True, sent_at=db.now(),
    )  # fmt: skip
    session.add_all((change, message))
    session.flush()
    planned = outgoing.plan(thread, message)
    assert planned is not None, "the thread has a box and an address"
    return planned


def _open_boxes(world: "World") -> dict[str, Mailbox]:
    opened = {}
    for each in HOSPITAL_BOXES:
        hospital = next(
            made.establishment for made in (world.north, world.south) if made.establishment.finess == each.finess
        )
        rpps = world.professionals["nevelet"].rpps if each.kind == "PER" else ""
        draft = BoxDraft(each.address, str(each.kind), each.label, each.unit, rpps)
        opened[each.address] = actions.add_box(hospital, draft)
    return opened


def _receive(box: Mailbox) -> None:
    """A question with a letter, and a mail that nobody can read."""
    turn = Turn(box.id, box.establishment_id, box.address, box.unit_id, uuid4(), Place())
    raw = _question(box.address)
    mail = mss.read_mail(raw)
    carried = polling.prepare(box.establishment_id, mail, production=False)
    receiving.take_in(turn, Came(mail.message_id, len(raw), _kept(raw), mail), carried)
    broken = b"\x00\xff" * 400
    receiving.put_aside(turn, Came("<illisible@unreadable.invalid>", len(broken), _kept(broken)), "not_a_mail")


def _kept(raw: bytes) -> UUID:
    return storing.set_aside(raw, "courriel.eml").id


def _question(address: str) -> bytes:
    made = EmailMessage()
    made["From"], made["To"] = "Dre Lise GARANCE <lise.garance@medecin.mssante.fr>", address
    made["Subject"], made["Message-ID"] = "Avis avant intervention", f"<{uuid4().hex}@medecin.mssante.fr>"
    made["Disposition-Notification-To"] = "lise.garance@medecin.mssante.fr"
    made.set_content("Chers confrères,\n\npouvez-vous me donner votre avis sur le courrier joint ?\n\nBien à vous.")
    letter = documents.pdf("Courrier du Dre Garance")
    made.add_attachment(letter, maintype="application", subtype="pdf", filename="courrier.pdf")
    return made.as_bytes()
