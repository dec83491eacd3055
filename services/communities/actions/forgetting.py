"""What a community no longer needs is erased, by the rules of retention."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select

from portal import audit
from portal.db import session
from services.communities.models import CommunityEvent, CommunityInvitation, PastPost


def forget_invitation(invitation_id: UUID, before: datetime) -> bool:
    """Erase an invitation that was over before that moment. False when it is not so."""
    found = session.scalar(
        select(CommunityInvitation).where(CommunityInvitation.id == invitation_id).with_for_update(key_share=True)
    )
    if found is None or found.expires_at >= before:
        return False
    session.delete(found)
    _note("community_invitation", invitation_id, found.community_id)
    return True


def forget_past_post(past_id: UUID, before: datetime) -> bool:
    """Erase what a message said before it was changed. False when that is not old enough."""
    found = session.get(PastPost, past_id)
    if found is None or found.replaced_at >= before:
        return False
    session.delete(found)
    _note("community_post", found.post_id, found.community_id)
    return True


def forget_events(community_id: UUID, before: datetime) -> bool:
    """Erase the lines of a journal written before that moment. False when there is none."""
    old = (CommunityEvent.community_id == community_id, CommunityEvent.at < before)
    if session.scalar(select(CommunityEvent.id).where(*old).limit(1)) is None:
        return False
    session.execute(delete(CommunityEvent).where(*old))
    _note("community", community_id, community_id)
    return True


def _note(kind: str, object_id: UUID, community_id: UUID) -> None:
    audit.record("community.forgotten", object_kind=kind, object_id=object_id, community=str(community_id))
