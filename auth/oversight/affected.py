"""Whose data were touched: by whoever acted, at a hospital, in some hours, or because of a set of things that leaked.

What an incident asks for (RGPD, articles 33 and 34): how many people, who they are and how each may be told. Read in
the audit and in what is known of stored files; as a declared system job.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, text

from auth.contact.models import ContactPoint
from auth.models import Account, Patient, PatientAccess, PatientRecord
from portal.audit import AuditEvent
from portal.db import session
from portal.establishments import Establishment, goes_on, today_in
from portal.files import StoredFile

_AT_ONCE: Final = 500
_NEAREST: Final = ("self", "parent", "guardian", "curator", "carer")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Asked:
    """What is asked of the audit. first, end: moments, `end` excluded. actors: as the audit names them
    (`staff:<account>`), or account numbers alone. A field that is empty restricts nothing."""

    first: datetime
    end: datetime
    actors: Sequence[str] = ()
    establishment_id: UUID | None = None


@dataclass(frozen=True)
class Touched:
    """One person: how often and when; 0 and no moments when only a file of theirs is in the set."""

    patient_id: UUID
    times: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass(frozen=True)
class Person:
    """One person to be told. through: whose contact it is: `self` (their account), `record` (what a hospital knows),
    the relation of whoever acts for them, "" when nothing is known: they are told by letter."""

    touched: Touched
    family_name: str
    first_name: str
    birth_on: date
    email: str
    mobile: str
    through: str
    deceased_on: date | None
    finess: tuple[str, ...]


def by_audit(asked: Asked) -> Iterator[Touched]:
    """The people of the events asked for, each once."""
    conditions: list[ColumnElement[bool]] = [
        AuditEvent.at >= asked.first, AuditEvent.at < asked.end, AuditEvent.patient_id.is_not(None)
    ]  # fmt: skip
    if asked.actors:
        conditions.append(or_(*map(_is_actor, asked.actors)))
    if asked.establishment_id is not None:
        conditions.append(AuditEvent.establishment_id == asked.establishment_id)
    yield from _of_events(_summed(*conditions))


def by_things(things: Iterable[str]) -> tuple[list[Touched], int]:
    """The people of things: objects of the audit, stored files by their number, their key or a path that ends with it.
    Each once; and how many of the things lead to nobody we know."""
    found: dict[UUID, Touched] = {}
    unknown = 0
    for some in _batches(things):
        names = [each.rpartition("/")[2] for each in some]
        numbers = {name: UUID(name) for name in names if _UUID.fullmatch(name)}
        owners = _of_files(names, numbers.values()) | _of_objects(numbers.values())
        unknown += sum(not {name, _number(numbers, name)} & owners.keys() for name in names)
        for touched in (each for held in owners.values() for each in held):
            former = found.get(touched.patient_id)
            found[touched.patient_id] = _both(former, touched) if former else touched
    return list(found.values()), unknown


def people(found: Iterable[Touched]) -> Iterator[Person]:
    """Who they are and how to reach them, in the order given; four statements for five hundred."""
    for some in _batches(found):
        ids = [each.patient_id for each in some]
        known = {each.id: each for each in session.scalars(select(Patient).where(Patient.id.in_(ids)))}
        near, places = _near(ids), _places(ids)
        for touched in some:
            if patient := known.get(touched.patient_id):
                yield _person(touched, patient, near.get(patient.id, []), places.get(patient.id, []))
        for patient in known.values():
            session.expunge(patient)


def let_it_last() -> None:
    """A year of the journal may take minutes to read."""
    session.execute(text("set local statement_timeout = 0"))


Item = TypeVar("Item")


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    remaining = iter(items)
    while some := list(islice(remaining, _AT_ONCE)):
        yield some


def _is_actor(actor: str) -> ColumnElement[bool]:
    return AuditEvent.actor == actor if ":" in actor else AuditEvent.actor.like(f"%:{actor}")


Summed = Select[UUID | None, int, datetime, datetime]


def _summed(*conditions: ColumnElement[bool]) -> Summed:
    columns = AuditEvent.patient_id, func.count(), func.min(AuditEvent.at), func.max(AuditEvent.at)
    return select(*columns).where(*conditions).group_by(AuditEvent.patient_id).order_by(AuditEvent.patient_id)


def _of_events(query: Summed) -> Iterator[Touched]:
    for patient_id, times, first_at, last_at in session.execute(query.execution_options(yield_per=1000)):
        if patient_id is not None:
            yield Touched(patient_id, times, first_at, last_at)


Owners = dict[str, list[Touched]]


def _of_files(names: Collection[str], numbers: Collection[UUID]) -> Owners:
    """Name, number or key of a stored file → its person: whose file it is, or whose account sent it."""
    own = select(PatientAccess.patient_id).where(
        PatientAccess.account_id == StoredFile.account_id, PatientAccess.relation == "self"
    )
    person = func.coalesce(StoredFile.patient_id, own.limit(1).scalar_subquery())
    query = select(StoredFile.id, StoredFile.storage_key, StoredFile.shown_key, person).where(
        or_(StoredFile.id.in_(numbers), StoredFile.storage_key.in_(names), StoredFile.shown_key.in_(names))
    )
    owners: Owners = {}
    for number, *keys, patient_id in session.execute(query):
        if patient_id is not None:
            owners |= {name: [Touched(patient_id)] for name in (str(number), *keys) if name}
    return owners


def _of_objects(numbers: Collection[UUID]) -> Owners:
    """Number of a thing → the people of its lines in the audit."""
    columns = (
        AuditEvent.object_id,
        AuditEvent.patient_id,
        func.count(),
        func.min(AuditEvent.at),
        func.max(AuditEvent.at),
    )
    query = select(*columns).where(AuditEvent.object_id.in_(numbers), AuditEvent.patient_id.is_not(None))
    owners: Owners = {}
    for number, patient_id, times, first_at, last_at in session.execute(query.group_by(columns[0], columns[1])):
        if patient_id is not None:
            owners.setdefault(str(number), []).append(Touched(patient_id, times, first_at, last_at))
    return owners


def _number(numbers: Mapping[str, UUID], name: str) -> str:
    return str(numbers[name]) if name in numbers else name


def _both(one: Touched, other: Touched) -> Touched:
    first_at = min((each.first_at for each in (one, other) if each.first_at), default=None)
    last_at = max((each.last_at for each in (one, other) if each.last_at), default=None)
    return Touched(one.patient_id, one.times + other.times, first_at, last_at)


@dataclass(frozen=True)
class _Near:
    """Somebody who may be told for a person: themselves, or who acts for them."""

    relation: str
    email: str
    mobile: str


def _near(ids: Collection[UUID]) -> Mapping[UUID, list[_Near]]:
    mobile = (
        select(ContactPoint.value)
        .where(
            ContactPoint.account_id == Account.id,
            ContactPoint.kind == "mobile",
            ContactPoint.verified_at.is_not(None),
            ContactPoint.replaced_at.is_(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    query = select(PatientAccess.patient_id, PatientAccess.relation, Account.email, mobile).join(
        Account, Account.id == PatientAccess.account_id
    )
    held = query.where(
        PatientAccess.patient_id.in_(ids),
        PatientAccess.revoked_at.is_(None),
        goes_on(PatientAccess.ends_on, today_in(PatientAccess.time_zone)),
        Account.closed_at.is_(None),
    )
    found: dict[UUID, list[_Near]] = {}
    for patient_id, relation, email, number in session.execute(held.order_by(PatientAccess.created_at)):
        found.setdefault(patient_id, []).append(_Near(relation, email, number or ""))
    for each in found.values():
        each.sort(key=lambda near: _NEAREST.index(near.relation))
    return found


def _places(ids: Collection[UUID]) -> Mapping[UUID, list[str]]:
    query = select(PatientRecord.patient_id, Establishment.finess).where(
        PatientRecord.patient_id.in_(ids), PatientRecord.establishment_id == Establishment.id
    )
    found: dict[UUID, list[str]] = {}
    for patient_id, finess in session.execute(query.order_by(Establishment.finess)):
        found.setdefault(patient_id, []).append(finess)
    return found


def _person(touched: Touched, patient: Patient, near: Sequence[_Near], places: Sequence[str]) -> Person:
    record = [_Near("record", patient.email, patient.mobile)]
    own = [each for each in near if each.relation == "self"]
    others = [each for each in near if each.relation != "self"]
    reached = next((each for each in (*own, *record, *others) if each.email or each.mobile), _Near("", "", ""))
    return Person(
        touched,
        patient.used_name or patient.birth_name,
        patient.first_name,
        patient.birth_on,
        reached.email,
        reached.mobile,
        reached.relation,
        patient.deceased_on,
        tuple(places),
    )
