"""Where agents work."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from auth.agents.models import StaffUnit
from portal import audit
from portal.db import session
from portal.establishments import Unit


def place(account_id: UUID, establishment_id: UUID, unit_ids: Collection[UUID]) -> None:
    """Say in which units of this hospital an agent works, and in no other; another hospital's units do not count."""
    wanted = set(
        session.scalars(select(Unit.id).where(Unit.establishment_id == establishment_id, Unit.id.in_(unit_ids)))
    )
    here = (StaffUnit.account_id == account_id, StaffUnit.establishment_id == establishment_id)
    former = set(session.scalars(select(StaffUnit.unit_id).where(*here)))
    if wanted == former:
        return
    session.execute(delete(StaffUnit).where(*here, StaffUnit.unit_id.not_in(wanted)))
    for unit_id in wanted - former:
        row = insert(StaffUnit).values(account_id=account_id, unit_id=unit_id, establishment_id=establishment_id)
        session.execute(row.on_conflict_do_nothing())
    audit.record(
        "agent.placed",
        establishment_id=establishment_id,
        object_kind="account",
        object_id=account_id,
        units=len(wanted),
    )
