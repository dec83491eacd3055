"""Before one is a member: invitations to whoever is signed in, or behind a link."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from auth import records
from portal import db
from portal.db import session
from services.communities import rights
from services.communities.models import (
    Announcement,
    AnnouncementReading,
    Community,
    CommunityInvitation,
    CommunityMember,
    Topic,
    TopicReading,
)


@dataclass(frozen=True)
class Offered:
    """What somebody invited may read of a community: nothing else of it."""

    invitation_id: UUID
    community_id: UUID
    name: str
    kind: str
    purpose: str
    charter: str
    charter_version: int
    role: str
    invited_by_name: str
    expires_at: datetime
    animators: Sequence[str]


def waiting() -> ColumnElement[bool]:
    """Invitations that can still be answered."""
    return (
        CommunityInvitation.used_at.is_(None)
        & CommunityInvitation.refused_at.is_(None)
        & CommunityInvitation.withdrawn_at.is_(None)
        & (CommunityInvitation.expires_at > func.now())
    )


def offered_by_link(digest: bytes) -> Offered | None:
    """What the link leads to; None when it is over. Only for somebody signed in: the link alone shows nothing."""
    with records.as_system("communities.open_link"):
        return _offered(CommunityInvitation.digest == digest)


def offered_to(account_id: UUID, rpps: str, invitation_id: UUID) -> Offered | None:
    """An invitation to the number that the signed-in practitioner proved."""
    if not rpps or db.current_actor().account_id != account_id:
        return None
    with records.as_system("communities.open_invitation"):
        return _offered((CommunityInvitation.id == invitation_id) & (CommunityInvitation.rpps == rpps))


def invitations_to(rpps: str) -> Sequence[tuple[CommunityInvitation, Community]]:
    """Those that wait for this number, where the signed-in practitioner is no member yet."""
    if not rpps:
        return []
    rows = session.execute(
        select(CommunityInvitation, Community)
        .join(Community, Community.id == CommunityInvitation.community_id)
        .where(CommunityInvitation.rpps == rpps, waiting(), Community.closed_at.is_(None))
        .order_by(CommunityInvitation.created_at, CommunityInvitation.id)
    )
    return [(invitation, community) for invitation, community in rows]


def news_of(account_id: UUID, communities: Collection[UUID]) -> Mapping[UUID, int]:
    """Of these communities: discussions and announcements that this account has not read."""
    topics = (
        select(Topic.community_id, func.count())
        .outerjoin(TopicReading, (TopicReading.topic_id == Topic.id) & (TopicReading.account_id == account_id))
        .where(
            Topic.community_id.in_(communities),
            (TopicReading.read_at.is_(None)) | (TopicReading.read_at < Topic.last_post_at),
        )
        .group_by(Topic.community_id)
    )
    announced = (
        select(Announcement.community_id, func.count())
        .outerjoin(
            AnnouncementReading,
            (AnnouncementReading.announcement_id == Announcement.id) & (AnnouncementReading.account_id == account_id),
        )
        .where(
            Announcement.community_id.in_(communities),
            AnnouncementReading.read_at.is_(None),
            Announcement.withdrawn_at.is_(None),
        )
        .group_by(Announcement.community_id)
    )
    counts: dict[UUID, int] = {}
    for community_id, count in session.execute(topics.union_all(announced)):
        counts[community_id] = counts.get(community_id, 0) + count
    return counts


def _offered(which: ColumnElement[bool]) -> Offered | None:
    found = session.execute(
        select(CommunityInvitation, Community)
        .join(Community, Community.id == CommunityInvitation.community_id)
        .where(which, waiting(), Community.closed_at.is_(None))
    ).one_or_none()
    if found is None:
        return None
    invitation, community = found
    animators = session.scalars(
        select(CommunityMember.name)
        .where(
            CommunityMember.community_id == community.id,
            CommunityMember.role == rights.ANIMATOR,
            CommunityMember.state == rights.ACTIVE,
        )
        .order_by(CommunityMember.name)
    ).all()
    return Offered(
        invitation.id, community.id, community.name, community.kind, community.purpose, community.charter,
        community.charter_version, invitation.role, invitation.invited_by_name, invitation.expires_at, animators,
    )  # fmt: skip
