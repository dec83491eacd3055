"""What the shelf shows: always for a given patient; row-level security says what the reader may see of it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Select, Subquery, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import joinedload

from portal.db import session
from portal.establishments import Establishment, Unit
from services.documents.deposits.models import Deposit
from services.documents.models import Document, DocumentChange, DocumentReading
from services.documents.shelf import kinds
from services.documents.shelf.models import DocumentType, MesSending
from services.pieces import queries as pieces
from services.pieces.models import Piece

PAGE = 40
FOUND_AT_MOST = 100
_SHOWN = ("filed", "withdrawn")


@dataclass(frozen=True)
class Filters:
    """What the reader asked to see. found: only these documents and deposits, when words were searched."""

    hospital: UUID | None = None
    kind: str = ""
    year: int | None = None
    unread: bool = False
    deposited: bool = False
    found: frozenset[UUID] | None = None

    @property
    def any(self) -> bool:
        return self != Filters()

    def without(self, **changes: Any) -> "Filters":
        return replace(self, **changes)


@dataclass(frozen=True)
class Line:
    """One thing on the shelf: a document, or what the patient deposited. label: as the hospital calls its type."""

    at: datetime
    unread: bool
    document: Document | None = None
    deposit: Deposit | None = None
    piece: Piece | None = None
    label: str = ""

    @property
    def hospital(self) -> Establishment:
        found = self.document or self.deposit
        assert found is not None, "a line is of something"
        return found.establishment


@dataclass(frozen=True)
class Counts:
    """How many things are on the shelf, for the filters: by hospital, by kind, by year."""

    cells: Sequence[tuple[UUID, str, str, int, int, int]]
    """Hospital, its name, kind ("" for a deposit), year, how many, how many of them unread."""

    @cached_property
    def everything(self) -> int:
        return sum(cell[4] for cell in self.cells)

    @cached_property
    def unread(self) -> int:
        return sum(cell[5] for cell in self.cells)

    @cached_property
    def deposited(self) -> int:
        return sum(cell[4] for cell in self.cells if not cell[2])

    @cached_property
    def kinds(self) -> Mapping[str, int]:
        return self._by(2)

    @cached_property
    def years(self) -> Mapping[int, int]:
        return dict(sorted(self._by(3).items(), reverse=True))

    @cached_property
    def hospitals(self) -> Mapping[UUID, tuple[str, int]]:
        names = {cell[0]: cell[1] for cell in self.cells}
        counted = self._by(0)
        return {each: (names[each], counted[each]) for each in sorted(counted, key=lambda one: names[one])}

    def _by(self, column: int) -> dict[Any, int]:
        found: Counter[Any] = Counter()
        for cell in self.cells:
            found[cell[column]] += cell[4]
        return dict(found)


@dataclass(frozen=True)
class Page:
    """A page of the shelf, what was not opened first. more: whether another page follows."""

    lines: Sequence[Line]
    more: bool = False
    unread: Sequence[Line] = field(init=False)
    others: Sequence[Line] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unread", [line for line in self.lines if line.unread])
        object.__setattr__(self, "others", [line for line in self.lines if not line.unread])


# -- the shelf -----------------------------------------------------------------------------------------------------


def page(patient_id: UUID, account_id: UUID, filters: Filters, number: int = 1) -> Page:
    """That page of the shelf, from 1: what this account has not opened first, then the latest."""
    things = _things(patient_id, account_id).subquery()
    size = PAGE if filters.found is None else FOUND_AT_MOST
    rows = session.execute(
        _filtered(select(things.c.source, things.c.id, things.c.at, things.c.unread), things, filters)
        .order_by(things.c.unread.desc(), things.c.at.desc(), things.c.id)
        .limit(size + 1)
        .offset((number - 1) * size)
    ).all()
    return Page(_lines(rows[:size]), len(rows) > size)


def counts(patient_id: UUID, account_id: UUID) -> Counts:
    """All that is on the shelf, counted in one statement."""
    things = _things(patient_id, account_id).subquery()
    kind, year = things.c.kind, things.c.year
    rows = session.execute(
        select(
            things.c.establishment_id, Establishment.name, kind, year, func.count(),
            func.count().filter(things.c.unread),
        )
        .join(Establishment, Establishment.id == things.c.establishment_id)
        .group_by(things.c.establishment_id, Establishment.name, kind, year)
    )  # fmt: skip
    return Counts([(place, name, kind, int(year), total, unread) for place, name, kind, year, total, unread in rows])


def titled(patient_id: UUID, words: Sequence[str]) -> Sequence[UUID]:
    """The documents and deposits whose title, author, unit or type holds all these words."""
    of_documents = func.concat_ws(
        " ", Document.title, Document.type_label, Document.author_name, Document.author_organization
    )
    of_deposits = func.concat_ws(" ", Deposit.title, Deposit.note, Deposit.asked_text)
    documents = select(Document.id).where(
        Document.patient_id == patient_id, *(of_documents.icontains(word, autoescape=True) for word in words)
    )
    deposits = select(Deposit.id).where(
        Deposit.patient_id == patient_id, *(of_deposits.icontains(word, autoescape=True) for word in words)
    )
    return session.scalars(union_all(documents, deposits).limit(FOUND_AT_MOST * 5)).all()


def unread_count(patient_id: UUID, account_id: UUID) -> int:
    """How many documents this account has not opened: for the home page."""
    return session.scalar(select(func.count()).select_from(_unread(patient_id, account_id).subquery())) or 0


def _unread(patient_id: UUID, account_id: UUID) -> Select[UUID]:
    opened = select(DocumentReading.document_id).where(
        DocumentReading.document_id == Document.id, DocumentReading.account_id == account_id
    )
    return select(Document.id).where(Document.patient_id == patient_id, Document.state == "filed", ~opened.exists())


def _things(patient_id: UUID, account_id: UUID) -> CompoundSelect[Any]:
    """Documents and deposits in one list: source, id, hospital, kind, moment, year there, whether it is unread."""
    opened = and_(DocumentReading.document_id == Document.id, DocumentReading.account_id == account_id)
    unread = and_(DocumentReading.read_at.is_(None), Document.state == "filed")
    documents = (
        select(
            literal("document").label("source"), Document.id, Document.establishment_id, Document.kind,
            Document.authored_at.label("at"), _year(Document.authored_at), unread.label("unread"),
        )
        .join(Establishment, Establishment.id == Document.establishment_id)
        .outerjoin(DocumentReading, opened)
        .where(Document.patient_id == patient_id, Document.state.in_(_SHOWN))
    )  # fmt: skip
    deposits = (
        select(
            literal("deposit"), Deposit.id, Deposit.establishment_id, literal(""), Deposit.sent_at,
            _year(Deposit.sent_at), literal(False),
        )
        .join(Establishment, Establishment.id == Deposit.establishment_id)
        .where(Deposit.patient_id == patient_id, Deposit.sent_at.is_not(None), Deposit.closed_at.is_(None))
    )  # fmt: skip
    return union_all(documents, deposits)


def _year(moment: Any) -> Any:
    return func.extract("year", func.timezone(Establishment.time_zone, moment)).label("year")


def _filtered(query: Select[Any], things: Subquery, filters: Filters) -> Select[Any]:
    if filters.hospital:
        query = query.where(things.c.establishment_id == filters.hospital)
    if filters.kind:
        query = query.where(things.c.kind == filters.kind)
    if filters.year:
        query = query.where(things.c.year == filters.year)
    if filters.unread:
        query = query.where(things.c.unread)
    if filters.deposited:
        query = query.where(things.c.source == "deposit")
    if filters.found is not None:
        query = query.where(things.c.id.in_(filters.found))
    return query


def _lines(rows: Sequence[Any]) -> list[Line]:
    """The rows of a page as lines, in their order: two statements for documents and deposits, two for pieces."""
    # By what they are not: in support mode a computed text, such as the source, is blanked.
    documents = _documents([row.id for row in rows if row.source != "deposit"])
    deposits = _deposits([row.id for row in rows if row.source != "document"])
    folders = pieces.of_folders(deposits) if deposits else {}
    lines = []
    for row in rows:
        if row.id in deposits:
            piece = next(iter(folders.get(row.id, ())), None)
            lines.append(Line(row.at, False, deposit=deposits[row.id], piece=piece))
        else:
            document, label = documents[row.id]
            lines.append(Line(row.at, row.unread, document=document, label=label))
    return lines


def _documents(ids: Collection[UUID]) -> dict[UUID, tuple[Document, str]]:
    if not ids:
        return {}
    rows = session.execute(
        select(Document, func.coalesce(DocumentType.label, ""))
        .outerjoin(DocumentType, _its_type())
        .options(joinedload(Document.establishment))
        .where(Document.id.in_(ids))
    )
    return {document.id: (document, label or kinds.in_full(document.type_label)) for document, label in rows}


def _its_type() -> Any:
    return and_(
        DocumentType.establishment_id == Document.establishment_id,
        DocumentType.type_code == Document.type_code,
        DocumentType.type_code != "",
    )


def _deposits(ids: Collection[UUID]) -> dict[UUID, Deposit]:
    if not ids:
        return {}
    rows = session.scalars(
        select(Deposit)
        .options(joinedload(Deposit.establishment), joinedload(Deposit.unit).joinedload(Unit.establishment))
        .where(Deposit.id.in_(ids))
    )
    return {deposit.id: deposit for deposit in rows}


# -- one document --------------------------------------------------------------------------------------------------


def told_of(document: Document) -> tuple[str, MesSending | None]:
    """What its hospital calls its type, else the national label; what became of it at Mon espace santé."""
    query = select(DocumentType.label, MesSending).select_from(Document).outerjoin(DocumentType, _its_type())
    query = query.outerjoin(MesSending, MesSending.document_id == Document.id).where(Document.id == document.id)
    own, sending = session.execute(query).one()
    return own or kinds.in_full(document.type_label), sending


def withdrawal_of(document: Document) -> DocumentChange | None:
    """When and why its hospital withdrew it."""
    return session.scalar(
        select(DocumentChange)
        .where(DocumentChange.document_id == document.id, DocumentChange.to_state == "withdrawn")
        .order_by(DocumentChange.at.desc())
        .limit(1)
    )


def withdrawn_of(patient_id: UUID, document_id: UUID) -> Document | None:
    """A document that was on this shelf and that its hospital withdrew: it is named, and cannot be opened."""
    return session.scalar(
        select(Document)
        .options(joinedload(Document.establishment))
        .where(Document.id == document_id, Document.patient_id == patient_id, Document.state == "withdrawn")
    )


def newer_than(document: Document) -> Document | None:
    """The version that replaced this one, when the reader sees it."""
    return session.get(Document, document.superseded_by_id) if document.superseded_by_id else None


# -- the staff's side ----------------------------------------------------------------------------------------------


def types_at(establishments: Collection[UUID]) -> Sequence[DocumentType]:
    """What these hospitals decided of types of documents; the row for all others last."""
    return session.scalars(
        select(DocumentType)
        .options(joinedload(DocumentType.establishment))
        .where(DocumentType.establishment_id.in_(establishments))
        .order_by(DocumentType.type_code == "", DocumentType.type_code)
    ).all()


def type_at(establishment_id: UUID, type_code: str) -> DocumentType | None:
    return session.scalar(
        select(DocumentType).where(
            DocumentType.establishment_id == establishment_id, DocumentType.type_code == type_code
        )
    )


def codes_used_at(establishments: Collection[UUID]) -> Sequence[tuple[UUID, str, str, int]]:
    """(Hospital, type, national label, how many) of the documents that these hospitals received."""
    rows = session.execute(
        select(Document.establishment_id, Document.type_code, func.max(Document.type_label), func.count())
        .where(Document.establishment_id.in_(establishments), Document.type_code != "")
        .group_by(Document.establishment_id, Document.type_code)
        .order_by(func.count().desc())
        .limit(300)
    )
    return [(place, code, label, total) for place, code, label, total in rows]


def held_at(establishments: Collection[UUID], now: datetime) -> Sequence[Document]:
    """Documents that their patient does not see yet, those that wait for an agent first, then the next to be shown."""
    return session.scalars(
        select(Document)
        .options(joinedload(Document.establishment), joinedload(Document.patient))
        .where(
            Document.establishment_id.in_(establishments),
            Document.state == "filed",
            or_(Document.visible_at.is_(None), Document.visible_at > now),
        )
        .order_by(Document.visible_at.is_not(None), Document.visible_at, Document.filed_at)
        .limit(200)
    ).all()
