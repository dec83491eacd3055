"""What is read for a page: always for a given patient, practitioner or set of hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import joinedload

from auth.models import Patient, PatientRecord
from portal.db import session
from services.documents.exchanges.models import Exchange
from services.documents.matching import plain
from services.documents.models import (
    Document,
    DocumentArrival,
    DocumentChange,
)

PAGE: int = 30
_TRAY_LIMIT = 200
SERVICE = "documents"


# -- a patient's letter --------------------------------------------------------------------------------------------


def one_of_patient(patient_id: UUID, document_id: UUID) -> Document | None:
    """A document on this patient's shelf, or a version that was replaced."""
    return session.scalar(
        _whole().where(
            Document.id == document_id, Document.patient_id == patient_id, Document.state.in_(("filed", "superseded"))
        )
    )


def replaced_by(document: Document) -> Sequence[Document]:
    """The versions that this one replaced, latest first."""
    return session.scalars(
        select(Document)
        .options(joinedload(Document.establishment))
        .where(
            Document.superseded_by_id == document.id,
            Document.patient_id == document.patient_id,
        )
        .order_by(Document.version.desc())
    ).all()


def _whole() -> Select[Document]:
    return select(Document).options(
        joinedload(Document.establishment),
        joinedload(Document.file),
        joinedload(Document.content),
        joinedload(Document.patient),
    )


# -- the staff's tray ----------------------------------------------------------------------------------------------


def documents_at(establishments: Collection[UUID], state: str) -> Sequence[Document]:
    """The hospitals' documents in a state: the oldest first in the tray, else the latest first."""
    order = Document.received_at if state == "tray" else Document.received_at.desc()
    return session.scalars(
        select(Document)
        .options(joinedload(Document.establishment), joinedload(Document.patient))
        .where(Document.establishment_id.in_(establishments), Document.state == state)
        .order_by(order)
        .limit(_TRAY_LIMIT)
    ).all()


def quarantined_at(establishments: Collection[UUID]) -> Sequence[DocumentArrival]:
    """What was put aside at the door, latest first."""
    return session.scalars(
        select(DocumentArrival)
        .options(joinedload(DocumentArrival.establishment))
        .where(
            DocumentArrival.establishment_id.in_(establishments),
            DocumentArrival.code != "",
        )
        .order_by(DocumentArrival.received_at.desc())
        .limit(_TRAY_LIMIT)
    ).all()


def counts_at(establishments: Collection[UUID]) -> dict[str, int]:
    """How much waits for the staff: `tray` and `received` (exchanges to open)."""
    parts = [
        select(literal("tray"), func.count())
        .select_from(Document)
        .where(Document.establishment_id.in_(establishments), Document.state == "tray"),
        select(literal("received"), func.count())
        .select_from(Exchange)
        .where(Exchange.establishment_id.in_(establishments), Exchange.state == "received"),
    ]
    return {str(name): int(count) for name, count in session.execute(union_all(*parts))}


def one_at(establishments: Collection[UUID], document_id: UUID) -> Document | None:
    """A document of these hospitals, whatever its state."""
    return session.scalar(_whole().where(Document.id == document_id, Document.establishment_id.in_(establishments)))


def changes_of(document: Document) -> Sequence[DocumentChange]:
    """What became of a document, latest first."""
    return session.scalars(
        select(DocumentChange)
        .where(
            DocumentChange.document_id == document.id,
            DocumentChange.establishment_id == document.establishment_id,
        )
        .order_by(DocumentChange.at.desc())
    ).all()


# -- patients that a hospital knows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Known:
    """A patient and the number under which the hospital knows them."""

    patient: Patient
    ipp: str


def patients_by_ipp(establishment_id: UUID, ipp: str) -> list[Known]:
    return _known(establishment_id, PatientRecord.ipp == ipp)


def patients_by_traits(establishment_id: UUID, name: str, birth_on: date) -> list[Known]:
    """Those born that day whose birth name or name of use it is; case and accents do not count."""
    born = _known(establishment_id, Patient.birth_on == birth_on)
    return [known for known in born if plain(name) in (plain(known.patient.birth_name), plain(known.patient.used_name))]


def patient_at(establishment_id: UUID, patient_id: UUID) -> Known | None:
    return next(iter(_known(establishment_id, Patient.id == patient_id)), None)


def _known(establishment_id: UUID, condition: ColumnElement[bool]) -> list[Known]:
    query = select(Patient, PatientRecord.ipp).join(PatientRecord, PatientRecord.patient_id == Patient.id)
    at_hospital = PatientRecord.establishment_id == establishment_id
    rows = session.execute(query.where(at_hospital, condition).order_by(Patient.birth_name).limit(20))
    return [Known(patient, ipp or "") for patient, ipp in rows]
