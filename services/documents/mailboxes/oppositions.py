"""Patients who do not want what is about them to leave by MSSanté (référentiel 2, MSS/va1.20 and va1.22)."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import audit, db
from portal.db import session
from services.documents.mailboxes.models import MailOpposition


def standing(patient_id: UUID, establishment_id: UUID) -> Sequence[MailOpposition]:
    """What a patient opposes at a hospital today."""
    return session.scalars(
        select(MailOpposition)
        .where(
            MailOpposition.patient_id == patient_id,
            MailOpposition.establishment_id == establishment_id,
            MailOpposition.ended_at.is_(None),
        )
        .order_by(MailOpposition.audience)
    ).all()


def stands(patient_id: UUID, establishment_id: UUID, audience: str) -> bool:
    """Whether they oppose it. audience: professional | patient (their own box)."""
    return any(each.audience == audience for each in standing(patient_id, establishment_id))


def oppose(patient_id: UUID, establishment_id: UUID, audience: str) -> MailOpposition:
    """Write down that a patient does not want it; said twice, it is the same opposition."""
    for each in standing(patient_id, establishment_id):
        if each.audience == audience:
            return each
    actor = db.current_actor()
    opposed = MailOpposition(
        id=uuid4(),
        patient_id=patient_id,
        establishment_id=establishment_id,
        audience=audience,
        actor=actor.label,
        actor_name=actor.name,
        created_at=db.now(),
    )
    session.add(opposed)
    session.flush()
    _record("mail_opposition.written", opposed)
    return opposed


def withdraw(opposed: MailOpposition) -> None:
    """Write down that they changed their mind."""
    if opposed.ended_at is None:
        opposed.ended_at = db.now()
        session.flush()
        _record("mail_opposition.withdrawn", opposed)


def _record(action: str, opposed: MailOpposition) -> None:
    audit.record(
        action,
        patient_id=opposed.patient_id,
        establishment_id=opposed.establishment_id,
        object_kind="mail_opposition",
        object_id=opposed.id,
        audience=opposed.audience,
    )
