"""What agents see of what waits for them: always of their hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import joinedload

from auth.models import Patient, PatientRecord
from portal import db
from portal.db import session
from portal.files import StoredFile
from services.documents.models import ArrivalDecision, Document, DocumentArrival, Misfiling
from services.documents.queries import Known
from services.documents.tray.comparing import Described, Trait, closeness, compare, is_near

PAGE: Final = 50
_PROPOSALS, _BORN_THAT_DAY = 5, 200
LATE, VERY_LATE = timedelta(days=2), timedelta(days=5)
"""How long a letter may wait before its age is told, and before it comes first."""


# -- the tray ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Which letters to show. code: national code, or `taken_back`. late: those that wait for more than two days."""

    establishment_id: UUID | None = None
    code: str = ""
    late: bool = False
    page: int = 1


def waiting(establishments: Collection[UUID], wanted: Wanted) -> tuple[Sequence[Document], bool]:
    """A page of the letters to sort, and whether there are more: those that were on a wrong shelf, then the oldest."""
    rows = session.scalars(
        select(Document)
        .options(joinedload(Document.establishment))
        .where(*_in_tray(establishments), *_as_wanted(wanted))
        .order_by(*_order())
        .limit(PAGE + 1)
        .offset((wanted.page - 1) * PAGE)
    ).all()
    return rows[:PAGE], len(rows) > PAGE


def _in_tray(establishments: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    return Document.establishment_id.in_(establishments), Document.state == "tray"


def _as_wanted(wanted: Wanted) -> Sequence[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.establishment_id:
        found.append(Document.establishment_id == wanted.establishment_id)
    if wanted.code == "taken_back":
        found.append(Document.reason == "taken_back")
    elif wanted.code:
        found.append(Document.code == wanted.code)
    if wanted.late:
        found.append(Document.received_at < db.now() - LATE)
    return found


def _order() -> tuple[Any, ...]:
    return case((Document.reason == "taken_back", 0), else_=1), Document.received_at.asc(), Document.id.asc()


def codes_of(establishments: Collection[UUID]) -> dict[str, int]:
    """How many letters wait for each reason: national code, `taken_back`."""
    why = case((Document.reason == "taken_back", "taken_back"), else_=Document.code)
    rows = session.execute(select(why, func.count()).where(*_in_tray(establishments)).group_by(why).order_by(why))
    return {str(code): int(count) for code, count in rows}


def next_after(establishments: Collection[UUID], document: Document) -> UUID | None:
    """The letter to sort after this one; the first one when it was the last."""
    rows = session.scalars(select(Document.id).where(*_in_tray(establishments)).order_by(*_order()).limit(2)).all()
    later = session.scalars(
        select(Document.id)
        .where(*_in_tray(establishments), Document.received_at > document.received_at)
        .order_by(*_order())
        .limit(1)
    ).all()
    return next((each for each in (*later, *rows) if each != document.id), None)


def several(establishments: Collection[UUID], ids: Collection[UUID]) -> Sequence[Document]:
    """Those of these letters that still wait."""
    return session.scalars(
        select(Document).where(*_in_tray(establishments), Document.id.in_(ids)).order_by(*_order())
    ).all()


def same_person(document: Document) -> Sequence[Document]:
    """Other letters of the tray that describe exactly the same person: at most twenty, the oldest first."""
    if not (document.birth_name and document.birth_on and (document.ins or document.ipp)):
        return []
    alike = [
        getattr(Document, name) == getattr(document, name)
        for name in ("birth_name", "first_name", "birth_on", "sex", "ins", "ins_oid", "ipp")
    ]
    here = _in_tray([document.establishment_id])
    return session.scalars(
        select(Document).where(*here, Document.id != document.id, *alike).order_by(*_order()).limit(20)
    ).all()


# -- proposals -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Proposal:
    """A patient of the hospital beside a letter. It is never chosen for anybody."""

    known: Known
    traits: tuple[Trait, ...]


def proposals(document: Document) -> list[Proposal]:
    """Patients of the letter's own hospital who share a number or traits with it, the nearest first; at most five."""
    said = _as_said(document)
    conditions = _any_in_common(said)
    if not conditions:
        return []
    query = select(Patient, PatientRecord.ipp).join(PatientRecord, PatientRecord.patient_id == Patient.id)
    rows = session.execute(
        query.where(PatientRecord.establishment_id == document.establishment_id, or_(*conditions))
        .order_by(Patient.id)
        .limit(_BORN_THAT_DAY)
    )
    known = ((Known(patient, ipp or ""), _as_known(patient, ipp or "")) for patient, ipp in rows)
    near = [Proposal(each, compare(said, described)) for each, described in known if is_near(said, described)]
    return sorted(near, key=lambda each: -closeness(each.traits))[:_PROPOSALS]


def _any_in_common(said: Described) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if said.ins:
        found.append(Patient.ins == said.ins)
    if said.ipp:
        found.append(PatientRecord.ipp == said.ipp)
    if said.birth_on and (said.birth_name or said.first_name):
        found.append(Patient.birth_on == said.birth_on)
    return found


def _as_said(document: Document) -> Described:
    return Described(
        document.ins, document.ipp, document.birth_name, document.first_name, document.birth_on, document.sex
    )


def _as_known(patient: Patient, ipp: str) -> Described:
    return Described(
        patient.ins, ipp, patient.birth_name, patient.first_name, patient.birth_on, patient.sex, patient.used_name
    )


def misfilings_of(document: Document) -> Sequence[Misfiling]:
    """When this letter was on a wrong shelf, the latest first."""
    return session.scalars(
        select(Misfiling).where(Misfiling.document_id == document.id).order_by(Misfiling.taken_back_at.desc())
    ).all()


# -- quarantine ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """A parcel that was refused, and what somebody made of it."""

    arrival: DocumentArrival
    decision: ArrivalDecision | None


def refused(
    establishments: Collection[UUID], *, reason: str = "", decided: bool = False, page: int = 1
) -> tuple[list[Refused], bool]:
    """A page of what was refused at the door, and whether there are more: what waits, or what was decided."""
    decision = and_(ArrivalDecision.arrival_id == DocumentArrival.id)
    query = (
        select(DocumentArrival, ArrivalDecision)
        .outerjoin(ArrivalDecision, decision)
        .options(joinedload(DocumentArrival.establishment))
        .where(DocumentArrival.establishment_id.in_(establishments), DocumentArrival.code != "")
        .where(ArrivalDecision.arrival_id.is_not(None) if decided else ArrivalDecision.arrival_id.is_(None))
        .order_by(DocumentArrival.received_at.desc(), DocumentArrival.id)
    )
    if reason:
        query = query.where(DocumentArrival.reason == reason)
    rows = session.execute(query.limit(PAGE + 1).offset((page - 1) * PAGE)).all()
    return [Refused(arrival, made) for arrival, made in rows[:PAGE]], len(rows) > PAGE


def reasons_of(establishments: Collection[UUID]) -> dict[str, int]:
    """How many refused parcels wait for each reason."""
    undecided = ~exists().where(ArrivalDecision.arrival_id == DocumentArrival.id)
    here = (DocumentArrival.establishment_id.in_(establishments), DocumentArrival.code != "", undecided)
    rows = session.execute(select(DocumentArrival.reason, func.count()).where(*here).group_by(DocumentArrival.reason))
    return {str(reason): int(count) for reason, count in rows}


def refused_one(establishments: Collection[UUID], arrival_id: UUID) -> Refused | None:
    """One of them, with its hospital."""
    row = session.execute(
        select(DocumentArrival, ArrivalDecision)
        .outerjoin(ArrivalDecision, ArrivalDecision.arrival_id == DocumentArrival.id)
        .options(joinedload(DocumentArrival.establishment))
        .where(
            DocumentArrival.id == arrival_id,
            DocumentArrival.establishment_id.in_(establishments),
            DocumentArrival.code != "",
        )
    ).first()
    return Refused(row[0], row[1]) if row else None


def stored_of(arrival: DocumentArrival) -> StoredFile | None:
    """The bytes of a parcel, when they were kept."""
    return session.get(StoredFile, arrival.file_id) if arrival.file_id else None
