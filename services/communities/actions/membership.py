"""Members leave, are removed, get another role, choose what they are told of."""

from uuid import UUID

from sqlalchemy import func, select

from portal import db, kpi
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import NotAllowed, NotThere, writable
from services.communities.models import Community, CommunityMember
from services.communities.queries import Seat


class LastAnimator(Exception):
    """Nobody would be left to invite, or to hand the community over."""


def change_role(seat: Seat, member_id: UUID, role: str) -> None:
    """Give a member another role: to hand the community over, name an animator, then step down.

    Raises CommunityClosed, NotAllowed, NotThere, LastAnimator.
    """
    writable(seat, rights.ANIMATOR)
    member = _other(seat, member_id)
    if member.role == role:
        return
    _keep_an_animator(seat, member)
    member.role = role
    _note(seat, member, "community_member.role_changed", role=role)


def remove(seat: Seat, member_id: UUID) -> None:
    """The member sees nothing of the community any more; what they wrote stays, with their name.

    Raises NotAllowed, NotThere, LastAnimator.
    """
    if not seat.at_least(rights.ANIMATOR):
        raise NotAllowed
    member = _other(seat, member_id)
    _keep_an_animator(seat, member)
    member.state, member.ended_at = rights.REMOVED, db.now()
    _note(seat, member, "community_member.removed")
    kpi.count("community_left", establishment_id=seat.community.establishment_id, dimension="removed")


def leave(seat: Seat) -> None:
    """Go of oneself. Raises LastAnimator."""
    _keep_an_animator(seat, seat.member)
    # Written first: an instant later this member may not write in the journal any more.
    _note(seat, seat.member, "community_member.left")
    session.flush()
    _after_the_journal()
    seat.member.state, seat.member.ended_at = rights.LEFT, db.now()
    kpi.count("community_left", establishment_id=seat.community.establishment_id, dimension="left")


def choose(seat: Seat, notify: str, calling: str) -> None:
    """What this member is told of by message, and how the others read what they do."""
    seat.member.notify, seat.member.calling = notify, calling
    _note(seat, seat.member, "community_member.choice_changed")


def _after_the_journal() -> None:
    """Lines that wait are written before the next question is asked."""
    session.execute(select(1))


def _other(seat: Seat, member_id: UUID) -> CommunityMember:
    found = session.scalar(
        select(CommunityMember).where(
            CommunityMember.id == member_id,
            CommunityMember.community_id == seat.community.id,
            CommunityMember.state == rights.ACTIVE,
        )
    )
    if found is None:
        raise NotThere
    return found


def _keep_an_animator(seat: Seat, member: CommunityMember) -> None:
    """Raises LastAnimator when this member is the only one. The community's row is held: two may go at once."""
    if member.role != rights.ANIMATOR:
        return
    session.execute(select(Community.id).where(Community.id == seat.community.id).with_for_update(key_share=True))
    others = session.scalar(
        select(func.count()).where(
            CommunityMember.community_id == seat.community.id,
            CommunityMember.state == rights.ACTIVE,
            CommunityMember.role == rights.ANIMATOR,
            CommunityMember.id != member.id,
        )
    )
    if not others:
        raise LastAnimator


def _note(seat: Seat, member: CommunityMember, action: str, **details: str) -> None:
    traces.record(
        seat.community.id, action, object_kind="community_member", object_id=member.id, label=member.name,
        establishment_id=seat.community.establishment_id, **details,
    )  # fmt: skip
