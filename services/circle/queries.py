"""What is read of circles: a patient's own, and those in which a professional is let."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from auth.models import Professional
from auth.practice import wording
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from services.circle import states
from services.circle.actions.writing import Somebody
from services.circle.models import CircleChange, CircleChoice, CircleCode, CircleMember, CircleProposal

_MOST: Final = 200
_LOOKED: Final = ("circle.opened", "document.opened", "document.downloaded")


# -- the patient's side --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Circle:
    """Everybody around a patient, those who left included."""

    members: Sequence[CircleMember]
    has_none: bool

    @property
    def treating(self) -> CircleMember | None:
        return next((each for each in self.standing if each.is_treating), None)

    @property
    def standing(self) -> list[CircleMember]:
        return [each for each in self.members if each.state in states.STANDING_ONES]

    @property
    def team(self) -> list[CircleMember]:
        return [each for each in self.standing if each.standing == states.TEAM and not each.is_treating]

    @property
    def outside(self) -> list[CircleMember]:
        return [each for each in self.standing if each.standing == states.OUTSIDE]

    @property
    def asking(self) -> list[CircleMember]:
        return [each for each in self.members if each.state == states.ASKED]

    @property
    def former(self) -> list[CircleMember]:
        return [each for each in self.members if each.state in (states.ENDED, states.REFUSED)]


def circle(patient_id: UUID) -> Circle:
    members = session.scalars(
        select(CircleMember)
        .options(joinedload(CircleMember.establishment))
        .where(CircleMember.patient_id == patient_id)
        .order_by(CircleMember.created_at.desc(), CircleMember.id)
        .limit(_MOST)
    ).all()
    choice = session.get(CircleChoice, patient_id)
    return Circle(members, choice is not None and choice.no_treating_doctor_at is not None)


def member_of(patient_id: UUID, member_id: UUID) -> CircleMember | None:
    return session.scalar(
        select(CircleMember)
        .options(joinedload(CircleMember.establishment))
        .where(CircleMember.id == member_id, CircleMember.patient_id == patient_id)
    )


def changes_of(member: CircleMember) -> Sequence[CircleChange]:
    """What changed about somebody, latest first."""
    return session.scalars(
        select(CircleChange).where(CircleChange.member_id == member.id).order_by(CircleChange.at.desc())
    ).all()


@dataclass(frozen=True)
class Looked:
    """How often one professional looked at the file, and when last. account_id: theirs."""

    account_id: str
    name: str
    times: int
    last_at: datetime


def lookers(patient_id: UUID) -> Sequence[Looked]:
    """Professionals of the city who looked at this person's file, the latest first."""
    last = func.max(AuditEvent.at)
    rows = session.execute(
        select(AuditEvent.actor, func.max(AuditEvent.actor_name), func.count(), last)
        .where(AuditEvent.patient_id == patient_id, *_professionals_look())
        .group_by(AuditEvent.actor)
        .order_by(last.desc())
        .limit(_MOST)
    )
    return [Looked(actor.partition(":")[2], name, times, at) for actor, name, times, at in rows]


def _professionals_look() -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.actor.like("professional:%"), AuditEvent.action.in_(_LOOKED)


def looks_of(member: CircleMember) -> Sequence[AuditEvent]:
    """When this member looked, and at what; latest first."""
    if member.account_id is None:
        return []
    return session.scalars(
        select(AuditEvent)
        .where(
            AuditEvent.patient_id == member.patient_id,
            AuditEvent.actor == f"professional:{member.account_id}",
            AuditEvent.action.in_(_LOOKED),
        )
        .order_by(AuditEvent.id.desc())
        .limit(_MOST)
    ).all()


def code_of(patient_id: UUID) -> CircleCode | None:
    """The code that waits to be typed."""
    return session.scalar(
        select(CircleCode)
        .where(CircleCode.patient_id == patient_id, CircleCode.used_at.is_(None), CircleCode.expires_at > db.now())
        .order_by(CircleCode.created_at.desc())
        .limit(1)
    )


# -- the professional's side ---------------------------------------------------------------------------------------


def myself() -> Somebody | None:
    """The professional who is signed in, in person; None for whoever has no national identifier."""
    found = session.scalar(select(Professional).where(Professional.account_id == db.current_actor().account_id))
    if found is None:
        return None
    identity = f"8{found.rpps}" if found.rpps else found.subject_name_id
    works = next(iter(found.activities or []), {})
    with force_locale("fr"):  # written for the patient, whoever reads it and in whichever language
        occupation, place = wording.profession({"profession": found.profession}), wording.site(works) if works else ""
    return Somebody(identity, found.titled_name, occupation, place) if identity else None


def patients_of(identity: str) -> Sequence[CircleMember]:
    """Those who let this professional see something now, by name."""
    return session.scalars(
        select(CircleMember)
        .where(CircleMember.identity == identity, *_live())
        .order_by(CircleMember.patient_name, CircleMember.id)
        .limit(1000)
    ).all()


def seen_by(identity: str, member_id: UUID) -> CircleMember | None:
    """The place by which this professional looks at somebody's file; None when they may not, any more or at all."""
    return session.scalar(
        select(CircleMember).where(CircleMember.id == member_id, CircleMember.identity == identity, *_live())
    )


def _live() -> tuple[ColumnElement[bool], ...]:
    return (
        CircleMember.state == states.ACTIVE,
        CircleMember.closed_by_death.is_(False),
        func.cardinality(CircleMember.scopes) > 0,
        or_(CircleMember.until_at.is_(None), CircleMember.until_at > db.now()),
    )


def proposals_of(account_id: UUID) -> Sequence[CircleProposal]:
    """What this professional asked and did not withdraw, latest first; never whether anybody is so."""
    return session.scalars(
        select(CircleProposal)
        .where(
            CircleProposal.account_id == account_id,
            CircleProposal.withdrawn_at.is_(None),
            CircleProposal.expires_at > db.now(),
        )
        .order_by(CircleProposal.created_at.desc())
        .limit(_MOST)
    ).all()


def proposal_of(account_id: UUID, proposal_id: UUID) -> CircleProposal | None:
    return next((each for each in proposals_of(account_id) if each.id == proposal_id), None)
