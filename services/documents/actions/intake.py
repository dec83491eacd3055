"""What a hospital receives: letters go to their patient or to the tray, the rest to quarantine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select

from auth.enrolment.models import Link
from auth.models import Patient
from portal import audit, files, kpi
from portal.db import session
from portal.files import StoredFile
from services.documents import matching, states
from services.documents.actions import filing
from services.documents.cda import Header
from services.documents.matching import Code, Doubt
from services.documents.models import RIGHT, Document, DocumentArrival
from services.documents.parcels import Letter

# Files the portal keeps apart from their envelope; text is shown in the page, the others (RTF, TIFF) need a person.
_SHOWN_TYPES: Final = frozenset({"application/pdf", "image/jpeg", "text/plain"})


@dataclass(frozen=True)
class Came:
    """A parcel at the door. channel: command | upload."""

    establishment_id: UUID
    channel: str
    name: str
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Kept:
    """A letter whose bytes are stored. content_id: the file of its envelope."""

    letter: Letter
    file_id: UUID
    content_id: UUID | None


@dataclass(frozen=True)
class Outcome:
    """What became of one letter: filed | tray | quarantined | duplicate, with the national code and our reason."""

    outcome: str
    code: str = ""
    reason: str = ""
    document_id: UUID | None = None


def quarantine(came: Came, reason: str, file_id: UUID | None = None) -> Outcome:
    """Put a parcel aside, where nobody opens it. file_id: its bytes, when they may be kept."""
    if file_id:
        files.attach(file_id, establishment_id=came.establishment_id)
    _write_arrival(came, file_id, Doubt(Code.OTHER, reason))
    _count(came, "quarantined")
    return Outcome("quarantined", Code.OTHER, reason)


def receive(came: Came, file_id: UUID, kept: Sequence[Kept]) -> list[Outcome]:
    """File each letter of a parcel with its patient when there is no doubt at all, else put it in the staff's tray.

    file_id: the parcel's own bytes. A letter that is already here is told as a duplicate; when it bears the identifier
    of another letter, the whole parcel goes to quarantine.
    """
    known = _already_here(came.establishment_id, [each.letter.header.unique_id for each in kept])
    if any(_is_another(known.get(each.letter.header.unique_id), each) for each in kept):
        return [quarantine(came, "same_identifier", file_id)]
    is_new = len(known) < len(kept)
    if is_new:
        files.attach(file_id, establishment_id=came.establishment_id, staff_right=RIGHT)
    arrival = _write_arrival(came, file_id if is_new else None)
    return [_receive_one(came, arrival, each, known.get(each.letter.header.unique_id)) for each in kept]


def _receive_one(came: Came, arrival: DocumentArrival, kept: Kept, known: Document | None) -> Outcome:
    if known:
        _count(came, "duplicate")
        return Outcome("duplicate", document_id=known.id)
    document = _write(arrival, kept)
    found = _destination(document, kept.letter)
    if isinstance(found, Doubt):
        filing.keep_in_tray(document, found)
    else:
        filing.give(document, found.id)
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


def _destination(document: Document, letter: Letter) -> Patient | Doubt:
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
    if any(other.patient_id != found.id for other in filing.versions_of(document)):
        return Doubt(Code.NOT_ALLOWED_TO_REPLACE, "replaces_another_patient")
    return found


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
        select(Document).where(Document.establishment_id == establishment_id, Document.unique_id.in_(unique_ids))
    )
    return {document.unique_id: document for document in found}


def _is_another(known: Document | None, kept: Kept) -> bool:
    return known is not None and known.file.sha256 != session.get_one(StoredFile, kept.file_id).sha256


def _write_arrival(came: Came, file_id: UUID | None, doubt: Doubt | None = None) -> DocumentArrival:
    arrival = DocumentArrival(
        id=uuid4(),
        establishment_id=came.establishment_id,
        channel=came.channel,
        name=came.name,
        size=came.size,
        sha256=came.sha256,
        file_id=file_id,
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
    document = Document(
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
        replaces=header.replaces or "",
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
        superseded_by_id=None,
        patient_id=None,
    )
    for file_id in filter(None, (kept.file_id, kept.content_id)):
        if files.unattached(file_id):
            files.attach(file_id, establishment_id=arrival.establishment_id, staff_right=RIGHT)
    return document


def _count(came: Came, outcome: str) -> None:
    kpi.count("document_received", establishment_id=came.establishment_id, channel=came.channel, dimension=outcome)
