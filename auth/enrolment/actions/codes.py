"""Codes by letter or at the desk: read aloud, typed by hand, used once, kept as a keyed digest only."""

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, select, update

from auth.enrolment.models import LinkCode
from auth.identity import sealing
from auth.models import Patient, PatientRecord
from portal import audit, db, kpi
from portal.db import session

CODE_LIFE: Final = timedelta(days=30)
_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else
_LENGTH: Final = 12


def make_code(establishment_id: UUID, patient: Patient) -> str:
    """A new code for the person the hospital knows, shown once; a former one stops working. Raises LookupError when
    the hospital has no number for them.
    """
    record = session.get(PatientRecord, (patient.id, establishment_id))
    if record is None or not record.ipp:
        raise LookupError(patient.id)
    session.execute(
        update(LinkCode)
        .where(LinkCode.patient_id == patient.id, LinkCode.establishment_id == establishment_id, _is_good())
        .values(expires_at=db.now())
    )
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
    made = LinkCode(
        id=uuid4(),
        establishment_id=establishment_id,
        patient_id=patient.id,
        digest=digests(signs)[0],
        made_by=db.current_actor().name,
        expires_at=db.now() + CODE_LIFE,
    )
    session.add(made)
    session.flush()
    audit.record("link_code.made", patient_id=patient.id, establishment_id=establishment_id, object_kind="link_code",
                 object_id=made.id)  # fmt: skip
    kpi.count("link_code_made", establishment_id=establishment_id)
    return "-".join(signs[start : start + 4] for start in range(0, _LENGTH, 4))


def digests(typed: str) -> tuple[bytes, ...]:
    """Keyed, so that a copy of the database opens nothing: one for each of the portal's secrets, the first is kept.
    Spaces, hyphens and case do not count."""
    return sealing.digests("enrolment code", "".join(sign for sign in typed.upper() if sign.isalnum()))


def valid_code(establishment_id: UUID, typed: str) -> LinkCode | None:
    """The unused code of this hospital that was typed, locked until the end of the transaction."""
    return session.scalar(
        select(LinkCode)
        .where(LinkCode.digest.in_(digests(typed)), LinkCode.establishment_id == establishment_id, _is_good())
        .with_for_update(key_share=True)
    )


def _is_good() -> ColumnElement[bool]:
    return LinkCode.used_at.is_(None) & (LinkCode.expires_at > db.now())
