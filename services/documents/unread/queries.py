"""Documents that nobody opened: whom to remind, and what to send on paper."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVarTuple
from uuid import UUID

from sqlalchemy import Select, case, cast, exists, func, select
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.orm import aliased, joinedload

from auth.models import PatientRecord
from portal.db import session
from services.documents.models import Document, DocumentReading
from services.documents.shelf.models import DEFAULT_REMIND_DAYS, DocumentType

_Columns = TypeVarTuple("_Columns")
_A_BATCH = 1000
_Own, _Others = aliased(DocumentType), aliased(DocumentType)


@dataclass(frozen=True)
class Letter:
    """A document that waits for its paper letter. ipp: the patient's number at the hospital."""

    document: Document
    ipp: str
    label: str

    def days(self, now: datetime) -> int:
        """For how many days its patient could have read it."""
        return (now - (self.document.visible_at or now)) // timedelta(days=1)


def to_remind(now: datetime) -> Sequence[Document]:
    """Unread for as long as their hospital waits before its one reminder, and not reminded yet."""
    days = _decided("remind_days", DEFAULT_REMIND_DAYS)
    return session.scalars(
        _unread(select(Document))
        .where(
            Document.reminded_at.is_(None),
            Document.told_at.is_not(None),
            ~Document.visibility.contains(["INVISIBLE_PATIENT"]),
            Document.visible_at + _in_days(days) <= now,
        )
        .order_by(Document.patient_id, Document.id)
        .limit(_A_BATCH)
    ).all()


def not_reminded_yet(ids: Collection[UUID]) -> Sequence[Document]:
    """Those of these documents, held, that another run has not taken meanwhile."""
    held = select(Document).where(Document.id.in_(ids), Document.reminded_at.is_(None), Document.state == "filed")
    return session.scalars(held.order_by(Document.id).with_for_update(key_share=True)).all()


def to_post(establishments: Collection[UUID], now: datetime) -> Sequence[Letter]:
    """Unread for as long as their hospital waits before it writes on paper, and not posted yet; the oldest first."""
    rows = session.execute(
        _unread(select(Document, PatientRecord.ipp, _Own.label))
        .outerjoin(
            PatientRecord,
            (PatientRecord.patient_id == Document.patient_id)
            & (PatientRecord.establishment_id == Document.establishment_id),
        )
        .options(joinedload(Document.establishment), joinedload(Document.patient))
        .where(
            Document.establishment_id.in_(establishments),
            Document.posted_at.is_(None),
            ~Document.visibility.contains(["INVISIBLE_PATIENT"]),
            Document.visible_at + _in_days(_decided("paper_days", None)) <= now,
        )
        .order_by(Document.visible_at, Document.id)
        .limit(_A_BATCH)
    )
    return [Letter(document, ipp or "", label or document.type_label) for document, ipp, label in rows]


def posted_at(establishments: Collection[UUID], limit: int = 100) -> Sequence[Document]:
    """What left on paper, the latest first."""
    return session.scalars(
        select(Document)
        .options(joinedload(Document.establishment), joinedload(Document.patient))
        .where(Document.establishment_id.in_(establishments), Document.posted_at.is_not(None))
        .order_by(Document.posted_at.desc())
        .limit(limit)
    ).all()


def count_to_post(establishments: Collection[UUID], now: datetime) -> int:
    query = _unread(select(func.count(Document.id))).where(
        Document.establishment_id.in_(establishments),
        Document.posted_at.is_(None),
        ~Document.visibility.contains(["INVISIBLE_PATIENT"]),
        Document.visible_at + _in_days(_decided("paper_days", None)) <= now,
    )
    return session.scalar(query) or 0


def _unread(query: Select[*_Columns]) -> Select[*_Columns]:
    """Shown to the patient, opened by nobody, with what their hospital decided of their type."""
    opened = exists().where(DocumentReading.document_id == Document.id)
    here = Document.establishment_id
    return (
        query.outerjoin(
            _Own, (_Own.establishment_id == here) & (_Own.type_code == Document.type_code) & (_Own.type_code != "")
        )
        .outerjoin(_Others, (_Others.establishment_id == here) & (_Others.type_code == ""))
        .where(Document.state == "filed", ~opened)
    )


def _decided(column: str, default: int | None) -> Any:
    """What the row of the type says, else the row of all others, else the default; NULL: never."""
    return case(
        (_Own.id.is_not(None), getattr(_Own, column)),
        (_Others.id.is_not(None), getattr(_Others, column)),
        else_=default,
    )


def _in_days(days: Any) -> Any:
    return days * cast("1 day", INTERVAL)
