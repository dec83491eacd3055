"""An invitation made by an agent, and what a guest does with it.

Uniform by design: a wrong birth date and a right one lead to the same page, and a code is sent for the right one
only. Five mistakes kill the link. Link and codes are derived from the invitation's id with the portal's secret: the
database holds neither.
"""

from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select, update

from auth.guests import objects, queries
from auth.guests.models import GuestInvitation
from auth.guests.secrets import digest, is_code_of, new_token, token_of
from auth.models import Patient
from portal import audit, db, establishments, jobs
from portal.db import session

SETTING: Final = "guest_invitations"
"""Of an establishment; "yes" to offer invitations, anything else (or nothing) not to."""
CODE_LIFE: Final = timedelta(minutes=15)


class NotOffered(Exception):
    """The hospital does not offer it, the object is over or gone, or the agent has no say there."""


class NoMobile(Exception):
    """The hospital holds no mobile number to which a code could go."""


class LinkDead(Exception):
    """Unknown, used, too old, withdrawn, or tried too often: nobody is told which."""


class CodeWrong(Exception):
    """Not the last code, or too late, or the birth date was not the right one: nobody is told which."""


# -- the agent -----------------------------------------------------------------------------------------------------


def is_offered(establishment_id: UUID) -> bool:
    """Whether this hospital invites guests."""
    return establishments.setting(establishment_id, SETTING) == "yes"


def invite(kind: objects.Kind, object_id: UUID, channel: str, mobile: str | None) -> GuestInvitation:
    """Send a single-use link to where the hospital can reach the patient; the former links to this object are void.

    mobile: the patient's number of the hospital's record, in E.164 form, where codes will go. channel: sms or mail.
    Raises NotOffered, NoMobile.
    """
    facts, agent = kind.find(object_id), db.current_actor()
    if facts is None or not agent.may(kind.right, facts.establishment_id) or facts.ends_at <= db.now():
        raise NotOffered
    patient = session.get_one(Patient, facts.patient_id)
    if not is_offered(facts.establishment_id) or patient.deceased_on is not None:
        raise NotOffered
    if mobile is None or (channel == "mail" and not patient.email):
        raise NoMobile
    for former in queries.standing(kind.code, object_id):
        former.withdrawn_at = db.now()
    invitation_id = uuid4()
    session.add(
        GuestInvitation(
            id=invitation_id,
            establishment_id=facts.establishment_id,
            patient_id=facts.patient_id,
            object_kind=kind.code,
            object_id=object_id,
            digest=digest(token_of(invitation_id)),
            channel=channel,
            mobile=mobile,
            created_by_name=agent.name,
            expires_at=facts.ends_at,
        )
    )
    session.flush()
    made = session.get_one(GuestInvitation, invitation_id)
    _record("guest.invited", made, channel=channel)
    jobs.enqueue("guests.send_link", invitation_id=str(invitation_id))
    return made


def withdraw(invitation: GuestInvitation) -> None:
    """Make an invitation useless, at once, for a guest who is inside too."""
    invitation.withdrawn_at = db.now()
    session.flush()
    _record("guest.withdrawn", invitation)


# -- the guest (as the system) -------------------------------------------------------------------------------------


def ask_code(token: str, birth_on: date) -> None:
    """Say a birth date: when it is the right one, a code leaves for the mobile. Counts as a try either way.

    Raises LinkDead.
    """
    invitation = _held(token)
    invitation.birth_matched = session.get_one(Patient, invitation.patient_id).birth_on == birth_on
    invitation.tries += 0 if invitation.birth_matched else 1
    invitation.code_number += 1
    invitation.code_expires_at = db.now() + CODE_LIFE
    session.flush()
    _record("guest.code_asked", invitation)
    jobs.enqueue("guests.send_code", invitation_id=str(invitation.id), number=invitation.code_number)


def enter(token: str, code: str) -> str:
    """Open the guest's session with the last code; return the token of its cookie. The link is spent.

    Raises LinkDead; CodeWrong, once the mistake is counted.
    """
    invitation = _held(token)
    typed = "".join(sign for sign in code if sign.isdigit())
    is_right = is_code_of(invitation.id, invitation.code_number, typed)
    in_time = invitation.code_expires_at is not None and invitation.code_expires_at > db.now()
    if not (is_right and in_time and invitation.birth_matched):
        invitation.tries += 1
        session.flush()
        _record("guest.refused", invitation)
        raise CodeWrong
    opened = new_token()
    invitation.used_at = invitation.session_seen_at = db.now()
    invitation.session_digest = digest(opened)
    session.flush()
    _record("guest.entered", invitation)
    return opened


def look(invitation: GuestInvitation) -> None:
    """The guest looks at what they were invited to."""
    invitation.session_seen_at = db.now()
    session.flush()
    _record("guest.looked", invitation)


def leave(invitation: GuestInvitation) -> None:
    """The guest closes their session; the link stays spent."""
    session.execute(update(GuestInvitation).where(GuestInvitation.id == invitation.id).values(session_digest=None))
    _record("guest.left", invitation)


def _held(token: str) -> GuestInvitation:
    """The invitation of this link, held still: tries made at the same time are all counted. Raises LinkDead."""
    found = session.scalar(
        select(GuestInvitation)
        .where(GuestInvitation.digest == digest(token))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if found is None or not queries.is_usable(found):
        raise LinkDead
    return found


def _record(event: str, invitation: GuestInvitation, **details: str) -> None:
    audit.record(
        event,
        patient_id=invitation.patient_id,
        establishment_id=invitation.establishment_id,
        object_kind="guest_invitation",
        object_id=invitation.id,
        **details,
    )
