"""Fictional shelves: rules of types, documents with a delay, withdrawn ones, deposits in each of their states."""

import io
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from PIL import Image

from auth.models import Account, Patient, PatientRecord
from portal import db, files
from portal.db import Actor, session
from portal.establishments import Establishment, Unit
from services.documents import actions as room
from services.documents.actions import Publication
from services.documents.deposits import actions, queries
from services.documents.deposits.actions import Wish
from services.documents.deposits.models import Deposit
from services.documents.models import Document
from services.documents.shelf import actions as shelf
from services.documents.shelf.actions import TypeRules
from services.documents.shelf.models import DocumentType
from tests.factories import documents, people

_LABELS = {
    "11490-0": "Lettre de liaison à la sortie",
    "11526-1": "CR d’anatomie et de cytologie pathologiques",
    "34112-3": "CR hospitalier",
    "57833-6": "Prescription de médicaments",
}

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def rules(**changes: Any) -> TypeRules:
    """Shown at once, reminded after fifteen days, never on paper, unless said otherwise."""
    usual: dict[str, Any] = {
        "label": "",
        "kind": "letter",
        "delay": "none",
        "delay_days": 0,
        "remind_days": 15,
        "paper_days": None,
        "notifies": True,
    }
    return TypeRules(**usual | changes)


def document_type(hospital: Establishment, type_code: str = "11502-2", **changes: Any) -> DocumentType:
    return shelf.change_type(hospital.id, type_code, rules(**changes))


def published(hospital: Establishment, patient: Patient, title: str = "Lettre", code: str = "11490-0") -> Document:
    """A document that the current actor sends to a patient, a PDF with its title."""
    stored = documents.stored(documents.pdf(title))
    document = room.publish(hospital, stored.id, Publication(patient.id, title, code, _LABELS.get(code, "")))
    document.author_name = "Secrétariat médical"
    return document


def photo(colour: tuple[int, int, int] = (240, 240, 230)) -> bytes:
    """A photograph of a sheet, as a telephone sends it."""
    out = io.BytesIO()
    Image.new("RGB", (600, 800), colour).save(out, "JPEG")
    return out.getvalue()


def begun(hospital: Establishment, patient: Patient, unit: Unit | None = None, title: str = "Ordonnance") -> Deposit:
    return actions.begin(patient.id, hospital.id, unit, Wish("prescription", title, "Pour ma consultation."))


def sent(deposit: Deposit, data: bytes | None = None) -> Deposit:
    """The same, with one page, seen by the hospital."""
    found = queries.one_of_patient(deposit.patient_id, deposit.id)
    assert found is not None
    stored = files.receive(files.from_bytes([data or photo()]), "page.jpg", kinds=files.PHOTOGRAPHED)
    actions.put_pages(found, [stored.id])
    actions.send(found)
    return deposit


def asked(
    patient: Patient, unit: Unit, title: str = "Résultat de prise de sang", due_on: date | None = None
) -> Deposit:
    return actions.ask(patient.id, unit, Wish("result", title, "Celle de moins de trois mois.", due_on))


def as_proxy(account: Account, patient: Patient) -> Actor:
    """Somebody who acts for a patient in medical matters."""
    reached = frozenset({patient.id})
    return Actor(
        "patient", "Proche", account.id, patients=reached, proxied=reached, scopes={"medical": reached}
    )  # fmt: skip


def many(hospital: Establishment, patient: Patient, count: int) -> None:
    """A shelf of that many documents over ten years: one file, copies of one row."""
    first = published(hospital, patient, "Compte rendu 0")
    session.flush()
    values = {column.name: getattr(first, column.name) for column in Document.__table__.columns}
    kinds = ("letter", "prescription", "result", "imaging", "certificate")
    rows = [
        values
        | {
            "id": UUID(int=first.id.int ^ (number << 32)),
            "unique_id": f"{first.unique_id}.{number}",
            "set_id": f"{first.unique_id}.{number}",
            "title": f"Compte rendu {number}",
            "kind": kinds[number % 5],
            "authored_at": db.now() - timedelta(days=2 * number),
        }
        for number in range(1, count)
    ]
    session.execute(Document.__table__.insert(), rows)


# -- the demonstration ---------------------------------------------------------------------------------------------


def demonstrate(world: "World") -> None:
    """For Dominique, one of everything; for an agent of the north, something to do on each screen."""
    north, dominique = world.north, world.patients["dominique"]
    if session.get(PatientRecord, (dominique.id, north.establishment.id)) is None:
        people.known_at(dominique, north.establishment.id, "0012345")
    document_type(north.establishment, "11526-1", label="Résultat d’anatomopathologie", kind="result",
                  delay="consultation", remind_days=10, paper_days=30)  # fmt: skip
    document_type(north.establishment, "11490-0", kind="letter", remind_days=7, paper_days=21)
    published(north.establishment, dominique, "Résultat d’anatomopathologie", "11526-1")
    old = published(north.establishment, dominique, "Lettre de sortie de chirurgie", "11490-0")
    old.visible_at = old.told_at = old.reminded_at = old.authored_at = db.now() - timedelta(days=40)
    gone = published(north.establishment, dominique, "Compte rendu opératoire", "34112-3")
    room.withdraw(gone, "sender_withdrew")
    asked(dominique, north.unit, due_on=(db.now() + timedelta(days=12)).date())
    sent(begun(north.establishment, dominique, north.unit, "Ordonnance de mon médecin traitant"))
    taken = sent(begun(north.establishment, dominique, north.unit, "Lettre du docteur Martin"))
    actions.accept(_found(taken))
    again = sent(begun(north.establishment, dominique, None, "Compte rendu d’échographie"))
    actions.refuse(_found(again), "unreadable", "La deuxième page est floue.")


def _found(deposit: Deposit) -> Any:
    found = queries.one_of_patient(deposit.patient_id, deposit.id)
    assert found is not None
    return found
