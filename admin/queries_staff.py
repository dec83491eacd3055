"""Agents and what they may do, at the hospitals of whoever asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Select, select

from auth.models import Account, StaffInvitation, StaffRight
from portal import db
from portal.db import RIGHTS, session


@dataclass
class Agent:
    """A member of staff, and their rights by hospital, in the order of `portal.db.RIGHTS`."""

    account: Account
    rights: dict[UUID, list[str]] = field(default_factory=dict)


def agents(establishment_ids: frozenset[UUID]) -> list[Agent]:
    """Everybody who may do something at these hospitals, by name."""
    return _gathered(_rights_at(establishment_ids).order_by(Account.name, Account.id))


def agent(account_id: UUID, establishment_ids: frozenset[UUID]) -> Agent | None:
    """This agent, when they may do something at one of these hospitals."""
    return next(iter(_gathered(_rights_at(establishment_ids).where(Account.id == account_id))), None)


def _rights_at(establishment_ids: frozenset[UUID]) -> Select[Account, StaffRight]:
    query = select(Account, StaffRight).join(StaffRight, StaffRight.account_id == Account.id)
    return query.where(StaffRight.establishment_id.in_(establishment_ids), Account.closed_at.is_(None))


def _gathered(query: Select[Account, StaffRight]) -> list[Agent]:
    found: dict[UUID, Agent] = {}
    for account, held in session.execute(query):
        one = found.setdefault(account.id, Agent(account))
        one.rights.setdefault(held.establishment_id, []).append(held.right)
        one.rights[held.establishment_id].sort(key=RIGHTS.index)
    return list(found.values())


def invitations(establishment_ids: frozenset[UUID]) -> Sequence[StaffInvitation]:
    """Invitations that may still be used, the first to lapse first."""
    query = select(StaffInvitation).where(
        StaffInvitation.establishment_id.in_(establishment_ids),
        StaffInvitation.used_at.is_(None),
        StaffInvitation.expires_at > db.now(),
    )
    return session.scalars(query.order_by(StaffInvitation.expires_at)).all()
