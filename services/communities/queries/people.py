"""Members of a community, invitations that wait, the journal."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from portal.db import session
from services.communities import rights
from services.communities.models import CommunityEvent, CommunityInvitation, CommunityMember
from services.communities.queries.entrance import waiting

PAGE: Final = 100


def members(community_id: UUID, asked: str = "") -> Sequence[CommunityMember]:
    """Active members by name; asked: letters of their name or of what they do."""
    query = select(CommunityMember).where(
        CommunityMember.community_id == community_id, CommunityMember.state == rights.ACTIVE
    )
    found = session.scalars(query.order_by(func.lower(CommunityMember.name), CommunityMember.id)).all()
    wanted = asked.casefold().split()
    return [each for each in found if all(word in f"{each.name} {each.calling}".casefold() for word in wanted)]


def member(community_id: UUID, member_id: UUID) -> CommunityMember | None:
    """An active member of this community."""
    return session.scalar(
        select(CommunityMember).where(
            CommunityMember.id == member_id,
            CommunityMember.community_id == community_id,
            CommunityMember.state == rights.ACTIVE,
        )
    )


def invitations(community_id: UUID) -> Sequence[CommunityInvitation]:
    """Those that wait for an answer, newest first."""
    return session.scalars(
        select(CommunityInvitation)
        .where(CommunityInvitation.community_id == community_id, waiting())
        .order_by(CommunityInvitation.created_at.desc(), CommunityInvitation.id)
        .limit(200)
    ).all()


def events(community_id: UUID, before: int | None = None, limit: int = PAGE) -> Sequence[CommunityEvent]:
    """The journal, newest first; before: the number of the last line of the page before."""
    query = select(CommunityEvent).where(CommunityEvent.community_id == community_id)
    if before is not None:
        query = query.where(CommunityEvent.id < before)
    return session.scalars(query.order_by(CommunityEvent.id.desc()).limit(limit)).all()
