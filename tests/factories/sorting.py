"""What agents who sort find in a demonstration: letters beside their patients, a misfiled one, refused files."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from auth.models import PatientRecord
from portal import db
from portal.db import session
from services.documents import actions, jobs
from services.documents.models import Document
from tests.factories import documents

if TYPE_CHECKING:
    from tests.factories.demonstration import World


def demonstrate(world: "World") -> None:
    """Letters that a person must sort, one that was on a wrong shelf, and files refused at the door."""
    here = world.north.establishment
    suzanne, dominique = world.patients["suzanne"], world.patients["dominique"]
    ipp = session.scalar(
        select(PatientRecord.ipp).where(
            PatientRecord.patient_id == suzanne.id, PatientRecord.establishment_id == here.id
        )
    )
    about = replace(documents.traits(suzanne), ins="", ins_oid="", ipp=ipp or "", ipp_oid="1.2.250.1.999")
    for days, title in ((6, "Compte rendu de coronarographie"), (3, "Lettre de liaison"), (0, "Bilan de surveillance")):
        letter = documents.received(here, documents.letter(about, title=title))
        session.execute(
            update(Document).where(Document.id == letter.id).values(received_at=db.now() - timedelta(days=days))
        )
    _misfiled(world, documents.received(here, documents.letter(about, title="Ordonnance de sortie")), dominique.id)
    for name, data in (
        ("20261112_CR_consultation.pdf", documents.pdf("Compte rendu de consultation")),
        ("IHE_XDM.zip", b"PK\x03\x04 cut on its way"),
        ("courrier_avec_un_nom_de_fichier_vraiment_tres_long_pour_une_colonne.xml", b"<?xml version='1.0'?><a/>"),
    ):  # fmt: skip
        jobs.take_in_file(here.id, "command", name, data, production=False)


def _misfiled(world: "World", letter: Document, patient_id: object) -> None:
    actions.filing.give(letter, patient_id, "identity_checked")  # type: ignore[arg-type]  # a key of the world
    actions.take_back(letter, "wrong_patient")
