"""Documents of a machine's hospital, by what a search asks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import joinedload

from auth.models import PatientRecord
from portal.db import session
from services.documents.his.fhir import Named
from services.documents.his.models import HisDocument
from services.documents.models import Document, DocumentChange

TOLD: Final = ("filed", "superseded", "withdrawn", "tray")
"""States that a machine sees; what was set aside is nobody's."""


@dataclass(frozen=True)
class Asked:
    """What a search wants. None: anything; empty: nothing can match. [since, until[: of the last change."""

    ids: Collection[UUID] | None = None
    patients: Collection[UUID] | None = None
    ipps: Collection[str] | None = None
    types: Collection[str] | None = None
    states: Collection[str] | None = None
    numbers: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


_changed = (
    select(func.max(DocumentChange.at)).where(DocumentChange.document_id == Document.id).correlate(Document)
).scalar_subquery()


def found(establishment_id: UUID, asked: Asked, count: int, offset: int) -> tuple[list[tuple[Document, datetime]], int]:
    """A page with the moment of each one's last change, the earliest first; and how many there are."""
    conditions = _conditions(establishment_id, asked)
    total = session.scalar(select(func.count()).select_from(Document).where(*conditions)) or 0
    rows = session.execute(
        _whole().where(*conditions).order_by(_changed, Document.id).limit(count).offset(offset)
    ).all()
    return [(document, at or document.received_at) for document, at in rows], total


def one(establishment_id: UUID, document_id: UUID) -> tuple[Document, datetime] | None:
    """A document that this hospital holds, with the moment of its last change."""
    here = (Document.establishment_id == establishment_id, Document.id == document_id, Document.state.in_(TOLD))
    row = session.execute(_whole().where(*here).execution_options(populate_existing=True)).first()
    return (row[0], row[1] or row[0].received_at) if row else None


def names_of(documents: Collection[UUID]) -> dict[UUID, list[Named]]:
    """The identifiers that machines gave them."""
    found_: dict[UUID, list[Named]] = {}
    query = select(HisDocument.document_id, HisDocument.number).where(HisDocument.document_id.in_(documents))
    for document_id, number in session.execute(query.order_by(HisDocument.number)):
        system, bar, value = number.partition("|")
        if bar:
            found_.setdefault(document_id, []).append(Named(system, value))
    return found_


def _whole() -> Select[Document, datetime]:
    return select(Document, _changed).options(
        joinedload(Document.establishment), joinedload(Document.file), joinedload(Document.content)
    )


def _conditions(establishment_id: UUID, asked: Asked) -> Sequence[ColumnElement[bool]]:
    conditions = [Document.establishment_id == establishment_id, Document.state.in_(TOLD)]
    wanted: tuple[tuple[Any, Collection[Any] | None], ...] = (
        (Document.id, asked.ids),
        (Document.patient_id, asked.patients),
        (Document.type_code, asked.types),
        (Document.state, asked.states),
    )
    conditions += [column.in_(values) for column, values in wanted if values is not None]
    if asked.ipps is not None:
        record = exists().where(
            PatientRecord.patient_id == Document.patient_id,
            PatientRecord.establishment_id == establishment_id,
            PatientRecord.ipp.in_(asked.ipps),
        )
        conditions.append(record)
    if asked.numbers is not None:
        conditions.append(exists().where(HisDocument.document_id == Document.id, HisDocument.number.in_(asked.numbers)))
    conditions += [_changed >= asked.since] if asked.since is not None else []
    conditions += [_changed < asked.until] if asked.until is not None else []
    return conditions
