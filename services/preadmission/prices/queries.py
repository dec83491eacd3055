"""Which price applies."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from portal.db import session
from services.preadmission.prices.models import RoomPrice


def price_on(establishment_id: UUID, unit_id: UUID, day: date) -> int | None:
    """Cents a day for a single room that day: the unit's own price before the hospital's; None when nobody set one."""
    return session.scalar(
        select(RoomPrice.price_cents)
        .where(
            RoomPrice.establishment_id == establishment_id,
            or_(RoomPrice.unit_id == unit_id, RoomPrice.unit_id.is_(None)),
            RoomPrice.starts_on <= day,
        )
        .order_by(RoomPrice.unit_id.is_(None), RoomPrice.starts_on.desc(), RoomPrice.created_at.desc())
        .limit(1)
    )


def all_at(establishment_ids: Collection[UUID]) -> Sequence[RoomPrice]:
    """Every price of these hospitals, the latest first."""
    return session.scalars(
        select(RoomPrice)
        .options(joinedload(RoomPrice.establishment), joinedload(RoomPrice.unit))
        .where(RoomPrice.establishment_id.in_(establishment_ids))
        .order_by(RoomPrice.establishment_id, RoomPrice.starts_on.desc(), RoomPrice.created_at.desc())
        .limit(500)
    ).all()


def one_at(price_id: UUID, establishment_ids: Collection[UUID]) -> RoomPrice | None:
    return session.scalar(
        select(RoomPrice).where(RoomPrice.id == price_id, RoomPrice.establishment_id.in_(establishment_ids))
    )
