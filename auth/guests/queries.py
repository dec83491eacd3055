"""What is read of invitations: by the agents who make them, and for the guests who use them."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from auth.guests.models import GuestInvitation
from auth.guests.secrets import digest
from portal import db
from portal.db import session

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=2)
MOST_TRIES = 5
"""Mistakes, of birth date or of code, after which a link is dead."""
MOST_CODES = 4


def standing(object_kind: str, object_id: UUID) -> Sequence[GuestInvitation]:
    """Invitations to this object that are not withdrawn nor over, the latest first."""
    return session.scalars(
        select(GuestInvitation)
        .where(
            GuestInvitation.object_kind == object_kind,
            GuestInvitation.object_id == object_id,
            GuestInvitation.withdrawn_at.is_(None),
            GuestInvitation.expires_at > db.now(),
        )
        .order_by(GuestInvitation.created_at.desc())
    ).all()


def one(invitation_id: UUID) -> GuestInvitation | None:
    """An invitation the actor may see."""
    return session.get(GuestInvitation, invitation_id)


def usable(token: str) -> GuestInvitation | None:
    """The invitation of a link that may still be used. As the system."""
    found = session.scalar(_whole().where(GuestInvitation.digest == digest(token)))
    return found if found is not None and is_usable(found) else None


def is_usable(invitation: GuestInvitation) -> bool:
    """Neither used nor withdrawn nor over nor tried too often, for somebody who is alive."""
    return (
        _stands(invitation)
        and invitation.used_at is None
        and invitation.tries < MOST_TRIES
        and invitation.code_number <= MOST_CODES
    )


def of_session(token: str) -> GuestInvitation | None:
    """The invitation of an open guest's session. As the system."""
    found = session.scalar(_whole().where(GuestInvitation.session_digest == digest(token)))
    if found is None or found.used_at is None or found.session_seen_at is None or not _stands(found):
        return None
    return found if found.session_seen_at > db.now() - IDLE and found.used_at > db.now() - LONGEST else None


def _stands(invitation: GuestInvitation) -> bool:
    alive = invitation.patient.deceased_on is None
    return alive and invitation.withdrawn_at is None and invitation.expires_at > db.now()


def _whole() -> Select[GuestInvitation]:
    return select(GuestInvitation).options(
        joinedload(GuestInvitation.patient), joinedload(GuestInvitation.establishment)
    )
