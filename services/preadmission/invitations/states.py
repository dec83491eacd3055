"""The life of an invitation: transitions as data, one immutable row a change."""

from collections.abc import Mapping
from uuid import uuid4

from portal import db
from services.preadmission.invitations.models import StayInvitation, StayInvitationChange

_OVER = frozenset({"withdrawn", "cancelled"})

TRANSITIONS: Mapping[str, frozenset[str]] = {
    "": frozenset({"waiting", "told"}),
    "waiting": _OVER | {"sent", "told", "expired"},
    "sent": _OVER | {"waiting", "sent", "told", "opened", "expired"},
    "told": frozenset({"cancelled", "told"}),
    "opened": frozenset({"cancelled", "told"}),
    "expired": _OVER | {"sent", "told"},
    "withdrawn": frozenset({"waiting", "told"}),
    "cancelled": frozenset({"waiting", "told"}),
}
"""A stay that was cancelled may be planned again, under the same number."""


class InvitationOver(Exception):
    """The invitation is not in a state that allows this."""


def change(invitation: StayInvitation, to_state: str, reason: str = "") -> StayInvitationChange:
    """Move the invitation and return the row that says so. Raises InvitationOver."""
    from_state = invitation.state or ""
    if to_state not in TRANSITIONS[from_state]:
        raise InvitationOver(from_state, to_state)
    actor = db.current_actor()
    row = StayInvitationChange(
        id=uuid4(), invitation_id=invitation.id, establishment_id=invitation.establishment_id, at=db.now(),
        actor=actor.label, actor_name=actor.name, from_state=from_state, to_state=to_state, reason=reason,
    )  # fmt: skip
    invitation.state, invitation.changed_at = to_state, row.at
    return row
