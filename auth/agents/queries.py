"""Where the signed-in agent works."""

from uuid import UUID

from sqlalchemy import select

from auth.agents.models import StaffUnit
from portal import db
from portal.db import session


def my_units() -> frozenset[UUID]:
    """The units where the agent works, to choose first in their lists; nothing is restricted to them."""
    query = select(StaffUnit.unit_id).where(StaffUnit.account_id == db.current_actor().account_id)
    return frozenset(session.scalars(query))
