"""What agents may do, hospital by hospital: given and withdrawn by those who administer that hospital."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from auth import actions
from auth.models import Account, StaffInvitation, StaffRight
from portal import audit, db
from portal.db import RIGHTS, session

_ADMINISTRATION = "administration"


class NotAdministrator(Exception):
    """The actor does not administer this hospital."""


class UnknownAgent(Exception):
    """No open staff account has this id."""


class UnknownRight(Exception):
    """No right has this name."""


class LastAdministrator(Exception):
    """The hospital would be left without anybody to administer it."""


class OwnLastAdministration(Exception):
    """The actor would lose the last hospital that they administer."""


class UnknownInvitation(Exception):
    """No invitation that may still be used has this id at a hospital of the actor."""


def change_rights(account_id: UUID, establishment_id: UUID, rights: Collection[str]) -> None:
    """Give an agent these rights at a hospital, and no other.

    Raises NotAdministrator, UnknownAgent, UnknownRight, LastAdministrator, OwnLastAdministration.
    """
    wanted = _known(rights)
    administrators = _lock_administrators(establishment_id)
    agent = session.get(Account, account_id)
    if agent is None or agent.audience != "staff" or agent.closed_at is not None:
        raise UnknownAgent
    held = _held(account_id, establishment_id)
    if _ADMINISTRATION in held - wanted:
        _check_somebody_stays(account_id, administrators)
    _grant(account_id, establishment_id, wanted - held)
    _withdraw(account_id, establishment_id, held - wanted)


def invite_agent(email: str, establishment_id: UUID, rights: Collection[str]) -> str:
    """Make a one-time invitation for whoever proves this e-mail at ProConnect; return its token, never kept.

    Raises NotAdministrator, UnknownRight.
    """
    wanted = _known(rights)
    _check_administers(establishment_id)
    return actions.invite(email, tuple(sorted(wanted)), establishment_id)


def withdraw_invitation(invitation_id: UUID) -> None:
    """Make an invitation that nobody used useless. Raises UnknownInvitation."""
    query = select(StaffInvitation).where(StaffInvitation.id == invitation_id, StaffInvitation.used_at.is_(None))
    invitation = session.scalar(query.with_for_update(key_share=True))
    actor = db.current_actor()
    if invitation is None or invitation.establishment_id is None:
        raise UnknownInvitation
    if not actor.may(_ADMINISTRATION, invitation.establishment_id):
        raise UnknownInvitation
    session.delete(invitation)
    audit.record(
        "invitation.withdrawn",
        establishment_id=invitation.establishment_id,
        object_kind="invitation",
        object_id=invitation.id,
    )


def _known(rights: Collection[str]) -> set[str]:
    if unknown := set(rights) - set(RIGHTS):
        raise UnknownRight(*sorted(unknown))
    return set(rights)


def _check_administers(establishment_id: UUID) -> None:
    if not db.current_actor().may(_ADMINISTRATION, establishment_id):
        raise NotAdministrator


def _lock_administrators(establishment_id: UUID) -> set[UUID]:
    """Who administers the hospital, held still: two administrators who remove each other go one after the other,
    and the second one is no longer an administrator."""
    _check_administers(establishment_id)
    query = select(StaffRight.account_id).where(
        StaffRight.establishment_id == establishment_id, StaffRight.right == _ADMINISTRATION
    )
    found = set(session.scalars(query.order_by(StaffRight.account_id).with_for_update(key_share=True)))
    if db.current_actor().account_id not in found:
        raise NotAdministrator
    return found


def _held(account_id: UUID, establishment_id: UUID) -> set[str]:
    query = select(StaffRight.right).where(StaffRight.account_id == account_id)
    return set(session.scalars(query.where(StaffRight.establishment_id == establishment_id)))


def _check_somebody_stays(account_id: UUID, administrators: set[UUID]) -> None:
    if administrators <= {account_id}:
        raise LastAdministrator
    if account_id == db.current_actor().account_id and _administered(account_id) <= 1:
        raise OwnLastAdministration


def _administered(account_id: UUID) -> int:
    query = select(func.count()).where(StaffRight.account_id == account_id, StaffRight.right == _ADMINISTRATION)
    return session.scalar(query) or 0


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


def _record(event: str, account_id: UUID, establishment_id: UUID, right: str) -> None:
    audit.record(event, establishment_id=establishment_id, object_kind="account", object_id=account_id, right=right)
