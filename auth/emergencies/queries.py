"""Openings in an emergency: the agent's own that last, and those of an auditor's hospitals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from auth.identity import traits
from auth.models import Account, EmergencyAccess, Patient, PatientRecord
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.establishments import Establishment


@dataclass(frozen=True)
class Wanted:
    """Whose file: by the hospital's number, or by all three traits, exactly."""

    ipp: str = ""
    birth_name: str = ""
    first_name: str = ""
    birth_on: date | None = None


def find(establishment_id: UUID, wanted: Wanted) -> Patient | None:
    """The one patient of this hospital who is described; None when nobody is, and when several are."""
    query = select(Patient).join(PatientRecord, PatientRecord.patient_id == Patient.id)
    query = query.where(PatientRecord.establishment_id == establishment_id)
    if wanted.ipp:
        return session.scalar(query.where(PatientRecord.ipp == wanted.ipp))
    born = session.scalars(query.where(Patient.birth_on == wanted.birth_on).limit(500)).all()
    names = (traits.key(wanted.birth_name), traits.key(wanted.first_name))
    found = [each for each in born if (traits.key(each.birth_name), traits.first_key(each.first_names)) == names]
    return found[0] if len(found) == 1 else None


def mine(access_id: UUID) -> EmergencyAccess | None:
    """An opening of the agent's own that still lasts, at a hospital where they still work."""
    actor = db.current_actor()
    return session.scalar(
        select(EmergencyAccess).where(
            EmergencyAccess.id == access_id,
            EmergencyAccess.account_id == actor.account_id,
            EmergencyAccess.establishment_id.in_(actor.establishments),
            EmergencyAccess.ends_at > db.now(),
        )
    )


def my_open_ones() -> Sequence[tuple[EmergencyAccess, Patient]]:
    """The files that the agent has open now, the last one first."""
    query = select(EmergencyAccess, Patient).join(Patient, Patient.id == EmergencyAccess.patient_id)
    query = query.where(EmergencyAccess.account_id == db.current_actor().account_id, EmergencyAccess.ends_at > db.now())
    return [(opened, patient) for opened, patient in session.execute(query.order_by(EmergencyAccess.opened_at.desc()))]


@dataclass(frozen=True)
class Opening:
    """One opening as an auditor reads it. number: the patient's, at that hospital."""

    access: EmergencyAccess
    agent: Account
    hospital: Establishment
    patient: Patient | None
    number: str
    reviewer: Account | None = None


def openings(establishment_ids: Collection[UUID], *, judged: bool, limit: int = 100) -> list[Opening]:
    """Those that nobody has judged, the oldest first; or those judged, the latest first."""
    query = _openings(establishment_ids).where(EmergencyAccess.reviewed_at.is_not(None) == judged)
    order = EmergencyAccess.reviewed_at.desc() if judged else EmergencyAccess.opened_at
    return [Opening(*row) for row in session.execute(query.order_by(order).limit(limit))]


def one_opening(establishment_ids: Collection[UUID], access_id: UUID) -> Opening | None:
    row = session.execute(_openings(establishment_ids).where(EmergencyAccess.id == access_id)).first()
    return Opening(*row) if row else None


def count_to_judge(establishment_ids: Collection[UUID]) -> int:
    """How many openings wait for a judgement of somebody else than the one who asks."""
    return session.scalar(to_judge(establishment_ids)) or 0


def to_judge(establishment_ids: Collection[UUID]) -> Select[int]:
    """The same, for whoever asks it with something else."""
    return select(func.count()).where(
        EmergencyAccess.establishment_id.in_(establishment_ids),
        EmergencyAccess.reviewed_at.is_(None),
        EmergencyAccess.account_id != db.current_actor().account_id,
    )


def looked_at(access: EmergencyAccess) -> Sequence[AuditEvent]:
    """What was done with the file, in order."""
    return session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.establishment_id == access.establishment_id,
            AuditEvent.patient_id == access.patient_id,
            AuditEvent.object_kind == "emergency_access",
            AuditEvent.object_id == access.id,
        )
        .order_by(AuditEvent.id)
        .limit(200)
    ).all()


def _openings(establishment_ids: Collection[UUID]) -> Select[*tuple[Any, ...]]:
    reviewer = aliased(Account)
    record = (PatientRecord.patient_id == EmergencyAccess.patient_id) & (
        PatientRecord.establishment_id == EmergencyAccess.establishment_id
    )
    query: Select[*tuple[Any, ...]] = (
        select(EmergencyAccess, Account, Establishment, Patient, func.coalesce(PatientRecord.ipp, ""), reviewer)
        .join(Account, Account.id == EmergencyAccess.account_id)
        .join(Establishment, Establishment.id == EmergencyAccess.establishment_id)
        .outerjoin(Patient, Patient.id == EmergencyAccess.patient_id)
        .outerjoin(PatientRecord, record)
        .outerjoin(reviewer, reviewer.id == EmergencyAccess.reviewed_by)
        .where(EmergencyAccess.establishment_id.in_(establishment_ids))
    )
    return query
