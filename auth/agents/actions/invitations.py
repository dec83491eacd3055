"""The one-time link that makes somebody an agent, or gives an agent another way in.

Nothing a provider says gives a right: it only proves who follows the link. The link is sent to the agent; its token
is kept nowhere.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from auth import sessions
from auth.agents import administrators, employers
from auth.agents.actions import requests, units
from auth.models import Account, StaffInvitation, StaffRight
from portal import audit, db, establishments
from portal.db import session

INVITATION_LIFE = timedelta(days=3)
PROVIDERS = ("proconnect", "hospital", "prosanteconnect")
"""Where an invited agent may prove who they are; a local account is another matter (`auth.local`)."""


class InvitationRefused(Exception):
    """The invitation is unknown, used, too old, or not for the person who follows it."""


class UnknownInvitation(Exception):
    """No invitation that may still be used has this id at a hospital of the actor."""


@dataclass(frozen=True)
class Draft:
    """Who is invited and to what; see StaffInvitation. establishment_id: None for every hospital of the group."""

    email: str
    rights: Collection[str]
    establishment_id: UUID | None = None
    provider: str = "proconnect"
    siret: str = ""
    subject_name_id: str = ""
    unit_ids: Collection[UUID] = ()
    account_id: UUID | None = None


@dataclass(frozen=True, repr=False)  # a log line must not name a person
class Proof:
    """Who a provider says is there: what an invitation is compared with. establishment_id: of a hospital's own one."""

    provider: str
    email: str = ""
    siret: str = ""
    idp_id: str = ""
    subject_name_id: str = ""
    establishment_id: UUID | None = None


def invite(draft: Draft) -> str:
    """Make a one-time invitation and return its token, of which only the digest is kept."""
    token = secrets.token_urlsafe(32)
    invitation = StaffInvitation(
        id=uuid4(),
        digest=sessions.digest(token),
        email=draft.email.strip().lower(),
        provider=draft.provider,
        siret=draft.siret,
        subject_name_id=draft.subject_name_id,
        rights=sorted(draft.rights),
        unit_ids=list(draft.unit_ids),
        establishment_id=draft.establishment_id,
        account_id=draft.account_id,
        invited_by=db.current_actor().account_id,
        expires_at=db.now() + INVITATION_LIFE,
    )
    session.add(invitation)
    _record("invitation.sent", invitation, provider=draft.provider, rights=",".join(invitation.rights))
    return token


def withdraw(invitation_id: UUID) -> None:
    """Make an invitation that nobody used useless. Raises UnknownInvitation."""
    query = select(StaffInvitation).where(StaffInvitation.id == invitation_id, StaffInvitation.used_at.is_(None))
    invitation = session.scalar(query.with_for_update(key_share=True))
    if invitation is None or invitation.establishment_id is None:
        raise UnknownInvitation
    if not db.current_actor().may(administrators.ADMINISTRATION, invitation.establishment_id):
        raise UnknownInvitation
    session.delete(invitation)
    _record("invitation.withdrawn", invitation)


def claim(token: str, proof: Proof) -> StaffInvitation:
    """Use up the invitation of the person who is there. Raises InvitationRefused."""
    query = select(StaffInvitation).where(StaffInvitation.digest == sessions.digest(token))
    invitation = session.scalar(query.with_for_update(key_share=True))
    if invitation is None or invitation.used_at or invitation.expires_at < db.now():
        raise InvitationRefused
    if not (_is_for(invitation, proof) and _comes_from(invitation, proof) and _may_still_be_given(invitation)):
        raise InvitationRefused
    invitation.used_at = db.now()
    return invitation


def accept(invitation: StaffInvitation, account: Account) -> None:
    """Give the invited agent what they were invited to; a right that takes two administrators is asked for.

    A link made at the command line gives all of it: it is how a hospital gets its first two administrators.
    """
    everywhere = [each.id for each in establishments.establishments()]
    for hospital in [invitation.establishment_id] if invitation.establishment_id else everywhere:
        by = invitation.invited_by
        to_confirm = requests.NEEDS_TWO & set(invitation.rights) if by else frozenset()
        _give(account, hospital, set(invitation.rights) - to_confirm, invitation)
        if by and to_confirm:
            requests.ask(account.id, hospital, to_confirm, requested_by=by)
        if invitation.unit_ids:
            units.place(account.id, hospital, invitation.unit_ids)
    session.flush()


def _give(account: Account, hospital: UUID, rights: set[str], invitation: StaffInvitation) -> None:
    for right in sorted(rights):
        session.merge(StaffRight(account_id=account.id, establishment_id=hospital, right=right))
        audit.record(
            "right.granted",
            establishment_id=hospital,
            object_kind="account",
            object_id=account.id,
            right=right,
            invitation=str(invitation.id),
        )


def _is_for(invitation: StaffInvitation, proof: Proof) -> bool:
    """The person: their mail, or the number that Pro Santé Connect gives, which knows no mail."""
    if invitation.provider != proof.provider:
        return False
    if proof.provider == "prosanteconnect":
        return bool(invitation.subject_name_id) and invitation.subject_name_id == proof.subject_name_id
    return bool(proof.email) and invitation.email == proof.email.strip().lower()


def _comes_from(invitation: StaffInvitation, proof: Proof) -> bool:
    """Their employer: the hospital's own provider, or the establishment (SIRET) that ProConnect names."""
    if proof.provider == "hospital":
        return invitation.establishment_id in (None, proof.establishment_id)
    if proof.provider != "proconnect":
        return True
    if invitation.siret and invitation.siret != proof.siret:
        return False
    hospitals = [invitation.establishment_id] if invitation.establishment_id else []
    return employers.accept(hospitals, proof.siret, proof.idp_id)


def _may_still_be_given(invitation: StaffInvitation) -> bool:
    """Whoever no longer administers the hospital gives nothing there, not even to themselves by an earlier link."""
    if invitation.invited_by is None or invitation.establishment_id is None:
        return True
    held = (invitation.invited_by, invitation.establishment_id, administrators.ADMINISTRATION)
    return session.get(StaffRight, held) is not None


def _record(event: str, invitation: StaffInvitation, **details: str) -> None:
    audit.record(
        event,
        patient_id=None,
        establishment_id=invitation.establishment_id,
        object_kind="invitation",
        object_id=invitation.id,
        **details,
    )
