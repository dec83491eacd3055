"""Communities for the hospital that hosts them: how many are in them and who runs them, nothing of what is said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text

from portal.db import session
from services.communities import rights
from services.communities.models import Community, CommunityInvitation, CommunityMember
from services.communities.queries.entrance import waiting


@dataclass(frozen=True)
class Size:
    """How many members, how many of them run it, how many invitations wait."""

    members: int = 0
    animators: int = 0
    invited: int = 0


def communities(hospitals: Collection[UUID]) -> Sequence[tuple[Community, Size]]:
    """Those of these hospitals, open ones first, by name."""
    sizes = _sizes()
    found = session.scalars(
        select(Community)
        .where(Community.establishment_id.in_(hospitals))
        .order_by(Community.closed_at.is_not(None), func.lower(Community.name), Community.id)
    )
    return [(each, sizes.get(each.id, Size())) for each in found]


def community(community_id: UUID, hospitals: Collection[UUID]) -> Community | None:
    """One of these hospitals' communities."""
    return session.scalar(
        select(Community).where(Community.id == community_id, Community.establishment_id.in_(hospitals))
    )


def size(community_id: UUID) -> Size:
    return _sizes().get(community_id, Size())


def animators(community_id: UUID) -> Sequence[CommunityMember]:
    """Who runs it, by name."""
    return session.scalars(
        select(CommunityMember)
        .where(
            CommunityMember.community_id == community_id,
            CommunityMember.role == rights.ANIMATOR,
            CommunityMember.state == rights.ACTIVE,
        )
        .order_by(CommunityMember.name, CommunityMember.id)
    ).all()


def invited_animators(community_id: UUID) -> Sequence[CommunityInvitation]:
    """Who is asked to run it and has not answered."""
    return session.scalars(
        select(CommunityInvitation)
        .where(CommunityInvitation.community_id == community_id, CommunityInvitation.role == rights.ANIMATOR, waiting())
        .order_by(CommunityInvitation.created_at.desc(), CommunityInvitation.id)
    ).all()


def _sizes() -> dict[UUID, Size]:
    """A function of the database counts: the members themselves are not for the hospital to read."""
    rows = session.execute(text("select community_id, members, animators, invited from community_sizes()"))
    return {row[0]: Size(*row[1:]) for row in rows}
