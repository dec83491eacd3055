"""Invitations leave by mail, and end with the day of the stay."""

from uuid import UUID

import structlog

from portal import db, jobs, notifications
from portal.gateways import Refused
from services.preadmission.invitations import actions, mails, queries
from services.preadmission.invitations.models import StayInvitation

log = structlog.get_logger(__name__)


@jobs.task("preadmission.send_invitation")
def send_invitation(invitation_id: str) -> None:
    """Make a code and send it; nothing of the mail is kept. Run again, a new code takes the place of the former."""
    with jobs.reading() as current:
        invitation = current.get(StayInvitation, UUID(invitation_id))
        if invitation is None or not invitation.is_open or not invitation.email:
            return
        code, to = actions.new_code(invitation), invitation.email
        subject, text = mails.invitation(invitation.establishment.name, code, invitation.establishment_id)
    try:
        notifications.carry(to, subject, text)
    except Refused as refused:
        log.warning("invitation.refused", reason=refused.code)
        with jobs.effect() as current:
            actions.come_back(current.get_one(StayInvitation, UUID(invitation_id)), refused.code)


@jobs.periodic("29 * * * *", "preadmission.expire_invitations")
def expire_over() -> None:
    """Close the invitations whose stay is over. One transaction each; a second run finds them closed."""
    actor = db.system("preadmission.expire_invitations")
    with db.transaction(actor):
        over = queries.over()
    for invitation_id in over:
        with db.transaction(actor) as current:
            actions.expire(current.get_one(StayInvitation, invitation_id))
