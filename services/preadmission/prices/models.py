"""The price of a single room."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit


class RoomPrice(Keyed, Base):
    """From a day on, what a single room costs a day; unit_id: in this unit alone, None for the whole hospital.

    A price is never changed: another one follows it, so that what somebody was shown can be found again.
    """

    __tablename__ = "room_price"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", "price"),
        Index("ix_room_price_establishment_id_starts_on", "establishment_id", "starts_on"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    starts_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    created_by_name: Mapped[str] = mapped_column(default="")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()
