"""Who administers a hospital: held still while rights change hands, and told when something waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import select

from auth.models import Account, StaffRight
from portal import db, notifications
from portal.db import session
from portal.establishments import Establishment
from portal.notifications import Mail

ADMINISTRATION = "administration"


class NotAdministrator(Exception):
    """The actor does not administer this hospital."""


class LastAdministrator(Exception):
    """The hospital would be left without anybody to administer it."""


class OwnLastAdministration(Exception):
    """The actor would lose the last hospital that they administer."""


def check_administers(establishment_id: UUID) -> None:
    """Raises NotAdministrator."""
    if not db.current_actor().may(ADMINISTRATION, establishment_id):
        raise NotAdministrator


def lock(establishment_id: UUID) -> set[UUID]:
    """Who administers the hospital, held still: two administrators who remove each other go one after the other,
    and the second one is no longer an administrator. Raises NotAdministrator."""
    check_administers(establishment_id)
    query = select(StaffRight.account_id).where(
        StaffRight.establishment_id == establishment_id, StaffRight.right == ADMINISTRATION
    )
    found = set(session.scalars(query.order_by(StaffRight.account_id).with_for_update(key_share=True)))
    if db.current_actor().account_id not in found:
        raise NotAdministrator
    return found


def check_somebody_stays(account_id: UUID, administrators: set[UUID]) -> None:
    """Raises LastAdministrator, OwnLastAdministration."""
    if administrators <= {account_id}:
        raise LastAdministrator
    actor = db.current_actor()
    if account_id == actor.account_id and len(actor.rights.get(ADMINISTRATION, ())) <= 1:
        raise OwnLastAdministration


def tell(establishment_id: UUID, mail: Mail, *, right: str = ADMINISTRATION, but: tuple[UUID | None, ...] = ()) -> None:
    """Write to each agent who holds this right at the hospital, but those; once for two accounts of one address."""
    holders = select(StaffRight.account_id).where(
        StaffRight.establishment_id == establishment_id, StaffRight.right == right
    )
    accounts = session.scalars(select(Account).where(Account.id.in_(holders), Account.closed_at.is_(None))).all()
    for account in {each.email: each for each in accounts if each.id not in but}.values():
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


def name_of(establishment_id: UUID) -> str:
    """The hospital, as its mails call it."""
    return session.get_one(Establishment, establishment_id).name


@contextmanager
def as_the_system(job: str) -> Iterator[None]:
    """What an agent may cause and not do themselves: their rows are other people's."""
    agent = db.current_actor()
    db.act_as(db.system(job))
    yield
    db.act_as(agent)
