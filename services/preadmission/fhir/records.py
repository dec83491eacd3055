"""Files of a machine's hospital with their versions: read so that a system which polls misses nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text, tuple_
from sqlalchemy.orm import joinedload

from auth.models import Patient, PatientRecord
from portal.db import session
from portal.establishments import Unit
from services.pieces.models import TO_REDO, Piece, PiecePage
from services.preadmission.fhir import statuses
from services.preadmission.fhir.encounters import Identifier, Known
from services.preadmission.fhir.models import EncounterIdentifier, EncounterVersion
from services.preadmission.models import Preadmission, StepAnswers

_ALONE = text("select pg_advisory_xact_lock(hashtextextended('encounters ' || :here, 0))")
# The moment is later than every other of this hospital, whatever clocks do: whoever has read up to a moment asks for
# what came after it, and misses nothing. To the millisecond, since that is what FHIR writes.
_GIVE_VERSIONS = text("""
with gone as (delete from encounter_stir where establishment_id = :here returning folder_id),
moment as (select greatest(date_trunc('milliseconds', clock_timestamp()),
  (select max(at) + interval '1 millisecond' from encounter_version where establishment_id = :here)) as at)
insert into encounter_version (preadmission_id, establishment_id, version, at)
select p.id, p.establishment_id, 1, moment.at from preadmission p, moment
where p.establishment_id = :here and p.id in (select folder_id from gone)
on conflict (preadmission_id) do update set version = encounter_version.version + 1, at = excluded.at
""")


@dataclass(frozen=True)
class Asked:
    """What a search wants. None: anything; empty: nothing can match. *_since, *_until bounds: [since, until[."""

    ids: Collection[UUID] | None = None
    codes: Collection[str] | None = None
    identifiers: Sequence[Collection[tuple[str | None, str]]] = ()
    patients: Sequence[Collection[UUID]] = ()
    since: date | None = None
    until: date | None = None
    changed_since: datetime | None = None
    changed_until: datetime | None = None
    by_date: bool = False
    after: tuple[Any, UUID] | None = None


def give_versions(establishment_id: UUID) -> None:
    """Every change that was committed gets its version and its moment; then nobody else gives any until the end of this
    transaction. A change that is not committed yet will get a later moment than whatever is read now."""
    session.flush()
    session.execute(_ALONE, {"here": str(establishment_id)})
    session.execute(_GIVE_VERSIONS, {"here": establishment_id})


def read_up_to(establishment_id: UUID) -> datetime | None:
    """Nothing will ever appear at this moment or before it: what to ask for next is after it."""
    return session.scalar(
        select(func.max(EncounterVersion.at)).where(EncounterVersion.establishment_id == establishment_id)
    )


def found(establishment_id: UUID, asked: Asked, systems: Mapping[str, str], count: int) -> tuple[list[Known], bool]:
    """A page, in the order in which the versions came (or of the stays, `by_date`), and whether there are more.

    systems: of our references (`own`) and of the hospital's visit numbers (`visit`).
    """
    order = (Preadmission.planned_on if asked.by_date else EncounterVersion.at, Preadmission.id)
    # Which ones first, then all about these alone: row-level security looks at each row that is joined.
    query = (
        select(Preadmission.id)
        .join(EncounterVersion, EncounterVersion.preadmission_id == Preadmission.id)
        .where(*_here(establishment_id), *_conditions(asked, systems))
        .order_by(*order)
    )
    if asked.after is not None:
        query = query.where(tuple_(*order) > asked.after)
    keys = session.scalars(query.limit(count + 1)).all()
    if not keys[:count]:
        return [], False
    rows = session.execute(_known(establishment_id).where(Preadmission.id.in_(keys[:count])).order_by(*order)).all()
    return _completed(rows), len(keys) > count


def total(establishment_id: UUID, asked: Asked, systems: Mapping[str, str]) -> int:
    counted = (
        select(func.count())
        .select_from(Preadmission)
        .join(EncounterVersion, EncounterVersion.preadmission_id == Preadmission.id)
        .where(*_here(establishment_id), *_conditions(asked, systems))
    )
    return session.scalar(counted) or 0


def one(establishment_id: UUID, preadmission_id: UUID) -> Known | None:
    query = _known(establishment_id).where(Preadmission.id == preadmission_id)
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    return _completed(rows)[0] if rows else None


def of_patient(establishment_id: UUID, patient_id: UUID) -> list[Known]:
    """The latest version first."""
    query = _known(establishment_id).where(Preadmission.patient_id == patient_id)
    return _completed(session.execute(query.order_by(EncounterVersion.at.desc()).limit(100)).all())


def _here(establishment_id: UUID) -> Sequence[ColumnElement[bool]]:
    """Every file that its hospital may see, masked and confidential ones too; none that was erased."""
    return (
        Preadmission.establishment_id == establishment_id,
        EncounterVersion.establishment_id == establishment_id,
        Preadmission.state != "purged",
    )


def _known(establishment_id: UUID) -> Select[Preadmission, EncounterVersion, str | None]:
    record = and_(
        PatientRecord.patient_id == Preadmission.patient_id,
        PatientRecord.establishment_id == Preadmission.establishment_id,
    )
    return (
        select(Preadmission, EncounterVersion, PatientRecord.ipp)
        .join(EncounterVersion, EncounterVersion.preadmission_id == Preadmission.id)
        .outerjoin(PatientRecord, record)
        .where(*_here(establishment_id))
        .options(
            joinedload(Preadmission.patient),
            joinedload(Preadmission.establishment),
            joinedload(Preadmission.unit).joinedload(Unit.site),
        )
    )


def _completed(rows: Sequence[Any]) -> list[Known]:
    files = [row[0] for row in rows]
    named = _names(files)
    instructions = _instructions(files)
    return [
        Known(file, version.version, version.at, version.appointment, named.get(file.id, ()), file.ipp or ipp or "",
              instructions.get(file.id, ""))
        for file, version, ipp in rows
    ]  # fmt: skip


def _names(files: Sequence[Preadmission]) -> dict[UUID, list[Identifier]]:
    found: dict[UUID, list[Identifier]] = {}
    keys = [file.id for file in files]
    for each in session.scalars(select(EncounterIdentifier).where(EncounterIdentifier.preadmission_id.in_(keys))):
        found.setdefault(each.preadmission_id, []).append((each.system, each.value))
    return {key: sorted(each) for key, each in found.items()}


def _instructions(files: Sequence[Preadmission]) -> dict[UUID, str]:
    """What the hospital told the patient: its reason, and what is to be sent again, by our codes and its own words."""
    back = [file.id for file in files if file.state == "to_complete"]
    again: dict[UUID, list[str]] = {}
    if back:
        asked = select(Piece.folder_id, Piece.kind, Piece.refusal_reason, Piece.note)
        refused = asked.where(Piece.folder_id.in_(back), Piece.state.in_(TO_REDO)).order_by(Piece.kind)
        for folder_id, kind, reason, note in session.execute(refused):
            words = " ".join(filter(None, (reason, note)))
            again.setdefault(folder_id, []).append(f"{kind}: {words}" if words else kind)
    found = {}
    for file in files:
        if file.state in ("to_complete", "refused", "cancelled_by_hospital"):
            found[file.id] = "; ".join(filter(None, (file.decision_reason, *again.get(file.id, ()))))
    return found


# -- what a search says --------------------------------------------------------------------------------------------


def _conditions(asked: Asked, systems: Mapping[str, str]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.ids is not None:
        conditions.append(Preadmission.id.in_(asked.ids))
    if asked.codes is not None:
        conditions.append(or_(*(_under(code) for code in asked.codes)))
    conditions += [or_(*(_named(each, systems) for each in group)) for group in asked.identifiers]
    conditions += [Preadmission.patient_id.in_(group) for group in asked.patients]
    bounds: tuple[tuple[Any, Any, Any], ...] = (
        (Preadmission.planned_on, asked.since, asked.until),
        (EncounterVersion.at, asked.changed_since, asked.changed_until),
    )
    for column, since, until in bounds:
        conditions += [column >= since] if since is not None else []
        conditions += [column < until] if until is not None else []
    return conditions


def _under(code: str) -> ColumnElement[bool]:
    within = Preadmission.state.in_(statuses.states_of(code))
    untouched = Preadmission.changed_at <= Preadmission.created_at
    if code == "CREATED":
        return and_(within, untouched)
    return and_(within, ~and_(Preadmission.state == "draft", untouched)) if code == "IN_PROGRESS" else within


def _named(token: tuple[str | None, str], systems: Mapping[str, str]) -> ColumnElement[bool]:
    """A file under this identifier: our reference, the hospital's visit number, another system's."""
    system, value = token
    others = exists().where(
        EncounterIdentifier.preadmission_id == Preadmission.id,
        EncounterIdentifier.value == value,
        *([EncounterIdentifier.system == system] if system is not None else []),
    )
    own = {systems["own"]: Preadmission.reference == value, systems["visit"]: Preadmission.visit_number == value}
    if system is None:
        return or_(others, *own.values())
    return or_(others, own[system]) if system in own else others


def patients(establishment_id: UUID, identifiers: Collection[tuple[str | None, str]], ipp: str) -> list[UUID]:
    """The patients of this hospital under these identifiers: its own number (ipp: the system of these), or a qualified
    national identity. Never by name."""
    numbers = [value for system, value in identifiers if system in (None, ipp)]
    national = [(system or "", value) for system, value in identifiers if system not in (None, ipp)]
    conditions: list[ColumnElement[bool]] = [PatientRecord.ipp.in_(numbers)] if numbers else []
    conditions += [
        and_(Patient.ins == value, Patient.ins_oid == system.removeprefix("urn:oid:"),
             Patient.identity_status == "QUAL")
        for system, value in national if value
    ]  # fmt: skip
    if not conditions:
        return []
    record = and_(PatientRecord.patient_id == Patient.id, PatientRecord.establishment_id == establishment_id)
    return list(session.scalars(select(Patient.id).join(PatientRecord, record).where(or_(*conditions)).distinct()))


def visit_of_another(file: Preadmission, visit_number: str) -> bool:
    """Whether the hospital has told this visit number of another patient's file."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Preadmission.establishment_id == file.establishment_id,
                    Preadmission.visit_number == visit_number,
                    Preadmission.patient_id != file.patient_id,
                )
            )
        )
    )


def unit(establishment_id: UUID, uf: str) -> Unit | None:
    """By its UF; the hospital's only one when none is said."""
    query = select(Unit).where(Unit.establishment_id == establishment_id)
    rows = session.scalars((query.where(Unit.uf == uf) if uf else query).limit(2)).all()
    return rows[0] if len(rows) == 1 else None


# -- what is in a file ---------------------------------------------------------------------------------------------


def said_at(preadmission_id: UUID, step: str) -> datetime | None:
    """When a step was saved."""
    return session.scalar(
        select(StepAnswers.filled_at).where(StepAnswers.preadmission_id == preadmission_id, StepAnswers.step == step)
    )


def page(establishment_id: UUID, page_id: UUID) -> tuple[PiecePage, Piece] | None:
    """A page of a piece that the hospital was sent, if this machine's rights show it."""
    found = session.scalar(
        select(PiecePage)
        .join(PiecePage.piece)
        .options(joinedload(PiecePage.piece))
        .where(PiecePage.id == page_id, Piece.establishment_id == establishment_id, Piece.shared_at.is_not(None))
    )
    return None if found is None else (found, found.piece)
