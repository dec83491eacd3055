"""A patient shows a code in the consultation: whoever types it is in the circle, with what the patient chose."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from auth.models import Patient
from auth.records import as_system
from portal import audit, db
from portal.db import session
from services.circle import mails, states, telling
from services.circle.actions.members import NothingShared
from services.circle.actions.writing import Sharing, Somebody, known_as, make_way, new_member, write_change
from services.circle.models import CircleCode, CircleMember

LIFE: Final = timedelta(minutes=10)
LENGTH: Final = 8
_SIGNS: Final = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowel, so no word; nothing that looks like something else


class CodeRefused(Exception):
    """The code is unknown, used, or too old."""


def make_code(patient_id: UUID, role: str, standing: str, sharing: Sharing) -> str:
    """A code to show, good once and for ten minutes; the former ones are void. Raises NothingShared."""
    account_id = db.current_actor().account_id
    standing = states.TEAM if role == states.TREATING else standing
    if not sharing.scopes or (standing == states.OUTSIDE and sharing.until_at is None):
        raise NothingShared
    session.execute(
        update(CircleCode)
        .where(CircleCode.patient_id == patient_id, CircleCode.used_at.is_(None))
        .values(used_at=db.now()),
        execution_options={"synchronize_session": False},
    )
    code, made = "".join(secrets.choice(_SIGNS) for _ in range(LENGTH)), uuid4()
    session.execute(
        insert(CircleCode)
        .inline()
        .values(
            id=made,
            account_id=account_id,
            patient_id=patient_id,
            digest=digest(code),
            role=role,
            standing=standing,
            scopes=list(sharing.scopes),
            until_at=sharing.until_at,
            created_at=db.now(),
            expires_at=db.now() + LIFE,
        )
    )
    audit.record("circle.code_made", patient_id=patient_id, object_kind="circle_code", object_id=made)
    return code


def digest(code: str) -> bytes:
    """Of the code as people write it: spaces, hyphens and case do not count."""
    return hashlib.sha256("".join(sign for sign in code.upper() if sign.isalnum()).encode()).digest()


def join(code: str, who: Somebody) -> UUID:
    """A professional types the code that a patient shows: they are in the circle from now on. Raises CodeRefused."""
    with as_system("circle.join"):
        found = session.scalar(
            select(CircleCode).where(CircleCode.digest == digest(code)).with_for_update(key_share=True)
        )
        if found is None or found.used_at is not None or found.expires_at <= db.now():
            raise CodeRefused
        found.used_at = db.now()
        member_id, patient_id = _let_in(found, who).id, found.patient_id
    audit.record("circle.joined", patient_id=patient_id, object_kind="circle_member", object_id=member_id)
    return member_id


def _let_in(found: CircleCode, who: Somebody) -> CircleMember:
    """What the patient chose when they made the code holds, whatever was there before."""
    sharing = Sharing(tuple(found.scopes), found.until_at)
    member = known_as(found.patient_id, who.identity)
    if found.role == states.TREATING:
        make_way(found.patient_id, besides=member.id if member else None)
    former = member.state if member else ""
    if member is None:
        patient = session.get_one(Patient, found.patient_id)
        member = new_member(patient, who, found.role, found.standing, states.ACTIVE, "code", sharing)
        session.add(member)
    member.state, member.role, member.standing = states.ACTIVE, found.role, found.standing
    member.scopes, member.until_at, member.since_at = list(sharing.scopes), sharing.until_at, db.now()
    write_change(member, "let_in", former)
    telling.tell_patient(member.patient_id, mails.CHANGED)
    return member
