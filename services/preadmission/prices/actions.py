"""An administrator sets what a room costs, from a day on."""

from datetime import date
from uuid import UUID, uuid4

from portal import audit, db
from portal.db import session
from portal.establishments import Unit
from services.preadmission.prices.models import RoomPrice


class NotOfTheHospital(Exception):
    """The unit belongs to another hospital."""


class AlreadyShown(Exception):
    """The price applies, or has applied: people may have been shown it, so it stays."""


def set_price(establishment_id: UUID, unit_id: UUID | None, price_cents: int, starts_on: date) -> None:
    """Raises NotOfTheHospital."""
    if unit_id is not None:
        unit = session.get(Unit, unit_id)
        if unit is None or unit.establishment_id != establishment_id:
            raise NotOfTheHospital(unit_id)
    made = RoomPrice(
        id=uuid4(),
        establishment_id=establishment_id,
        unit_id=unit_id,
        price_cents=price_cents,
        starts_on=starts_on,
        created_by_name=db.current_actor().name,
    )
    session.add(made)
    session.flush()
    _record("room_price.set", made)


def take_back(price: RoomPrice, today: date) -> None:
    """Give up a price that has not begun. Raises AlreadyShown."""
    if price.starts_on <= today:
        raise AlreadyShown(price.id)
    _record("room_price.taken_back", price)
    session.delete(price)
    session.flush()


def _record(event: str, price: RoomPrice) -> None:
    audit.record(
        event,
        establishment_id=price.establishment_id,
        object_kind="room_price",
        object_id=price.id,
        price_cents=price.price_cents,
        starts_on=price.starts_on.isoformat(),
    )
