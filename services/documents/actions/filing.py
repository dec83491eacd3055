"""From the tray to a patient's shelf, and back; publishing a file; opening a document."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, or_, select
from sqlalchemy.dialects.postgresql import insert

from auth import acts, records
from auth.models import PatientRecord
from portal import audit, db, files, jobs, kpi
from portal.db import session
from portal.establishments import Establishment
from portal.files import StoredFile
from services.documents import states
from services.documents.actions import storing
from services.documents.matching import Doubt, is_masked
from services.documents.models import RIGHT, Document, DocumentArrival, DocumentReading, Misfiling
from services.documents.shelf import showing
from services.documents.states import NotPossibleNow

MISFILED: Final = "wrong_patient"
"""The reason of an agent that makes a document taken back a misfiled one."""
_SOON: Final = timedelta(days=30)  # indicator D3: opened within 30 days


class PatientNotKnown(Exception):
    """The hospital has no record of this patient: nothing may be filed for them there."""


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
    _read_later(document)


def give(document: Document, patient_id: UUID, reason: str = "", *, others: Sequence[Document] | None = None) -> None:
    """Put a document on a patient's shelf: its files become theirs, the versions it replaces step back.

    One that its sender hides from the patient is theirs, and neither its file nor a mail reaches them.
    others: its other versions, when they were read already.
    """
    others = relatives_of(document) if others is None else others
    others = [other for other in others if other.patient_id == patient_id and other.state == "filed"]
    newer = max(
        (other for other in others if _replaces(other, document)), key=lambda other: other.version, default=None
    )
    document.patient_id, document.filed_at = patient_id, db.now()
    change = states.move_document(document, "superseded" if newer else "filed", db.current_actor(), reason)
    document.superseded_by_id = newer.id if newer else None
    document.code = document.reason = ""
    showing.settle(document)
    session.add(document)
    session.flush()
    session.add(change)
    hidden = document.is_hidden_from_patient
    _give_files(document, None if hidden else patient_id)
    records.open_record(patient_id, document.establishment_id)
    _read_later(document)
    if newer is None:
        _step_back(document, others)
    if newer is None and not hidden:
        kpi.count("document_filed", establishment_id=document.establishment_id)
        jobs.enqueue("documents.tell_patient", document_id=str(document.id))


def _read_later(document: Document) -> None:
    """Its words, its results and its copy are made by a job."""
    if document.content_read_at is None:
        jobs.enqueue("documents.read_content", document_id=str(document.id))


def versions_of(document: Document) -> Sequence[Document]:
    """The other versions of a document that are on a shelf, at the same hospital."""
    return [other for other in relatives_of(document) if other.state != "withdrawn"]


def relatives_of(document: Document) -> Sequence[Document]:
    """The other versions of a document that are on a shelf or were withdrawn, at the same hospital."""
    related = [Document.set_id == document.set_id, Document.replaces == document.unique_id]
    if document.replaces:
        related.append(Document.unique_id == document.replaces)
    return session.scalars(
        select(Document).where(
            Document.establishment_id == document.establishment_id,
            Document.id != document.id,
            or_(*related),
            Document.state.in_(("filed", "superseded", "withdrawn")),
        )
    ).all()


def _step_back(document: Document, others: Sequence[Document]) -> None:
    for other in others:
        if _replaces(document, other):
            session.add(states.move_document(other, "superseded", db.current_actor()))
            other.superseded_by_id = document.id
            document.visible_at = other.visible_at  # a correction is shown when what it corrects was to be


def _replaces(newer: Document, older: Document) -> bool:
    same_letter = newer.set_id == older.set_id and newer.version > older.version
    return same_letter or newer.replaces == older.unique_id


def _give_files(document: Document, patient_id: UUID | None) -> None:
    storing.give_all([each for each in (document.file_id, document.content_id) if each], patient_id)


def check_known(patient_id: UUID, establishment_id: UUID) -> None:
    """Raises PatientNotKnown."""
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
    check_known(patient_id, document.establishment_id)
    _lock(document)
    if document.state != "tray":
        raise NotPossibleNow(document.state)
    give(document, patient_id, reason)
    if session.scalar(select(exists().where(Misfiling.document_id == document.id))):
        # In the journal of the right person too: somebody else may have read it.
        audit.record(
            "document.put_right",
            patient_id=patient_id,
            establishment_id=document.establishment_id,
            object_kind="document",
            object_id=document.id,
        )
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
    """An agent takes a document off a patient's shelf, back to the tray: it was not theirs. Raises NotPossibleNow.

    Given to the wrong person, the hospital is told who opened it meanwhile, and whoever did that it is gone.
    """
    _lock(document)
    patient_id, given_at, newer_id = document.patient_id, document.filed_at, document.superseded_by_id
    session.add(states.move_document(document, "tray", db.current_actor(), reason))
    document.patient_id = document.filed_at = document.superseded_by_id = None
    document.reason = "taken_back"
    session.flush()
    _give_files(document, None)
    _come_back(document, newer_id)
    if reason == MISFILED and patient_id is not None:
        _write_misfiling(document, patient_id, given_at or document.received_at)
    audit.record(
        "document.taken_back",
        patient_id=patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )


def _come_back(document: Document, newer_id: UUID | None) -> None:
    """The versions that it replaced are read again, unless a later one stands. What was withdrawn stays so."""
    stepped_back = (Document.superseded_by_id == document.id, Document.state == "superseded")
    for other in session.scalars(select(Document).where(*stepped_back)).all():
        if newer_id is None:
            session.add(states.move_document(other, "filed", db.current_actor()))
        other.superseded_by_id = newer_id


def _write_misfiling(document: Document, patient_id: UUID, given_at: datetime) -> None:
    actor = db.current_actor()
    misfiling = Misfiling(
        id=uuid4(),
        document_id=document.id,
        establishment_id=document.establishment_id,
        patient_id=patient_id,
        reason=MISFILED,
        given_at=given_at,
        actor=actor.label,
        actor_name=actor.name,
    )
    session.add(misfiling)
    session.flush()
    jobs.enqueue("documents.trace_misfiling", misfiling_id=str(misfiling.id))


def withdraw(document: Document, reason: str) -> None:
    """Its sender takes a document back, wherever it is: nobody opens it any more, whoever had it sees that it existed.

    Raises NotPossibleNow.
    """
    _lock(document)
    session.add(states.move_document(document, "withdrawn", db.current_actor(), reason))
    document.code, document.reason = "", reason
    session.flush()
    _give_files(document, None)
    audit.record(
        "document.withdrawn",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        reason=reason,
    )


def change_visibility(document: Document, visibility: Sequence[str]) -> None:
    """Its sender hides it from somebody, or no longer does: the patient opens it, or not, from now on."""
    _lock(document)
    was_hidden = document.is_hidden_from_patient
    document.visibility, document.masked = list(visibility), is_masked(visibility)
    session.flush()
    if document.patient_id and document.state in ("filed", "superseded"):
        _give_files(document, None if document.is_hidden_from_patient else document.patient_id)
    if was_hidden and not document.is_hidden_from_patient and document.state == "filed":
        jobs.enqueue("documents.tell_patient", document_id=str(document.id))
    audit.record(
        "document.visibility_changed",
        patient_id=document.patient_id,
        establishment_id=document.establishment_id,
        object_kind="document",
        object_id=document.id,
        visibility=",".join(sorted(visibility)),
    )


# -- files without an envelope -------------------------------------------------------------------------------------


def publish(establishment: Establishment, file_id: UUID, publication: Publication) -> Document:
    """An agent sends a file of theirs to a patient their hospital knows. Raises PatientNotKnown, FileNotReadable."""
    check_known(publication.patient_id, establishment.id)
    stored = files.attach(file_id, establishment_id=establishment.id, staff_right=RIGHT)
    document = written(establishment.id, stored, publication, channel="staff")
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


def written(establishment_id: UUID, stored: StoredFile, publication: Publication, channel: str) -> Document:
    """A new document made of a file alone: not added yet, on nobody's shelf."""
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
        acts.count("documents", document.establishment_id, document.patient_id)
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
