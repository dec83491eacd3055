"""Agents and what they may do, at the hospitals of whoever asks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from auth.agents import dormancy
from auth.agents.models import RightRequest, StaffRole, StaffUnit
from auth.models import Account, Identity, StaffInvitation, StaffRight
from portal import db
from portal.db import RIGHTS, session
from portal.establishments import Unit


@dataclass
class Agent:
    """A member of staff: their rights by hospital, in the order of `portal.db.RIGHTS`; their units by hospital; the
    identities that open their account."""

    account: Account
    rights: dict[UUID, list[str]] = field(default_factory=dict)
    units: dict[UUID, list[Unit]] = field(default_factory=dict)
    doors: list[Identity] = field(default_factory=list)

    @property
    def last_sign_in_at(self) -> datetime | None:
        """None for an agent who has not come yet."""
        return max((door.last_used_at for door in self.doors if door.last_used_at), default=None)

    @property
    def is_dormant(self) -> bool:
        """Whether they have not signed in for ninety days."""
        return dormancy.is_dormant(self.last_sign_in_at or self.account.created_at, db.now())


def agents(establishment_ids: frozenset[UUID]) -> list[Agent]:
    """Everybody who may do something at these hospitals, by name, with their units and doors."""
    found = _gathered(_rights_at(establishment_ids).order_by(Account.name, Account.id))
    _complete(found, establishment_ids)
    return list(found.values())


def agent(account_id: UUID, establishment_ids: frozenset[UUID]) -> Agent | None:
    """This agent, when they may do something at one of these hospitals, or a right waits for them there."""
    found = _gathered(_rights_at(establishment_ids).where(Account.id == account_id))
    if not found and (account := _awaited(account_id, establishment_ids)):
        found = {account_id: Agent(account)}
    _complete(found, establishment_ids)
    return found.get(account_id)


def _rights_at(establishment_ids: frozenset[UUID]) -> Select[Account, StaffRight]:
    query = select(Account, StaffRight).join(StaffRight, StaffRight.account_id == Account.id)
    return query.where(StaffRight.establishment_id.in_(establishment_ids), Account.closed_at.is_(None))


def _awaited(account_id: UUID, establishment_ids: frozenset[UUID]) -> Account | None:
    asked = select(RightRequest.account_id).where(
        RightRequest.establishment_id.in_(establishment_ids), RightRequest.outcome == ""
    )
    query = select(Account).where(Account.id == account_id, Account.id.in_(asked), Account.closed_at.is_(None))
    return session.scalar(query)


def _gathered(query: Select[Account, StaffRight]) -> dict[UUID, Agent]:
    found: dict[UUID, Agent] = {}
    for account, held in session.execute(query):
        one = found.setdefault(account.id, Agent(account))
        one.rights.setdefault(held.establishment_id, []).append(held.right)
    for one in found.values():
        for rights in one.rights.values():
            rights.sort(key=RIGHTS.index)
    return found


def _complete(found: dict[UUID, Agent], establishment_ids: frozenset[UUID]) -> None:
    """Units and doors, in one statement each whatever the number of agents."""
    placed = select(StaffUnit, Unit).join(Unit, Unit.id == StaffUnit.unit_id)
    placed = placed.where(StaffUnit.establishment_id.in_(establishment_ids), StaffUnit.account_id.in_(list(found)))
    for place, unit in session.execute(placed.order_by(Unit.name)):
        found[place.account_id].units.setdefault(place.establishment_id, []).append(unit)
    doors = select(Identity).where(Identity.account_id.in_(list(found))).order_by(Identity.created_at)
    for door in session.scalars(doors):
        found[door.account_id].doors.append(door)


def invitations(establishment_ids: frozenset[UUID]) -> Sequence[StaffInvitation]:
    """Invitations that may still be used, the first to lapse first."""
    query = select(StaffInvitation).where(
        StaffInvitation.establishment_id.in_(establishment_ids),
        StaffInvitation.used_at.is_(None),
        StaffInvitation.expires_at > db.now(),
    )
    return session.scalars(query.order_by(StaffInvitation.expires_at)).all()


def roles(establishment_ids: Collection[UUID]) -> Sequence[StaffRole]:
    """The roles that these hospitals named, by name."""
    query = select(StaffRole).where(StaffRole.establishment_id.in_(establishment_ids))
    return session.scalars(query.order_by(StaffRole.name)).all()


def requests(establishment_ids: frozenset[UUID]) -> Sequence[RightRequest]:
    """Rights that wait for a second administrator, the first to lapse first."""
    query = select(RightRequest).where(
        RightRequest.establishment_id.in_(establishment_ids),
        RightRequest.outcome == "",
        RightRequest.expires_at > db.now(),
    )
    whole = query.options(joinedload(RightRequest.account), joinedload(RightRequest.requester))
    return session.scalars(whole.order_by(RightRequest.expires_at)).all()


def administrators(establishment_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many agents administer each of these hospitals."""
    query = select(StaffRight.establishment_id, StaffRight.account_id).where(
        StaffRight.establishment_id.in_(establishment_ids), StaffRight.right == "administration"
    )
    found: dict[UUID, int] = {}
    for establishment_id, _account_id in session.execute(query):
        found[establishment_id] = found.get(establishment_id, 0) + 1
    return found


def units(establishment_ids: Collection[UUID]) -> Sequence[Unit]:
    """The units of these hospitals, by hospital and name."""
    query = select(Unit).where(Unit.establishment_id.in_(establishment_ids)).options(joinedload(Unit.establishment))
    return session.scalars(query.order_by(Unit.establishment_id, Unit.name)).all()
