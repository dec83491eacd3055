"""What a hospital decides about showing documents: by type, and for one document."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import update

from portal import audit, db, jobs
from portal.db import session
from services.documents.models import Document
from services.documents.shelf import queries
from services.documents.shelf.kinds import kind_of
from services.documents.shelf.models import DocumentType
from services.documents.states import NotPossibleNow


@dataclass(frozen=True)
class TypeRules:
    """What an agent typed about a type: see `DocumentType`."""

    label: str
    kind: str
    delay: str
    delay_days: int
    remind_days: int | None
    paper_days: int | None
    notifies: bool


def change_type(establishment_id: UUID, type_code: str, rules: TypeRules) -> DocumentType:
    """Decide how documents of a type are shown from now on; type_code "": all that have no row of their own.

    Documents that were given already keep their moment; their kind follows, so that the filters find them.
    """
    row = queries.type_at(establishment_id, type_code)
    if row is None:
        row = DocumentType(id=uuid4(), establishment_id=establishment_id, type_code=type_code, kind=rules.kind)
        session.add(row)
    for name, value in vars(rules).items():
        setattr(row, name, value)
    session.flush()
    if type_code:
        _rename_kind(establishment_id, type_code, rules.kind)
    _record("document_type.changed", row)
    return row


def forget_type(row: DocumentType) -> None:
    """Treat documents of this type as the others again."""
    _record("document_type.removed", row)
    if row.type_code:
        _rename_kind(row.establishment_id, row.type_code, kind_of(row.type_code))
    session.delete(row)
    session.flush()


def release(document: Document) -> None:
    """An agent shows a document to its patient now: the doctor has told them. Raises NotPossibleNow."""
    session.refresh(document, with_for_update={"of": Document, "key_share": True})
    if document.state != "filed" or (document.visible_at is not None and document.visible_at <= db.now()):
        raise NotPossibleNow(document.state)
    document.visible_at = db.now()
    session.flush()
    jobs.enqueue("documents.tell_patient", document_id=str(document.id))
    audit.record(
        "document.released",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
    )


def _rename_kind(establishment_id: UUID, type_code: str, kind: str) -> None:
    session.execute(
        update(Document)
        .where(Document.establishment_id == establishment_id, Document.type_code == type_code, Document.kind != kind)
        .values(kind=kind),
        execution_options={"synchronize_session": False},
    )


def _record(event: str, row: DocumentType) -> None:
    audit.record(
        event,
        establishment_id=row.establishment_id,
        object_kind="document_type",
        object_id=row.id,
        type=row.type_code,
        delay=row.delay,
        days=str(row.delay_days),
    )
