"""What is read about deaths: by agents, by the doors, and before any message leaves."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import joinedload

from auth.death.models import Death
from auth.models import Account, Patient, PatientAccess, PatientRecord
from portal import db
from portal.db import session

PAGE_SIZE = 50


def is_silenced(account_id: UUID | None, patient_id: UUID | None) -> bool:
    """Whether a message to this account, or about this patient, would be to or about somebody who died. For jobs."""
    own = select(PatientAccess.patient_id).where(
        PatientAccess.account_id == account_id, PatientAccess.relation == "self"
    )
    concerned = or_(Patient.id == patient_id, Patient.id.in_(own))
    return bool(session.scalar(select(exists().where(Patient.deceased_on.is_not(None), concerned))))


def is_closed(account_id: UUID) -> bool:
    """Whether nobody signs in with this account any more. Opens a transaction of its own: its owner is nobody now."""
    with db.transaction(db.system("death.is_closed")) as current:
        return current.scalar(select(Account.closed_at).where(Account.id == account_id)) is not None


def in_force(patient_id: UUID) -> Death | None:
    """The declaration that stands."""
    return session.scalar(select(Death).where(Death.patient_id == patient_id, Death.undone_at.is_(None)))


def deaths_at(establishments: Collection[UUID], page: int = 1) -> Sequence[Death]:
    """Declarations about patients of these hospitals: those that wait for a second agent first, then the latest; one
    more row when there is a next page."""
    waiting = Death.undo_asked_at.is_not(None) & Death.undone_at.is_(None)
    return session.scalars(
        select(Death)
        .options(joinedload(Death.patient), joinedload(Death.establishment))
        .where(Death.patient_id.in_(_known_at(establishments)))
        .order_by(waiting.desc(), Death.declared_at.desc(), Death.id)
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    ).all()


def one_at(establishments: Collection[UUID], death_id: UUID) -> Death | None:
    return session.scalar(
        select(Death)
        .options(joinedload(Death.patient), joinedload(Death.establishment))
        .where(Death.id == death_id, Death.patient_id.in_(_known_at(establishments)))
    )


def homes_of(patient_id: UUID, establishments: Collection[UUID]) -> Sequence[UUID]:
    """Which of these hospitals know the patient."""
    return session.scalars(
        select(PatientRecord.establishment_id).where(
            PatientRecord.patient_id == patient_id, PatientRecord.establishment_id.in_(establishments)
        )
    ).all()


def ended_by(death: Death) -> tuple[int, int]:
    """How many accounts were closed, and how many people's accesses ended. As the system: agents see neither."""
    accounts = select(func.count()).select_from(Account).where(Account.closed_at == death.declared_at)
    accesses = (
        select(func.count())
        .select_from(PatientAccess)
        .where(PatientAccess.revoked_at == death.declared_at, PatientAccess.relation != "self")
    )
    return session.scalar(accounts) or 0, session.scalar(accesses) or 0


def _known_at(establishments: Collection[UUID]) -> Any:
    return select(PatientRecord.patient_id).where(PatientRecord.establishment_id.in_(establishments))
