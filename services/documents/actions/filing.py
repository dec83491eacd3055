"""From the tray to a patient's shelf, and back; publishing a file; opening a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from auth import records
from auth.models import PatientRecord
from portal import audit, db, files, jobs, kpi
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile
from services.documents import states
from services.documents.matching import Doubt
from services.documents.models import RIGHT, Document, DocumentArrival, DocumentReading, ExchangeMessage
from services.documents.states import NotPossibleNow

_SOON: Final = timedelta(days=30)  # indicator D3: opened within 30 days


class PatientNotKnown(Exception):
    """The hospital has no record of this patient: nothing may be filed for them there."""


class AlreadyFiled(Exception):
    """This file of an exchange is already in a patient's documents."""


@dataclass(frozen=True)
class Publication:
    """A file that becomes a patient's document. type_code, type_label: JDV_J07."""

    patient_id: UUID
    title: str
    type_code: str
    type_label: str


# -- the steps that several actions share --------------------------------------------------------------------------


def keep_in_tray(document: Document, doubt: Doubt) -> None:
    """Write a new document into the staff's tray, with the reason why it is there."""
    change = states.move_document(document, "tray", db.current_actor(), reason=doubt.reason)
    document.code, document.reason = doubt.code, doubt.reason
    session.add(document)
    session.flush()
    session.add(change)


def give(document: Document, patient_id: UUID, reason: str = "") -> None:
    """Put a document on a patient's shelf: its files become theirs, the versions it replaces step back."""
    newer = _newer_than(document, patient_id)
    document.patient_id, document.filed_at = patient_id, db.now()
    change = states.move_document(document, "superseded" if newer else "filed", db.current_actor(), reason)
    document.superseded_by_id = newer.id if newer else None
    document.code = document.reason = ""
    session.add(document)
    session.flush()
    session.add(change)
    _give_files(document, patient_id)
    records.open_record(patient_id, document.establishment_id)
    if newer is None:
        _step_back(document)
        kpi.count("document_filed", establishment_id=document.establishment_id)
        jobs.enqueue("documents.tell_patient", document_id=str(document.id))


def versions_of(document: Document) -> Sequence[Document]:
    """The other versions of a document that are on a shelf, at the same hospital."""
    related = [Document.set_id == document.set_id, Document.replaces == document.unique_id]
    if document.replaces:
        related.append(Document.unique_id == document.replaces)
    return session.scalars(
        select(Document).where(
            Document.establishment_id == document.establishment_id,
            Document.id != document.id,
            or_(*related),
            Document.state.in_(("filed", "superseded")),
        )
    ).all()


def _newer_than(document: Document, patient_id: UUID) -> Document | None:
    """The version that already replaced this one: letters do not always arrive in their order."""
    newer = [
        other
        for other in versions_of(document)
        if other.patient_id == patient_id and other.state == "filed" and _replaces(other, document)
    ]
    return max(newer, key=lambda other: other.version, default=None)


def _step_back(document: Document) -> None:
    for other in versions_of(document):
        if other.patient_id == document.patient_id and other.state == "filed" and _replaces(document, other):
            session.add(states.move_document(other, "superseded", db.current_actor()))
            other.superseded_by_id = document.id


def _replaces(newer: Document, older: Document) -> bool:
    same_letter = newer.set_id == older.set_id and newer.version > older.version
    return same_letter or newer.replaces == older.unique_id


def _give_files(document: Document, patient_id: UUID | None) -> None:
    for file_id in filter(None, (document.file_id, document.content_id)):
        session.get_one(StoredFile, file_id).patient_id = patient_id


def _check_known(patient_id: UUID, establishment_id: UUID) -> None:
    if session.get(PatientRecord, (patient_id, establishment_id)) is None:
        raise PatientNotKnown


def _lock(document: Document) -> None:
    """Wait for an agent who is doing the same, and see what they did."""
    session.refresh(document, with_for_update={"of": Document, "key_share": True})


# -- the tray ------------------------------------------------------------------------------------------------------


def assign(document: Document, patient_id: UUID, reason: str) -> None:
    """An agent gives a document of the tray to a patient their hospital knows.

    Raises PatientNotKnown, NotPossibleNow.
    """
    _check_known(patient_id, document.establishment_id)
    _lock(document)
    if document.state != "tray":
        raise NotPossibleNow(document.state)
    give(document, patient_id, reason)
    audit.record(
        "document.assigned",
        patient_id=patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )


def discard(document: Document, reason: str) -> None:
    """An agent puts a document of the tray aside: it is for nobody here. Raises NotPossibleNow."""
    _lock(document)
    session.add(states.move_document(document, "discarded", db.current_actor(), reason))
    audit.record(
        "document.discarded",
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )


def take_back(document: Document, reason: str) -> None:
    """An agent takes a document off a patient's shelf, back to the tray: it was not theirs. Raises NotPossibleNow."""
    _lock(document)
    patient_id = document.patient_id
    session.add(states.move_document(document, "tray", db.current_actor(), reason))
    document.patient_id = document.filed_at = document.superseded_by_id = None
    document.reason = "taken_back"
    session.flush()
    _give_files(document, None)
    for other in session.scalars(select(Document).where(Document.superseded_by_id == document.id)).all():
        session.add(states.move_document(other, "filed", db.current_actor()))
        other.superseded_by_id = None
    audit.record(
        "document.taken_back",
        patient_id=patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )


# -- files without an envelope -------------------------------------------------------------------------------------


def publish(establishment: Establishment, file_id: UUID, publication: Publication) -> Document:
    """An agent sends a file of theirs to a patient their hospital knows. Raises PatientNotKnown, FileNotReadable."""
    _check_known(publication.patient_id, establishment.id)
    stored = files.attach(file_id, establishment_id=establishment.id, staff_right=RIGHT)
    document = _written(establishment.id, stored, publication, channel="staff")
    document.author_name, document.author_organization = db.current_actor().name, establishment.name
    give(document, publication.patient_id)
    audit.record(
        "document.published",
        patient_id=publication.patient_id,
        establishment_id=establishment.id,
        object_kind="document",
        object_id=document.id,
    )
    return document


def file_message(message: ExchangeMessage, author: str, publication: Publication, reason: str) -> Document:
    """An agent files what a practitioner sent in a patient's documents. Raises PatientNotKnown, AlreadyFiled."""
    _check_known(publication.patient_id, message.establishment_id)
    stored = session.get_one(StoredFile, message.file_id, with_for_update={"key_share": True})
    if session.scalar(select(Document.id).where(Document.message_id == message.id)):
        raise AlreadyFiled
    document = _written(message.establishment_id, stored, publication, channel="exchange")
    document.message_id, document.author_name = message.id, author
    give(document, publication.patient_id, reason)
    audit.record(
        "exchange.filed",
        patient_id=publication.patient_id,
        establishment_id=message.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )
    return document


def _written(establishment_id: UUID, stored: StoredFile, publication: Publication, channel: str) -> Document:
    arrival = DocumentArrival(
        id=uuid4(),
        establishment_id=establishment_id,
        channel=channel,
        name=stored.name,
        size=stored.size,
        sha256=stored.sha256,
        file_id=stored.id,
    )
    session.add(arrival)
    session.flush()
    own = uuid4()
    identifier = f"2.25.{own.int}"  # an OID made of a UUID (ITU-T X.667)
    return Document(
        id=own,
        establishment_id=establishment_id,
        arrival_id=arrival.id,
        file_id=stored.id,
        state=states.NEW,
        level="FILE",
        unique_id=identifier,
        set_id=identifier,
        version=1,
        replaces="",
        title=publication.title,
        type_code=publication.type_code,
        type_label=publication.type_label,
        authored_at=db.now(),
    )


# -- opening -------------------------------------------------------------------------------------------------------


def open_document(document: Document) -> None:
    """Somebody opens a document: the audit says who; for a patient it is read from now on, and counted once."""
    actor = db.current_actor()
    if actor.kind == "patient" and _mark_read(document):
        soon = document.filed_at is not None and db.now() - document.filed_at <= _SOON
        kpi.count(
            "document_opened",
            establishment_id=document.establishment_id,
            dimension="within_30_days" if soon else "later",
            account_id=actor.account_id,
        )
    audit.record(
        "document.opened",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
    )


def _mark_read(document: Document) -> bool:
    """Whether this is the account's first reading."""
    mark = insert(DocumentReading).values(
        document_id=document.id, account_id=db.current_actor().account_id, patient_id=document.patient_id
    )
    return session.scalar(mark.on_conflict_do_nothing().returning(DocumentReading.document_id)) is not None


def hand_over(document: Document, part: str) -> None:
    """Somebody takes the bytes of a document away. part: shown | original."""
    audit.record(
        "document.downloaded",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        part=part,
    )
