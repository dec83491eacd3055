"""What a hospital receives: letters go to their patient or to the tray, the rest to quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.orm import joinedload

from auth.enrolment.models import Link
from auth.models import Patient
from portal import audit, establishments, files, kpi
from portal.db import session
from portal.files import StoredFile
from services.documents import matching, states
from services.documents.actions import filing, storing
from services.documents.cda import Header
from services.documents.matching import Code, Doubt
from services.documents.models import RIGHT, ArrivalDecision, Document, DocumentArrival
from services.documents.parcels import Letter

# Files the portal keeps apart from their envelope; text is shown in the page, the others (RTF, TIFF) need a person.
_SHOWN_TYPES: Final = frozenset({"application/pdf", "image/jpeg", "text/plain"})
_BY_MAIL: Final = "mssante"
AUTO_FILE: Final = "documents_auto_file"
"""A hospital's setting: `no` when its agents file every letter by hand; `yes` when nothing is said."""


@dataclass(frozen=True)
class Came:
    """A parcel at the door. channel, message_id: as in `DocumentArrival`."""

    establishment_id: UUID
    channel: str
    name: str
    size: int
    sha256: bytes
    message_id: UUID | None = None


@dataclass(frozen=True)
class Kept:
    """A letter whose bytes are stored, with their SHA-256. content_id: the file of its envelope."""

    letter: Letter
    file_id: UUID
    content_id: UUID | None
    sha256: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of one letter: filed | tray | quarantined | duplicate, with the national code and our reason."""

    outcome: str
    code: str = ""
    reason: str = ""
    document_id: UUID | None = None


def quarantine(came: Came, reason: str, file_id: UUID | None = None) -> Outcome:
    """Put a parcel aside, sealed: nobody opens it. file_id: its bytes, when they may be kept.

    The same bytes refused again for the same reason are not put aside twice: systems send until they are answered yes.
    """
    if not _waits_already(came, reason):
        if file_id:
            stored = files.attach(file_id, establishment_id=came.establishment_id, staff_right=RIGHT)
            stored.state = "set_aside"
        _write_arrival(came, file_id, Doubt(Code.OTHER, reason))
        _count(came, "quarantined")
    return Outcome("quarantined", Code.OTHER, reason)


def _waits_already(came: Came, reason: str) -> bool:
    same = (
        DocumentArrival.establishment_id == came.establishment_id,
        DocumentArrival.sha256 == came.sha256,
        DocumentArrival.reason == reason,
    )
    decided = exists().where(ArrivalDecision.arrival_id == DocumentArrival.id)
    return bool(session.scalar(select(exists().where(*same, ~decided))))


def receive(came: Came, file_id: UUID, kept: Sequence[Kept]) -> list[Outcome]:
    """File each letter of a parcel with its patient when there is no doubt at all, else put it in the staff's tray.

    file_id: the parcel's own bytes. A letter that is already here is told as a duplicate; when other bytes bear its
    identifier, a person looks at both.
    """
    known = _already_here(came.establishment_id, [each.letter.header.unique_id for each in kept])
    same = {each.file_id: _the_same(known.get(each.letter.header.unique_id), each) for each in kept}
    is_new = any(document is None for document in same.values())
    if is_new:
        new = [each for each in kept if same[each.file_id] is None]
        theirs = {file_id, *(found for each in new for found in (each.file_id, each.content_id) if found)}
        storing.attach_all(theirs, came.establishment_id)
    arrival = _write_arrival(came, file_id if is_new else None)
    outcomes = []
    for each in kept:
        if (document := same[each.file_id]) is not None:
            _count(came, "duplicate")
            outcomes.append(Outcome("duplicate", document_id=document.id))
        else:
            outcomes.append(_receive_one(came, arrival, each, known.get(each.letter.header.unique_id)))
    return outcomes


def _the_same(known: Document | None, kept: Kept) -> Document | None:
    """The letter that was taken in before, byte for byte."""
    if known is None:
        return None
    if known.file.sha256 == kept.sha256:
        return known
    again = (
        select(Document)
        .join(Document.file)
        .where(
            Document.establishment_id == known.establishment_id,
            Document.set_id == kept.letter.header.set_id,
            StoredFile.sha256 == kept.sha256,
        )
    )
    return session.scalars(again.limit(1)).first()


def _receive_one(came: Came, arrival: DocumentArrival, kept: Kept, known: Document | None) -> Outcome:
    """known: another letter that bears its identifier."""
    document = _write(arrival, kept)
    found: Patient | Doubt
    others: Sequence[Document] = ()
    if known is None:
        others = filing.relatives_of(document)
        found = _destination(came, document, kept.letter, others)
    else:
        # One identifier is one letter (IHE XDS uniqueId); which of the two is meant, only their sender knows.
        document.unique_id, document.replaces = f"2.25.{document.id.int}", ""
        found = Doubt(Code.OTHER, "same_identifier")
    if isinstance(found, Doubt):
        filing.keep_in_tray(document, found)
    else:
        filing.give(document, found.id, others=others)
    audit.record(
        "document.received",
        patient_id=document.patient_id,
        establishment_id=came.establishment_id,
        object_kind="document",
        object_id=document.id,
        channel=came.channel,
        code=document.code,
    )
    outcome = "tray" if document.state == "tray" else "filed"
    _count(came, outcome)
    return Outcome(outcome, document.code, document.reason, document.id)


def _destination(came: Came, document: Document, letter: Letter, others: Sequence[Document]) -> Patient | Doubt:
    """To whom the letter goes, or why a person must decide."""
    header = letter.header
    if doubt := matching.doubt_about_header(header):
        return doubt
    with_ins = _with_ins(header)
    found = matching.choose(header.patient, with_ins, namesake=not with_ins and _has_namesake(header))
    if isinstance(found, Doubt):
        return found
    if letter.content and letter.content[0] not in _SHOWN_TYPES:
        return Doubt(Code.OTHER, "content_type")
    if letter.said.doubt:
        return Doubt(Code.OTHER, letter.said.doubt)
    if doubt := _doubt_about_versions(came, document, found, others):
        return doubt
    if establishments.setting(document.establishment_id, AUTO_FILE, "yes") != "yes":
        return Doubt(Code.OTHER, "by_hand")
    return found


def _doubt_about_versions(came: Came, document: Document, found: Patient, others: Sequence[Document]) -> Doubt | None:
    """Whether it would take the place of a letter that is not its sender's, or not of this patient."""
    if any(other.patient_id != found.id for other in others if other.patient_id):
        return Doubt(Code.NOT_ALLOWED_TO_REPLACE, "replaces_another_patient")
    if any(not matching.same_origin(_origin(document), _origin(other)) for other in others) or _is_forged(came, others):
        return Doubt(Code.NOT_ALLOWED_TO_REPLACE, "replaces_another_organization")
    if any(other.state == "withdrawn" and other.version >= document.version for other in others):
        return Doubt(Code.OTHER, "older_than_withdrawn")
    return None


def _is_forged(came: Came, others: Sequence[Document]) -> bool:
    """Whether a mail would take the place of what came otherwise: whoever received a letter knows its identifiers and
    its keeper, and may write them into another."""
    return came.channel == _BY_MAIL and any(other.arrival.channel != _BY_MAIL for other in others)


def _origin(document: Document) -> matching.Origin:
    return matching.Origin(document.custodian_id, document.author_organization)


def _with_ins(header: Header) -> Sequence[Patient]:
    """Who bears this identity; not a hospital's own description that is kept aside while a link holds."""
    patient = header.patient
    aside = exists().where(Link.record_patient_id == Patient.id, Link.undone_at.is_(None))
    bears = (Patient.ins == patient.ins) & (Patient.ins_oid == patient.ins_oid)
    return session.scalars(select(Patient).where(bears, ~aside)).all()


def _has_namesake(header: Header) -> bool:
    born = session.scalars(select(Patient).where(Patient.birth_on == header.patient.birth_on))
    return any(matching.has_traits(patient, header.patient) for patient in born)


def _already_here(establishment_id: UUID, unique_ids: list[str]) -> dict[str, Document]:
    """The letters of this hospital with these identifiers; two receptions of one letter wait for each other."""
    for unique_id in sorted(unique_ids):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{establishment_id}{unique_id}", 0))))
    found = session.scalars(
        select(Document)
        .where(Document.establishment_id == establishment_id, Document.unique_id.in_(unique_ids))
        .options(joinedload(Document.file))
    )
    return {document.unique_id: document for document in found}


def _write_arrival(came: Came, file_id: UUID | None, doubt: Doubt | None = None) -> DocumentArrival:
    arrival = DocumentArrival(
        id=uuid4(),
        establishment_id=came.establishment_id,
        channel=came.channel,
        name=came.name,
        size=came.size,
        sha256=came.sha256,
        file_id=file_id,
        message_id=came.message_id,
        code=doubt.code if doubt else "",
        reason=doubt.reason if doubt else "",
    )
    session.add(arrival)
    session.flush()
    audit.record(
        "parcel.quarantined" if doubt else "parcel.received",
        establishment_id=came.establishment_id,
        object_kind="parcel",
        object_id=arrival.id,
        channel=came.channel,
        reason=arrival.reason,
    )
    return arrival


def _write(arrival: DocumentArrival, kept: Kept) -> Document:
    header = kept.letter.header
    author, patient = header.author, header.patient
    return Document(
        id=uuid4(),
        establishment_id=arrival.establishment_id,
        arrival_id=arrival.id,
        file_id=kept.file_id,
        content_id=kept.content_id,
        state=states.NEW,
        level=header.level,
        unique_id=header.unique_id,
        set_id=header.set_id,
        version=header.version,
        replaces=header.replaces or kept.letter.said.replaces,
        type_code=header.type_code,
        type_label=header.type_label,
        title=header.title or header.type_label,
        authored_at=header.created_at,
        confidentiality=header.confidentiality,
        author_name=f"{author.given} {author.family}".strip(),
        author_speciality=author.speciality_label,
        author_organization=author.organization or header.custodian.name,
        birth_name=patient.birth_name,
        first_name=patient.first_name,
        birth_on=patient.birth_on,
        sex=patient.sex,
        ins=patient.ins,
        ins_oid=patient.ins_oid,
        ipp=patient.ipp,
        custodian_id=header.custodian.id,
        visibility=list(kept.letter.said.visibility),
        wishes=list(kept.letter.said.wishes),
        masked=matching.is_masked(kept.letter.said.visibility),
        superseded_by_id=None,
        patient_id=None,
    )


def _count(came: Came, outcome: str) -> None:
    kpi.count("document_received", establishment_id=came.establishment_id, channel=came.channel, dimension=outcome)
