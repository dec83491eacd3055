"""An agent leaves a hospital: everything they could do there ends at once."""

from uuid import UUID

from sqlalchemy import delete, func, select, update

from auth.agents import administrators, mails
from auth.agents.actions import requests
from auth.agents.models import DormancyNotice, StaffUnit
from auth.models import Account, EmergencyAccess, StaffInvitation, StaffRight, WebSession
from portal import audit, db, notifications
from portal.db import session


class UnknownAgent(Exception):
    """No open staff account has this id."""


def leave(account_id: UUID, establishment_id: UUID) -> bool:
    """End all that an agent may do at a hospital, their sessions everywhere, and their invitations; their account
    too, when they may do nothing anywhere any more. Returns whether it was closed.

    Nothing they had in hand is given to somebody else: it stays where it is, for their colleagues.
    Raises NotAdministrator, UnknownAgent, LastAdministrator, OwnLastAdministration.
    """
    holders = administrators.lock(establishment_id)
    agent = session.get(Account, account_id)
    if agent is None or agent.audience != "staff" or agent.closed_at is not None:
        raise UnknownAgent
    if account_id in holders:
        administrators.check_somebody_stays(account_id, holders)
    return end(agent, establishment_id, "agent.left")


def end(agent: Account, establishment_id: UUID, event: str) -> bool:
    """See `leave`; without its checks, for the job that ends what nobody uses."""
    _end_rights(agent.id, establishment_id)
    _end_invitations(agent, establishment_id)
    requests.forget_requests(agent.id, establishment_id)
    hospital, told = administrators.name_of(establishment_id), (agent.email, agent.id, agent.locale)
    with administrators.as_the_system("agents.leave"):
        _end_sessions(agent.id, establishment_id)
        closed = _close_unless_needed(agent.id)
    audit.record(
        event,
        establishment_id=establishment_id,
        object_kind="account",
        object_id=told[1],
        account="closed" if closed else "kept",
    )
    notifications.tell(mails.access_closed(hospital), recipient=told[0], account_id=told[1], locale=told[2])
    return closed


def _end_rights(account_id: UUID, establishment_id: UUID) -> None:
    held = session.scalars(
        delete(StaffRight)
        .where(StaffRight.account_id == account_id, StaffRight.establishment_id == establishment_id)
        .returning(StaffRight.right)
    ).all()
    session.execute(
        delete(StaffUnit).where(StaffUnit.account_id == account_id, StaffUnit.establishment_id == establishment_id)
    )
    for right in sorted(held):
        audit.record(
            "right.withdrawn",
            establishment_id=establishment_id,
            object_kind="account",
            object_id=account_id,
            right=right,
        )


def _end_invitations(agent: Account, establishment_id: UUID) -> None:
    """Those they could still use, and those they made."""
    mine = (
        (StaffInvitation.account_id == agent.id)
        | (StaffInvitation.invited_by == agent.id)
        | ((StaffInvitation.email == agent.email.lower()) & (StaffInvitation.email != ""))
    )
    waiting = (StaffInvitation.establishment_id == establishment_id, StaffInvitation.used_at.is_(None), mine)
    for invitation_id in session.scalars(delete(StaffInvitation).where(*waiting).returning(StaffInvitation.id)):
        audit.record(
            "invitation.withdrawn",
            establishment_id=establishment_id,
            object_kind="invitation",
            object_id=invitation_id,
        )


def _end_sessions(account_id: UUID, establishment_id: UUID) -> None:
    """All of them, not only this hospital's: whoever still works at another one signs in again."""
    session.execute(
        update(WebSession)
        .where(WebSession.account_id == account_id, WebSession.ended_at.is_(None))
        .values(ended_at=db.now(), id_token="")
    )
    session.execute(
        update(EmergencyAccess)
        .where(
            EmergencyAccess.account_id == account_id,
            EmergencyAccess.establishment_id == establishment_id,
            EmergencyAccess.ends_at > db.now(),
        )
        .values(ends_at=db.now())
    )
    session.execute(delete(DormancyNotice).where(DormancyNotice.account_id == account_id))


def _close_unless_needed(account_id: UUID) -> bool:
    if session.scalar(select(func.count()).where(StaffRight.account_id == account_id)):
        return False
    session.execute(update(Account).where(Account.id == account_id).values(closed_at=db.now()))
    return True
