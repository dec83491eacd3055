"""Whom a practitioner of the city sends: never the person's own row, only the practitioner's own words about them."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from auth.identity.traits import key
from portal.db import session
from services.sent_patients.models import SentPatient


class Named(Protocol):
    """Whoever is named as a practitioner names a patient."""

    @property
    def birth_name(self) -> str: ...
    @property
    def first_name(self) -> str: ...
    @property
    def birth_on(self) -> date: ...


_MOST = 200
_LATELY = 10


def patients(professional_id: UUID) -> Sequence[SentPatient]:
    """Those this practitioner described lately, each once, by name."""
    rows = session.scalars(
        select(SentPatient)
        .where(SentPatient.professional_id == professional_id)
        .order_by(SentPatient.created_at.desc())
        .limit(_MOST)
    ).all()
    once = {(key(each.birth_name), key(each.first_name), each.birth_on): each for each in reversed(rows)}
    lately = sorted(once.values(), key=lambda each: each.created_at)[-_LATELY:]
    return sorted(lately, key=lambda each: (each.birth_name, each.first_name))


def patient(professional_id: UUID, sent_patient_id: UUID) -> SentPatient | None:
    return session.scalar(
        select(SentPatient).where(SentPatient.id == sent_patient_id, SentPatient.professional_id == professional_id)
    )


def described_at(professional_id: UUID, establishment_id: UUID, told: Named) -> SentPatient | None:
    """Somebody as this practitioner described them to this hospital; None when they did not yet."""
    return session.scalar(
        select(SentPatient)
        .where(
            SentPatient.professional_id == professional_id,
            SentPatient.establishment_id == establishment_id,
            SentPatient.birth_name == told.birth_name.strip().upper(),
            SentPatient.first_name == told.first_name.strip(),
            SentPatient.birth_on == told.birth_on,
        )
        .order_by(SentPatient.created_at.desc())
        .limit(1)
    )
