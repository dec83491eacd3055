"""An agent comes in through one of their doors: who they are, and whether a hospital still has them."""

from uuid import UUID

from sqlalchemy import select

from auth import identities
from auth.agents import actions, employers, mails
from auth.agents.actions import InvitationRefused, Proof
from auth.agents.actions.requests import waiting_for
from auth.identities import IdentityConflict
from auth.models import Account, StaffRight
from auth.oidc import SignIn
from portal import audit, notifications
from portal.db import session

__all__ = ["InvitationRefused", "NotInvited", "agent"]


class NotInvited(Exception):
    """The agent proved who they are, but no hospital gave them a right here, or none takes their employer's agents."""


def agent(sign_in: SignIn, proof: Proof, name: str, invitation: str = "") -> Account:
    """The agent who proved this. invitation: the token of the link they followed, if any.

    Raises NotInvited, InvitationRefused, IdentityConflict (the identity opens another agent's account).
    """
    account = identities.known(sign_in, as_staff=proof.provider == "prosanteconnect")
    if invitation:
        account = _invited(sign_in, proof, name, account, invitation)
    if account is None or not (_may_do_something(account.id) or waiting_for(account.id)):
        raise NotInvited
    if proof.provider == "proconnect" and not employers.accept_agent(account.id, proof.siret, proof.idp_id):
        raise NotInvited
    return account


def _invited(sign_in: SignIn, proof: Proof, name: str, account: Account | None, token: str) -> Account:
    invitation = actions.claim(token, proof)
    if invitation.account_id is not None:
        return _through_another_door(sign_in, proof, account, invitation.account_id)
    if account is None:
        account = identities.open_account(
            sign_in, "staff", name, proof.email or invitation.email, as_staff=proof.provider == "prosanteconnect"
        )
    if account.closed_at is not None:
        _reopen(account)
    actions.accept(invitation, account)
    return account


def _through_another_door(sign_in: SignIn, proof: Proof, found: Account | None, account_id: UUID) -> Account:
    """The identity opens the invited agent's account from now on; never somebody else's."""
    if found is not None and found.id != account_id:
        raise IdentityConflict
    account = session.get_one(Account, account_id)
    if found is None:
        identities.add(sign_in, account, as_staff=proof.provider == "prosanteconnect")
        audit.record("door.added", object_kind="account", object_id=account_id, provider=proof.provider)
        mail = mails.door_added(mails.PROVIDER_NAMES[proof.provider])
        notifications.tell(mail, recipient=account.email, account_id=account_id, locale=account.locale)
    return account


def _reopen(account: Account) -> None:
    """Whoever left and is invited again comes back as the same agent."""
    account.closed_at = None
    audit.record("account.reopened", object_kind="account", object_id=account.id)


def _may_do_something(account_id: UUID) -> bool:
    return session.scalar(select(StaffRight.right).where(StaffRight.account_id == account_id).limit(1)) is not None
