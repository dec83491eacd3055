"""What the person sees of their own contact data."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from auth.contact.actions import current
from auth.contact.models import ContactPoint
from auth.models import Account
from portal import db
from portal.db import session


@dataclass(frozen=True)
class Contact:
    """email: given by the identity provider, or proven by a code. mobile: proven, or ""."""

    account: Account
    email: str
    mobile: str


def mine() -> Contact:
    """The signed-in person's own."""
    account = session.get_one(Account, db.current_actor().account_id)
    mobile = current(account.id, "mobile")
    return Contact(account, account.email, mobile.value if mobile else "")


def waiting(point_id: UUID) -> ContactPoint | None:
    """An address or number of the signed-in person that waits for its code."""
    return session.scalar(
        select(ContactPoint).where(
            ContactPoint.id == point_id,
            ContactPoint.account_id == db.current_actor().account_id,
            ContactPoint.verified_at.is_(None),
        )
    )
