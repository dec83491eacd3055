"""What is sent to guests: a link, then a code; never to or about somebody who died, nor once withdrawn."""

from uuid import UUID

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _

from auth.guests import mails, queries
from auth.guests.models import GuestInvitation
from auth.guests.secrets import code_of, token_of
from portal import jobs, notifications, text_messages
from portal.gateways import Refused

log = structlog.get_logger(__name__)


@jobs.task("guests.send_link")
def send_link(invitation_id: str) -> None:
    """Send the link where the agent chose."""
    with jobs.reading() as current:
        invitation = current.get_one(GuestInvitation, UUID(invitation_id))
        if not queries.is_usable(invitation):
            return
        link, place = mails.link(token_of(invitation.id, invitation.digest)), invitation.establishment.name
        channel, mobile = invitation.channel, invitation.mobile
    if channel == "sms":
        with force_locale("fr"):
            _send(mobile, _("%(place)s: your personal link, to use once: %(link)s", place=place, link=link))
    with jobs.effect() as current:
        if channel == "mail":
            told = current.get_one(GuestInvitation, UUID(invitation_id))
            notifications.tell(
                mails.invited(place, token_of(told.id, told.digest)),
                recipient=told.patient.email,
                patient_id=told.patient_id,
                establishment_id=told.establishment_id,
            )


@jobs.task("guests.send_code")
def send_code(invitation_id: str, number: int) -> None:
    """Send the last code, when the birth date was the right one."""
    with jobs.reading() as current:
        invitation = current.get_one(GuestInvitation, UUID(invitation_id))
        if not queries.is_usable(invitation) or not invitation.birth_matched or invitation.code_number != number:
            return
        mobile, code = invitation.mobile, code_of(invitation.id, number)
    with force_locale("fr"):
        _send(mobile, _("%(code)s is your code for the hospital’s portal. Give it to nobody.", code=code))
    with jobs.effect():
        pass  # a second run of this job sends nothing


def _send(mobile: str, text: str) -> None:
    try:
        text_messages.send(mobile, text)
    except Refused as refused:
        log.warning("guest_message.refused", reason=refused.code)  # the agent sees that nobody came
