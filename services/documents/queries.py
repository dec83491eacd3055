"""What is read for a page: always for a given patient, practitioner or set of hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import joinedload, selectinload

from auth.models import Patient, PatientRecord, Professional
from portal.catalog import PublishedService
from portal.db import session
from portal.establishments import Unit
from services.documents.matching import plain
from services.documents.models import (
    Document,
    DocumentArrival,
    DocumentChange,
    DocumentReading,
    Exchange,
    ExchangeMessage,
)

PAGE: int = 30
_TRAY_LIMIT = 200
SERVICE = "documents"


# -- a patient's shelf ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shelved:
    """A document on the shelf; read_at: when this account first opened it."""

    document: Document
    read_at: datetime | None


def shelf(patient_id: UUID, account_id: UUID, page: int = 1) -> tuple[list[Shelved], bool]:
    """A page of the patient's documents, those this account has not opened first; and whether there are more."""
    rows = session.execute(
        select(Document, DocumentReading.read_at)
        .outerjoin(
            DocumentReading, (DocumentReading.document_id == Document.id) & (DocumentReading.account_id == account_id)
        )
        .where(Document.patient_id == patient_id, Document.state == "filed")
        .order_by(DocumentReading.read_at.is_not(None), Document.authored_at.desc(), Document.id)
        .options(joinedload(Document.establishment))
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    ).all()
    return [Shelved(document, read_at) for document, read_at in rows[:PAGE]], len(rows) > PAGE


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


# -- exchanges -----------------------------------------------------------------------------------------------------


def exchanges_of(professional_id: UUID, *, to_read: bool) -> Sequence[Exchange]:
    """A practitioner's threads: those a unit wrote in last (to_read), or those that wait for a unit."""
    states = ("delivered", "read") if to_read else ("received", "opened")
    return session.scalars(
        _threads()
        .where(
            Exchange.professional_id == professional_id,
            Exchange.state.in_(states),
        )
        .order_by(Exchange.state != "delivered", Exchange.changed_at.desc())
        .limit(_TRAY_LIMIT)
    ).all()


def exchange_of(professional_id: UUID, exchange_id: UUID) -> Exchange | None:
    return session.scalar(_thread(exchange_id).where(Exchange.professional_id == professional_id))


def exchanges_at(establishments: Collection[UUID]) -> Sequence[Exchange]:
    """The hospitals' threads, those to open first, then the latest."""
    return session.scalars(
        _threads()
        .where(Exchange.establishment_id.in_(establishments))
        .order_by(Exchange.state != "received", Exchange.changed_at.desc())
        .limit(_TRAY_LIMIT)
    ).all()


def exchange_at(establishments: Collection[UUID], exchange_id: UUID) -> Exchange | None:
    return session.scalar(_thread(exchange_id).where(Exchange.establishment_id.in_(establishments)))


def message_of(exchange: Exchange, message_id: UUID) -> ExchangeMessage | None:
    """A message of this thread that carries a file."""
    return next((message for message in exchange.messages if message.id == message_id and message.file), None)


def filed_messages(exchange: Exchange) -> dict[UUID, UUID]:
    """Message → the document it became, for those that an agent filed."""
    ids = [message.id for message in exchange.messages]
    rows = session.execute(
        select(Document.message_id, Document.id).where(
            Document.message_id.in_(ids), Document.establishment_id == exchange.establishment_id
        )
    )
    return {message_id: document_id for message_id, document_id in rows if message_id}


def _threads() -> Select[Exchange]:
    return select(Exchange).options(
        joinedload(Exchange.establishment), joinedload(Exchange.unit), joinedload(Exchange.professional)
    )


def _thread(exchange_id: UUID) -> Select[Exchange]:
    messages = selectinload(Exchange.messages).joinedload(ExchangeMessage.file)
    return _threads().options(messages, selectinload(Exchange.changes)).where(Exchange.id == exchange_id)


# -- to whom one may write -----------------------------------------------------------------------------------------


def open_units() -> Sequence[Unit]:
    """The units that take documents, by hospital and name."""
    units = session.scalars(_units().where(PublishedService.code == SERVICE)).unique().all()
    return sorted(units, key=lambda unit: (unit.establishment.name, unit.name))


def open_unit(unit_id: UUID) -> Unit | None:
    return session.scalar(_units().where(PublishedService.code == SERVICE, Unit.id == unit_id))


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """The units of these hospitals, by hospital and name."""
    units = session.scalars(
        select(Unit).options(joinedload(Unit.establishment)).where(Unit.establishment_id.in_(establishments))
    ).all()
    return sorted(units, key=lambda unit: (unit.establishment.name, unit.name))


def _units() -> Select[Unit]:
    """Units of hospitals where the service is open today."""
    today = func.current_date()
    return (
        select(Unit)
        .options(joinedload(Unit.establishment))
        .join(
            PublishedService,
            (PublishedService.establishment_id == Unit.establishment_id)
            & (PublishedService.opened_on <= today)
            & (PublishedService.closed_on.is_(None) | (PublishedService.closed_on > today)),
        )
    )


def professional_with_rpps(rpps: str) -> Professional | None:
    """The practitioner with this RPPS number, when they have an account here."""
    return session.scalar(select(Professional).where(Professional.rpps == rpps))


def correspondents_of(establishments: Collection[UUID]) -> Sequence[Professional]:
    """The practitioners who exchanged with these hospitals, latest first."""
    latest = (
        select(Exchange.professional_id, func.max(Exchange.changed_at).label("at"))
        .where(Exchange.establishment_id.in_(establishments))
        .group_by(Exchange.professional_id)
        .subquery()
    )
    return session.scalars(
        select(Professional)
        .join(latest, latest.c.professional_id == Professional.id)
        .order_by(latest.c.at.desc())
        .limit(30)
    ).all()


def professional(professional_id: UUID) -> Professional | None:
    """A practitioner with an account here."""
    return session.get(Professional, professional_id)
