"""Who sits where: the place of an account in its communities."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from services.communities import rights
from services.communities.models import Community, CommunityMember


@dataclass(frozen=True)
class Seat:
    """Somebody's place in a community."""

    community: Community
    member: CommunityMember

    @property
    def charter_accepted(self) -> bool:
        return self.member.charter_version >= self.community.charter_version

    @property
    def is_open(self) -> bool:
        """Whether anything may still be written there."""
        return self.community.closed_at is None

    def at_least(self, role: str) -> bool:
        """Whether this member may do what that role does (`rights`)."""
        return rights.at_least(self.member.role, role)


def seat(account_id: UUID, community_id: UUID) -> Seat | None:
    """The place of an active member; None for anybody else."""
    found = session.execute(_seats(account_id).where(Community.id == community_id)).one_or_none()
    return Seat(found[0], found[1]) if found else None


def seats(account_id: UUID) -> Sequence[Seat]:
    """Every community of an account, open ones first, by name."""
    rows = session.execute(_seats(account_id).order_by(Community.closed_at.is_not(None), Community.name, Community.id))
    return [Seat(community, member) for community, member in rows]


def community_of(account_id: UUID, community_id: UUID) -> Community | None:
    """The community, when this account is an active member of it."""
    found = seat(account_id, community_id)
    return found.community if found else None


def membership(account_id: UUID, community_id: UUID) -> CommunityMember | None:
    """The active membership of this account there."""
    found = seat(account_id, community_id)
    return found.member if found else None


def _seats(account_id: UUID):  # type: ignore[no-untyped-def]  # the type of a joined select is longer than its body
    return (
        select(Community, CommunityMember)
        .join(CommunityMember, CommunityMember.community_id == Community.id)
        .where(CommunityMember.account_id == account_id, CommunityMember.state == rights.ACTIVE)
    )
