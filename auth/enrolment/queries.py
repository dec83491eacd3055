"""What is shown of links: to the person, at each hospital; to the identity unit, what waits and what was done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import joinedload

from auth.enrolment.models import EnrolmentMove, Link, LinkCode, LinkRequest
from auth.identity import traits
from auth.models import Account, Patient, PatientAccess, PatientRecord
from portal import db, establishments
from portal.audit import AuditEvent
from portal.db import session
from portal.establishments import Establishment

_MOST: Final = 50


@dataclass(frozen=True)
class Standing:
    """Where a person stands with one hospital: `linked`, `waiting` or `not_linked`."""

    hospital: Establishment
    state: str
    request: LinkRequest | None = None


def standings(patient_id: UUID) -> list[Standing]:
    """Each hospital of the group, and whether this person is linked to it."""
    numbered = set(
        session.scalars(
            select(PatientRecord.establishment_id).where(
                PatientRecord.patient_id == patient_id, PatientRecord.ipp.is_not(None)
            )
        )
    )
    asked = {
        request.establishment_id: request
        for request in session.scalars(
            select(LinkRequest).where(
                LinkRequest.patient_id == patient_id,
                LinkRequest.decided_at.is_(None),
                LinkRequest.asked_at.is_not(None),
            )
        )
    }
    return [_standing(hospital, numbered, asked) for hospital in establishments.establishments()]


def standing(patient_id: UUID, finess: str) -> Standing | None:
    """Where a person stands with the hospital of this FINESS number."""
    return next((each for each in standings(patient_id) if each.hospital.finess == finess), None)


def _standing(hospital: Establishment, numbered: set[UUID], asked: dict[UUID, LinkRequest]) -> Standing:
    if hospital.id in numbered:
        return Standing(hospital, "linked")
    request = asked.get(hospital.id)
    return Standing(hospital, "waiting" if request else "not_linked", request)


# -- for the identity unit -----------------------------------------------------------------------------------------


def waiting_requests(places: Collection[UUID]) -> Sequence[LinkRequest]:
    """Links that a person must decide, oldest first."""
    return session.scalars(
        select(LinkRequest)
        .options(joinedload(LinkRequest.patient), joinedload(LinkRequest.establishment))
        .where(LinkRequest.establishment_id.in_(places), LinkRequest.decided_at.is_(None))
        .order_by(LinkRequest.created_at)
        .limit(200)
    ).all()


def waiting_request(places: Collection[UUID], request_id: UUID) -> LinkRequest | None:
    return session.scalar(
        select(LinkRequest).where(LinkRequest.id == request_id, LinkRequest.establishment_id.in_(places))
    )


@dataclass(frozen=True)
class Candidate:
    """Somebody the hospital knows under a number, and the traits that differ from those of who asks."""

    patient: Patient
    ipp: str
    differs: tuple[str, ...] = ()
    is_held: bool = False


def candidates(establishment_id: UUID, person: Patient) -> list[Candidate]:
    """Those the hospital knows under a number and who differ from this person by two traits at most, nearest first."""
    near = or_(
        and_(Patient.birth_on == person.birth_on, Patient.name_key == person.name_key),
        and_(Patient.birth_on == person.birth_on, Patient.first_key == person.first_key),
        and_(Patient.name_key == person.name_key, Patient.first_key == person.first_key),
    )
    rows = session.execute(_numbered(establishment_id).where(near, Patient.id != person.id).limit(_MOST)).all()
    found = [
        Candidate(known, ipp or "", traits.differences(known, person), held is not None) for known, ipp, held in rows
    ]
    return sorted(
        (each for each in found if len(each.differs) <= 2), key=lambda each: (each.is_held, len(each.differs))
    )


def by_number(establishment_id: UUID, ipp: str, person: Patient | None = None) -> Candidate | None:
    """Who bears this number at the hospital."""
    row = session.execute(_numbered(establishment_id).where(PatientRecord.ipp == ipp)).first()
    if row is None:
        return None
    known, number, held = row
    return Candidate(known, number or "", traits.differences(known, person) if person else (), held is not None)


def _numbered(establishment_id: UUID) -> Select[Patient, str | None, UUID | None]:
    return (
        select(Patient, PatientRecord.ipp, PatientAccess.account_id)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .outerjoin(
            PatientAccess,
            and_(
                PatientAccess.patient_id == Patient.id,
                PatientAccess.relation == "self",
                PatientAccess.revoked_at.is_(None),
            ),
        )
        .where(PatientRecord.establishment_id == establishment_id, PatientRecord.ipp.is_not(None))
    )


@dataclass(frozen=True)
class Found:
    """A line of the search. ipp: "" for somebody who has no number there yet."""

    patient: Patient
    hospital: Establishment
    ipp: str


def search(places: Collection[UUID], *, ipp: str = "", name: str = "", birth_on: date | None = None) -> list[Found]:
    """Patients of these hospitals with this number, or of this birth name or name of use and born that day."""
    query = (
        select(Patient, Establishment, PatientRecord.ipp)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .join(Establishment, Establishment.id == PatientRecord.establishment_id)
        .where(PatientRecord.establishment_id.in_(places))
        .order_by(Patient.name_key, Patient.first_key)
        .limit(_MOST)
    )
    if ipp:
        query = query.where(PatientRecord.ipp == ipp)
    elif birth_on:
        query = query.where(Patient.birth_on == birth_on)
    else:
        return []
    wanted = traits.key(name)
    return [
        Found(patient, hospital, number or "")
        for patient, hospital, number in session.execute(query)
        if not wanted or wanted in (patient.name_key, traits.key(patient.used_name))
    ]


@dataclass(frozen=True)
class IdentityFile:
    """All that an identity unit sees of one patient at its hospitals."""

    patient: Patient
    records: Sequence[tuple[PatientRecord, Establishment]]
    accesses: Sequence[tuple[PatientAccess, Account]]
    links: Sequence[Link]
    codes: Sequence[LinkCode]

    @property
    def current_link(self) -> Link | None:
        return next((link for link in self.links if link.undone_at is None), None)


def identity_file(places: Collection[UUID], patient_id: UUID) -> IdentityFile | None:
    """A patient that one of these hospitals knows, or None."""
    records = session.execute(
        select(PatientRecord, Establishment)
        .join(Establishment, Establishment.id == PatientRecord.establishment_id)
        .where(PatientRecord.patient_id == patient_id, PatientRecord.establishment_id.in_(places))
    ).all()
    if not records:
        return None
    accesses = session.execute(
        select(PatientAccess, Account)
        .join(Account, Account.id == PatientAccess.account_id)
        .where(PatientAccess.patient_id == patient_id)
        .order_by(PatientAccess.created_at)
    ).all()
    return IdentityFile(
        session.get_one(Patient, patient_id),
        [(record, hospital) for record, hospital in records],
        [(access, account) for access, account in accesses],
        _links(places, patient_id),
        _codes(places, patient_id),
    )


def _links(places: Collection[UUID], patient_id: UUID) -> Sequence[Link]:
    return session.scalars(
        select(Link)
        .options(joinedload(Link.record_patient), joinedload(Link.patient), joinedload(Link.establishment))
        .where(
            Link.establishment_id.in_(places),
            or_(Link.patient_id == patient_id, Link.record_patient_id == patient_id),
        )
        .order_by(Link.linked_at.desc())
    ).all()


def _codes(places: Collection[UUID], patient_id: UUID) -> Sequence[LinkCode]:
    return session.scalars(
        select(LinkCode)
        .where(LinkCode.patient_id == patient_id, LinkCode.establishment_id.in_(places))
        .order_by(LinkCode.made_at.desc())
        .limit(5)
    ).all()


def link_at(places: Collection[UUID], link_id: UUID) -> Link | None:
    return session.scalar(
        select(Link)
        .options(joinedload(Link.patient), joinedload(Link.establishment))
        .where(Link.id == link_id, Link.establishment_id.in_(places))
    )


def moved_rows(link: Link) -> dict[str, int]:
    """How many rows of each table came with a link."""
    counted: dict[str, int] = {}
    for table in session.scalars(select(EnrolmentMove.table).where(EnrolmentMove.cause_id == link.id)):
        counted[table] = counted.get(table, 0) + 1
    return counted


def seen_through(link: Link) -> Sequence[AuditEvent]:
    """What somebody did or opened at that hospital, as the wrong person, while the link held."""
    return session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.patient_id == link.patient_id,
            AuditEvent.establishment_id == link.establishment_id,
            AuditEvent.actor.like("patient:%"),
            AuditEvent.at >= link.linked_at,
            AuditEvent.at <= (link.undone_at or db.now()),
        )
        .order_by(AuditEvent.id)
        .limit(500)
    ).all()
