"""The machines of an administrator's hospitals."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.machines.models import Machine
from portal.db import session


def machines(establishment_ids: Collection[UUID]) -> Sequence[Machine]:
    """Those let in first, by hospital and name; then those shut out."""
    query = select(Machine).where(Machine.establishment_id.in_(establishment_ids))
    ordered = query.order_by(Machine.revoked_at.is_not(None), Machine.establishment_id, Machine.name, Machine.id)
    return session.scalars(ordered.options(joinedload(Machine.establishment))).all()


def machine(machine_id: UUID, establishment_ids: Collection[UUID]) -> Machine | None:
    query = select(Machine).where(Machine.id == machine_id, Machine.establishment_id.in_(establishment_ids))
    return session.scalar(query.options(joinedload(Machine.establishment)))
