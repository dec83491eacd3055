"""How a place in a circle is written: the row, the immutable line of what changed, the audit."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from auth.models import Patient
from portal import audit, db
from portal.db import session
from services.circle import states
from services.circle.models import CircleChange, CircleMember


@dataclass(frozen=True)
class Somebody:
    """A professional as a directory, a person or a file names them. identity: "" when only named."""

    identity: str
    name: str
    occupation: str = ""
    place: str = ""


@dataclass(frozen=True)
class Sharing:
    """What somebody may see, and until when (None: until it is taken back)."""

    scopes: tuple[str, ...] = ()
    until_at: datetime | None = None

    @classmethod
    def of(cls, scopes: Collection[str], until_at: datetime | None = None) -> "Sharing":
        return cls(tuple(each for each in states.SCOPES if each in scopes), until_at)


def new_member(
    patient: Patient, who: Somebody, role: str, standing: str, state: str, origin: str, sharing: Sharing
) -> CircleMember:
    """A row that is not written yet."""
    return CircleMember(
        id=uuid4(),
        patient_id=patient.id,
        identity=who.identity,
        name=who.name,
        occupation=who.occupation,
        place=who.place,
        role=role,
        standing=standing,
        state=state,
        origin=origin,
        scopes=list(sharing.scopes),
        until_at=sharing.until_at,
        since_at=db.now() if state == states.ACTIVE else None,
        patient_name=patient.full_name,
        patient_birth_on=patient.birth_on,
        created_at=db.now(),
    )


def write_change(member: CircleMember, code: str, from_state: str) -> None:
    """One immutable line, and the audit's. code: the second word of the audit's (`circle.<code>`)."""
    session.flush()
    actor = db.current_actor()
    session.execute(
        insert(CircleChange)
        .inline()
        .values(
            id=uuid4(),
            member_id=member.id,
            code=code,
            from_state=from_state,
            to_state=member.state,
            scopes=list(member.scopes),
            until_at=member.until_at,
            actor=actor.label,
            actor_name=actor.name,
            at=db.now(),
        )
    )
    audit.record(f"circle.{code}", patient_id=member.patient_id, object_kind="circle_member", object_id=member.id)


def hold(member: CircleMember) -> None:
    """As it is now, and nobody else changes it before this transaction ends."""
    session.refresh(member, with_for_update={"of": CircleMember, "key_share": True})


def move(member: CircleMember, to_state: str, code: str) -> None:
    """From one state to another. Raises NotPossible."""
    hold(member)
    former = member.state
    states.check(former, to_state)
    member.state = to_state
    if to_state == states.ACTIVE and member.since_at is None:
        member.since_at = db.now()
    if to_state in (states.ENDED, states.REFUSED):
        member.ended_at = db.now()
    write_change(member, code, former)


def treating_doctor_of(patient_id: UUID) -> CircleMember | None:
    return session.scalar(
        select(CircleMember).where(
            CircleMember.patient_id == patient_id,
            CircleMember.role == states.TREATING,
            CircleMember.state.in_(states.STANDING_ONES),
        )
    )


def known_as(patient_id: UUID, identity: str) -> CircleMember | None:
    """The place that this professional has, or asks for."""
    if not identity:
        return None
    return session.scalar(
        select(CircleMember).where(
            CircleMember.patient_id == patient_id,
            CircleMember.identity == identity,
            CircleMember.state.in_((states.ASKED, *states.STANDING_ONES)),
        )
    )


def make_way(patient_id: UUID, besides: UUID | None = None) -> None:
    """There is one treating doctor: the former one leaves."""
    former = treating_doctor_of(patient_id)
    if former is not None and former.id != besides:
        move(former, states.ENDED, "treating_doctor_changed")
