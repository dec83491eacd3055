"""What is read of exchanges for a page: always for a given practitioner, patient or set of hospitals."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from auth.models import Professional
from portal import catalog
from portal.db import session
from portal.establishments import Unit
from services.documents.exchanges.models import Exchange, ExchangeFile, ExchangeMessage, UnitDesk
from services.documents.mailboxes.models import Mailbox
from services.documents.models import Document, DocumentArrival
from services.sent_patients.sources import Known

SERVICE = "documents"
_TRAY_LIMIT = 200


def exchanges_of(professional_id: UUID, *, to_read: bool) -> Sequence[Exchange]:
    """A practitioner's threads: those a unit wrote in last (to_read), or those that wait for a unit."""
    states = ("delivered", "read", "closed") if to_read else ("received", "opened")
    return session.scalars(
        _threads()
        .where(Exchange.professional_id == professional_id, Exchange.state.in_(states))
        .order_by(Exchange.state != "delivered", Exchange.changed_at.desc())
        .limit(_TRAY_LIMIT)
    ).all()


_MOST_NAMED = 30


def named_by(professional_id: UUID) -> list[Known]:
    """The patients named in this practitioner's threads, latest first: as they read there, and nothing more."""
    rows = session.scalars(
        select(Exchange)
        .where(Exchange.professional_id == professional_id, Exchange.birth_name != "", Exchange.birth_on.is_not(None))
        .order_by(Exchange.created_at.desc(), Exchange.id)
        .limit(_MOST_NAMED)
    )
    return [
        Known(each.id, each.birth_name, each.first_name, each.birth_on, each.created_at, source="exchange")
        for each in rows
        if each.birth_on
    ]


def exchange_of(professional_id: UUID, exchange_id: UUID) -> Exchange | None:
    return session.scalar(_thread(exchange_id).where(Exchange.professional_id == professional_id))


def exchange_of_patient(patient_id: UUID, exchange_id: UUID) -> Exchange | None:
    """A thread of this patient with a unit."""
    return session.scalar(_thread(exchange_id).where(Exchange.patient_id == patient_id))


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


def file_of(exchange: Exchange, file_id: UUID) -> tuple[ExchangeMessage, ExchangeFile] | None:
    """A joined file of this thread, with its message. file_id: of the ExchangeFile."""
    for message in exchange.messages:
        for joined in message.files:
            if joined.id == file_id:
                return message, joined
    return None


def filed_files(exchange: Exchange) -> dict[UUID, UUID]:
    """Joined file → the document it became, for those that an agent filed."""
    ids = [joined.id for message in exchange.messages for joined in message.files]
    rows = session.execute(
        select(Document.joined_id, Document.id).where(
            Document.joined_id.in_(ids), Document.establishment_id == exchange.establishment_id
        )
    )
    return {joined_id: document_id for joined_id, document_id in rows if joined_id}


def letters_of(exchange: Exchange) -> dict[UUID, list[Document]]:
    """Message → the letters that its mail carried, whatever became of them."""
    rows = session.execute(
        select(DocumentArrival.message_id, Document)
        .join(Document, Document.arrival_id == DocumentArrival.id)
        .where(
            DocumentArrival.message_id.in_([message.id for message in exchange.messages]),
            Document.establishment_id == exchange.establishment_id,
        )
        .order_by(Document.authored_at, Document.id)
    )
    found: dict[UUID, list[Document]] = {}
    for message_id, document in rows:
        if message_id is not None:
            found.setdefault(message_id, []).append(document)
    return found


def _threads() -> Select[Exchange]:
    return select(Exchange).options(
        joinedload(Exchange.establishment),
        joinedload(Exchange.unit),
        joinedload(Exchange.professional),
        joinedload(Exchange.patient),
        joinedload(Exchange.about),
    )


def _thread(exchange_id: UUID) -> Select[Exchange]:
    files = selectinload(Exchange.messages).joinedload(ExchangeMessage.files).joinedload(ExchangeFile.file)
    return _threads().options(files, selectinload(Exchange.changes)).where(Exchange.id == exchange_id)


# -- to whom one may write -----------------------------------------------------------------------------------------


def open_units() -> Sequence[Unit]:
    """The units that take documents, by hospital and name."""
    units = session.scalars(_units()).all()
    return sorted(units, key=lambda unit: (unit.establishment.name, unit.name))


def open_unit(unit_id: UUID) -> Unit | None:
    return session.scalar(_units().where(Unit.id == unit_id))


def units_at(establishments: Collection[UUID]) -> Sequence[Unit]:
    """The units of these hospitals, by hospital and name."""
    units = session.scalars(
        select(Unit).options(joinedload(Unit.establishment)).where(Unit.establishment_id.in_(establishments))
    ).all()
    return sorted(units, key=lambda unit: (unit.establishment.name, unit.name))


def _units() -> Select[Unit]:
    """Units of hospitals where the service is open today."""
    return select(Unit).options(joinedload(Unit.establishment)).where(catalog.open_at(SERVICE, Unit.establishment_id))


def professional_with_rpps(rpps: str) -> Professional | None:
    """The practitioner with this RPPS number, when they have an account here."""
    return session.scalar(select(Professional).where(Professional.rpps == rpps))


def box_of(unit: Unit) -> Mailbox | None:
    """The box from which a unit writes: its own, else the one of its whole hospital; never somebody's personal box."""
    return session.scalar(
        select(Mailbox)
        .where(
            Mailbox.establishment_id == unit.establishment_id,
            Mailbox.closed_at.is_(None),
            Mailbox.kind != "PER",
            or_(Mailbox.unit_id == unit.id, Mailbox.unit_id.is_(None)),
        )
        .order_by(Mailbox.unit_id.is_(None), Mailbox.kind == "APP", Mailbox.created_at)
        .limit(1)
    )


def professionals_with_rpps(numbers: Collection[str]) -> dict[str, Professional]:
    """RPPS number → the practitioner, for those who have an account here."""
    rows = session.scalars(select(Professional).where(Professional.rpps.in_([each for each in numbers if each])))
    return {each.rpps: each for each in rows}


def desks_at(establishments: Collection[UUID]) -> dict[UUID, UnitDesk]:
    """Unit → what it takes of patients, for those of these hospitals that said so once."""
    rows = session.scalars(select(UnitDesk).where(UnitDesk.establishment_id.in_(establishments)))
    return {desk.unit_id: desk for desk in rows}


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
