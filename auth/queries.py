"""What the account pages show; always the signed-in person's own (row-level security says the same)."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from auth.models import Patient, PatientAccess, PatientRecord, WebSession
from portal import db
from portal.db import session


def people() -> Sequence[PatientAccess]:
    """Oneself and those one may act for, oneself first."""
    actor = db.current_actor()
    rows = session.scalars(
        select(PatientAccess)
        .options(joinedload(PatientAccess.patient))
        .where(PatientAccess.account_id == actor.account_id, PatientAccess.patient_id.in_(actor.patients))
    ).all()
    return sorted(rows, key=lambda access: (access.relation != "self", access.patient.birth_on))


def patient(patient_id: UUID) -> Patient:
    """A patient the actor may see. Raises sqlalchemy.exc.NoResultFound."""
    return session.get_one(Patient, patient_id)


def patient_at(establishment_id: UUID, ipp: str) -> Patient | None:
    """The patient a hospital knows by this IPP."""
    return session.scalar(
        select(Patient)
        .join(PatientRecord, PatientRecord.patient_id == Patient.id)
        .where(PatientRecord.establishment_id == establishment_id, PatientRecord.ipp == ipp)
    )


def open_sessions() -> Sequence[WebSession]:
    """The person's sessions that are still open, last used first."""
    return session.scalars(
        select(WebSession)
        .where(
            WebSession.account_id == db.current_actor().account_id,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > db.now(),
            WebSession.last_seen_at + func.make_interval(0, 0, 0, 0, 0, 0, WebSession.idle_s) > db.now(),
        )
        .order_by(WebSession.last_seen_at.desc())
    ).all()
