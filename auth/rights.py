"""What agents may do, hospital by hospital: given and withdrawn by those who administer that hospital."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from auth.agents import actions as agents
from auth.agents import administrators, mails
from auth.agents.actions import Draft, UnknownAgent
from auth.agents.administrators import ADMINISTRATION, LastAdministrator, NotAdministrator, OwnLastAdministration
from auth.local import actions as local_accounts
from auth.models import Account, StaffRight
from portal import audit, db, notifications
from portal.db import RIGHTS, session

__all__ = [
    "LastAdministrator", "NotAdministrator", "OwnLastAdministration", "UnknownAgent", "UnknownRight", "change_rights",
    "invite_agent", "open_local_account", "send_another_door",
]  # fmt: skip


class UnknownRight(Exception):
    """No right has this name."""


class NoAddress(Exception):
    """The agent has no e-mail: nothing can be sent to them."""


def change_rights(account_id: UUID, establishment_id: UUID, rights: Collection[str]) -> set[str]:
    """Give an agent these rights at a hospital, and no other; return those that wait for a second administrator.

    Raises NotAdministrator, UnknownAgent, UnknownRight, LastAdministrator, OwnLastAdministration.
    """
    wanted = _known(rights)
    holders = administrators.lock(establishment_id)
    agent = _agent(account_id)
    held = _held(account_id, establishment_id)
    if ADMINISTRATION in held - wanted:
        administrators.check_somebody_stays(account_id, holders)
    asked = (wanted - held) & agents.NEEDS_TWO
    _grant(account_id, establishment_id, wanted - held - asked)
    _withdraw(account_id, establishment_id, held - wanted)
    if asked:
        agents.ask(account_id, establishment_id, asked, _me())
    if held ^ (wanted - asked):
        _tell(agent, establishment_id)
    return asked


def invite_agent(draft: Draft) -> str:
    """Make a one-time invitation for whoever proves to be this person; mail it to them; return its token, never kept.

    Raises NotAdministrator, UnknownRight, UnknownAgent.
    """
    _check(draft)
    token = agents.invite(draft)
    if draft.establishment_id:
        hospital = administrators.name_of(draft.establishment_id)
        notifications.tell(mails.invited(hospital, invitation_path(draft.provider, token)), recipient=draft.email)
    return token


def send_another_door(draft: Draft) -> None:
    """Send an agent, at the address we know, the link that adds a way in to their account.

    The link is never shown to whoever asks for it: they could come in as the agent.
    Raises NotAdministrator, UnknownAgent, NoAddress.
    """
    _check(draft)
    agent = _agent(draft.account_id)
    if not agent.email:
        raise NoAddress
    token = agents.invite(replace(draft, rights=()))
    mail = mails.another_door(invitation_path(draft.provider, token))
    notifications.tell(mail, recipient=agent.email, account_id=agent.id, locale=agent.locale)


def open_local_account(draft: Draft, name: str) -> UUID:
    """The last resort: an agent whom no provider knows, who signs in with a passkey or with two proofs of ours.

    The link that lets them set it up is mailed to them. Raises NotAdministrator, UnknownRight.
    """
    _check(draft)
    assert draft.establishment_id is not None, "a local account is opened by one hospital"
    with administrators.as_the_system("agents.open_local_account"):
        account = Account(audience="staff", name=name, email=draft.email.strip().lower())
        session.add(account)
        session.flush()
        account_id = account.id
    audit.record("account.created", object_kind="account", object_id=account_id, provider="local")
    _grant(account_id, draft.establishment_id, set(draft.rights) - agents.NEEDS_TWO)
    agents.ask(account_id, draft.establishment_id, set(draft.rights) & agents.NEEDS_TWO, _me())
    agents.place(account_id, draft.establishment_id, draft.unit_ids)
    path = local_accounts.path(local_accounts.invite(account_id))
    hospital = administrators.name_of(draft.establishment_id)
    notifications.tell(mails.invited_without_provider(hospital, path), recipient=draft.email, account_id=account_id)
    return account_id


def invitation_path(provider: str, token: str) -> str:
    """The address of the portal that an invitation opens; a hospital's own provider is chosen on the door's page."""
    if provider == "hospital":
        return f"/admin/connexion?invitation={token}"
    return f"/auth/{provider}/start?invitation={token}"


def _check(draft: Draft) -> None:
    _known(draft.rights)
    if draft.establishment_id is None:
        raise NotAdministrator
    administrators.check_administers(draft.establishment_id)


def _known(rights: Collection[str]) -> set[str]:
    if unknown := set(rights) - set(RIGHTS):
        raise UnknownRight(*sorted(unknown))
    return set(rights)


def _me() -> UUID:
    found = db.current_actor().account_id
    if found is None:
        raise NotAdministrator
    return found


def _agent(account_id: UUID | None) -> Account:
    agent = session.get(Account, account_id) if account_id else None
    if agent is None or agent.audience != "staff" or agent.closed_at is not None:
        raise UnknownAgent
    return agent


def _held(account_id: UUID, establishment_id: UUID) -> set[str]:
    query = select(StaffRight.right).where(StaffRight.account_id == account_id)
    return set(session.scalars(query.where(StaffRight.establishment_id == establishment_id)))


def _grant(account_id: UUID, establishment_id: UUID, rights: set[str]) -> None:
    for right in sorted(rights):
        row = insert(StaffRight).values(account_id=account_id, establishment_id=establishment_id, right=right)
        session.execute(row.on_conflict_do_nothing())
        _record("right.granted", account_id, establishment_id, right)


def _withdraw(account_id: UUID, establishment_id: UUID, rights: set[str]) -> None:
    for right in sorted(rights):
        session.execute(
            delete(StaffRight).where(
                StaffRight.account_id == account_id,
                StaffRight.establishment_id == establishment_id,
                StaffRight.right == right,
            )
        )
        _record("right.withdrawn", account_id, establishment_id, right)


def _tell(agent: Account, establishment_id: UUID) -> None:
    mail = mails.rights_changed(administrators.name_of(establishment_id))
    notifications.tell(mail, recipient=agent.email, account_id=agent.id, locale=agent.locale)


def _record(event: str, account_id: UUID, establishment_id: UUID, right: str) -> None:
    audit.record(event, establishment_id=establishment_id, object_kind="account", object_id=account_id, right=right)
