"""Somebody is asked into a community, and answers.

Whoever invites learns nothing about the address or the number they typed: not whether there is an account behind it,
nor whether a message left. They only see, in time, who joined.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from auth import records
from auth.models import Account, Professional
from portal import db, kpi, notifications
from portal.db import session
from services.communities import mails, rights, traces
from services.communities.actions import CommunityClosed, NotAllowed, writable
from services.communities.models import Community, CommunityInvitation, CommunityMember
from services.communities.queries import Seat

LIFE: Final = timedelta(days=30)


class InvitationOver(Exception):
    """The link was used, refused, withdrawn, is too old, or never was."""


@dataclass(frozen=True)
class Invitee:
    """Whom to invite: an address, or an RPPS number and the name that the national directory gives it."""

    email: str = ""
    rpps: str = ""
    name: str = ""


def invite(seat: Seat, people: Sequence[Invitee], role: str) -> int:
    """Invite these people, and return how many. Those who already wait get a new link.

    Raises CommunityClosed, NotAllowed.
    """
    writable(seat, rights.ANIMATOR)
    for person in people:
        _send(seat.community, person, role)
    return len(people)


def invite_animator(community: Community, email: str) -> None:
    """The hosting hospital names an animator. Raises CommunityClosed."""
    if community.closed_at is not None:
        raise CommunityClosed
    _send(community, Invitee(email=email), rights.ANIMATOR)


def withdraw(seat: Seat, invitation_id: UUID) -> None:
    """Take an invitation back. Raises InvitationOver, NotAllowed."""
    if not seat.at_least(rights.ANIMATOR):
        raise NotAllowed
    found = session.scalar(
        select(CommunityInvitation)
        .where(CommunityInvitation.id == invitation_id, CommunityInvitation.community_id == seat.community.id)
        .with_for_update(key_share=True)
    )
    if found is None or not _waits(found):
        raise InvitationOver
    found.withdrawn_at = db.now()
    _note(found, "community_invitation.withdrawn")


def join(invitation_id: UUID, digest: bytes | None, calling: str) -> UUID:
    """Become a member, having accepted the charter, and return the community's id.

    digest: of the link's token; None when the invitation is to the RPPS number of whoever is signed in. Raises
    InvitationOver, CommunityClosed.
    """
    actor = db.current_actor()
    name = _own_name(actor)
    with records.as_system("communities.join"):
        found = _claimed(invitation_id, digest)
        community = session.get_one(Community, found.community_id)
        if community.closed_at is not None:
            raise CommunityClosed
        assert actor.account_id is not None, "whoever answers is signed in"
        _refuse_removed(found, actor.account_id)
        found.used_at = db.now()
        member, is_new = _seated(community, actor.account_id, name, calling, found.role)
        session.flush()
    traces.record(
        community.id, "community_member.joined", object_kind="community_member", object_id=member.id, label=name,
        establishment_id=community.establishment_id, role=member.role,
    )  # fmt: skip
    if is_new:
        kpi.count("community_joined", establishment_id=community.establishment_id)
    return community.id


def decline(invitation_id: UUID, digest: bytes | None) -> None:
    """Say no; whoever invited sees that the invitation is over. Raises InvitationOver."""
    with records.as_system("communities.decline"):
        found = _claimed(invitation_id, digest)
        found.refused_at = db.now()
        session.flush()
        _note(found, "community_invitation.refused")


def digest_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _send(community: Community, person: Invitee, role: str) -> None:
    _replace_waiting(community, person)
    token, actor = secrets.token_urlsafe(24), db.current_actor()
    made = CommunityInvitation(
        id=uuid4(),
        community_id=community.id,
        digest=digest_of(token),
        email=person.email,
        rpps=person.rpps,
        name=person.name,
        role=role,
        invited_by=actor.account_id,
        invited_by_name=actor.name,
        expires_at=db.now() + LIFE,
    )
    session.add(made)
    session.flush()
    _note(made, "community_invitation.sent", community.establishment_id)
    if person.email:
        notifications.tell(mails.invitation(f"/communautes/invitation/{token}"), recipient=person.email)
    else:
        _tell_holder(person.rpps)


def _tell_holder(rpps: str) -> None:
    """Whoever proved this number here before is told that something waits; nobody else learns it."""
    with records.as_system("communities.invite"):
        account = session.scalar(
            select(Account)
            .join(Professional, Professional.account_id == Account.id)
            .where(Professional.rpps == rpps, Account.closed_at.is_(None))
            .limit(1)
        )
        if account is not None:
            mail = mails.invitation("/communautes")
            notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


def _replace_waiting(community: Community, person: Invitee) -> None:
    """One open invitation for one person: the former link stops working."""
    same = CommunityInvitation.email == person.email if person.email else CommunityInvitation.rpps == person.rpps
    former = session.scalars(
        select(CommunityInvitation).where(
            CommunityInvitation.community_id == community.id,
            same,
            CommunityInvitation.used_at.is_(None),
            CommunityInvitation.refused_at.is_(None),
            CommunityInvitation.withdrawn_at.is_(None),
        )
    )
    for each in former:
        each.withdrawn_at = db.now()


def _claimed(invitation_id: UUID, digest: bytes | None) -> CommunityInvitation:
    found = session.scalar(
        select(CommunityInvitation).where(CommunityInvitation.id == invitation_id).with_for_update(key_share=True)
    )
    if found is None or not _waits(found) or (digest is not None and found.digest != digest):
        raise InvitationOver
    return found


def _refuse_removed(found: CommunityInvitation, account_id: UUID) -> None:
    """Whoever was removed does not come back by an invitation of before. Raises InvitationOver."""
    removed_at = session.scalar(
        select(CommunityMember.ended_at).where(
            CommunityMember.community_id == found.community_id,
            CommunityMember.account_id == account_id,
            CommunityMember.state == rights.REMOVED,
        )
    )
    if removed_at is not None and found.created_at <= removed_at:
        raise InvitationOver


def _waits(found: CommunityInvitation) -> bool:
    over = found.used_at or found.refused_at or found.withdrawn_at
    return over is None and found.expires_at > db.now()


def _seated(community: Community, account_id: UUID, name: str, calling: str, role: str) -> tuple[CommunityMember, bool]:
    """Their row, and whether they were no member. Whoever is one already keeps the higher of both roles."""
    member = session.scalar(
        select(CommunityMember).where(
            CommunityMember.community_id == community.id, CommunityMember.account_id == account_id
        )
    )
    if member is None:
        member = CommunityMember(id=uuid4(), community_id=community.id, account_id=account_id, name=name, role=role)
        session.add(member)
    stays = member.state == rights.ACTIVE and member.joined_at is not None
    member.role = member.role if stays and rights.at_least(member.role, role) else role
    member.name, member.calling = name, calling
    member.state, member.ended_at = rights.ACTIVE, None
    member.joined_at = member.joined_at if stays else db.now()
    member.charter_version, member.charter_at = community.charter_version, db.now()
    return member, not stays


def _own_name(actor: db.Actor) -> str:
    professional = session.get(Professional, actor.professional_id) if actor.professional_id else None
    if professional is not None and professional.account_id == actor.account_id:
        return professional.titled_name
    return actor.name


def _note(found: CommunityInvitation, action: str, establishment_id: UUID | None = None) -> None:
    traces.record(
        found.community_id, action, object_kind="community_invitation", object_id=found.id,
        label=found.name or found.email or found.rpps, establishment_id=establishment_id, role=found.role,
    )  # fmt: skip
