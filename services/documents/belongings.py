"""Letters that follow a patient's link to the hospital's number, and come back when it was wrong."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from auth.models import Patient
from portal.db import session
from portal.files import StoredFile
from services.documents.actions import filing
from services.documents.matching import Code, plain
from services.documents.models import Document


def adopt(move: Move) -> Rows:
    """The letters on their shelf, and those of the tray that bear their number and their traits."""
    moved = _give(move, _on_shelf(move))
    found = _of_tray(move)
    for document in found:
        filing.give(document, move.to_id, "ipp_linked")
    return {"document": [*moved, *(document.id for document in found)]}


def release(move: Move, moved: Rows) -> None:
    """Those that moved, and whatever the hospital has filed for them since: its letters are about its own patient."""
    came_since = Document.filed_at >= move.since
    _give(move, _on_shelf(move) & or_(Document.id.in_(moved.get("document", ())), came_since))


def _on_shelf(move: Move) -> ColumnElement[bool]:
    return (Document.establishment_id == move.establishment_id) & (Document.patient_id == move.from_id)


def _give(move: Move, which: ColumnElement[bool]) -> Sequence[UUID]:
    """One statement for the letters, one for their files: whoever had them has nothing left to open."""
    rows = session.execute(
        update(Document)
        .where(which)
        .values(patient_id=move.to_id)
        .returning(Document.id, Document.file_id, Document.content_id),
        execution_options={"synchronize_session": False},
    ).all()
    files = [file_id for row in rows for file_id in (row.file_id, row.content_id) if file_id]
    session.execute(
        # A document that its sender hides from the patient has files that are nobody's to open.
        update(StoredFile)
        .where(StoredFile.id.in_(files), StoredFile.patient_id == move.from_id)
        .values(patient_id=move.to_id),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return [row.id for row in rows]


def _of_tray(move: Move) -> Sequence[Document]:
    """Letters nobody was found for, with this number and exactly the person's traits (RNIV: never guessed)."""
    known = session.get_one(Patient, move.from_id)
    waiting = session.scalars(
        select(Document).where(
            Document.establishment_id == move.establishment_id,
            Document.state == "tray",
            Document.ipp == move.ipp,
            Document.ipp != "",
            Document.confidentiality == "N",
            Document.code.in_((Code.UNKNOWN_PATIENT, Code.NO_INS)),
            Document.birth_on == known.birth_on,
        )
    )
    return [
        document
        for document in waiting
        if plain(document.birth_name) == plain(known.birth_name)
        and plain(document.first_name) == plain(known.first_name)
        and document.sex == known.sex
    ]


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("documents", adopt, release))
