"""Who is told each morning of what waits: shared addresses of units, and the mornings that were told."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit


class DigestAddress(Keyed, Base):
    """A shared address of a unit, or of the whole hospital, that an administrator entered; stopped by whoever reads
    it, or by an administrator."""

    __tablename__ = "digest_address"
    __table_args__ = (
        Index(
            "uq_digest_address_open", "establishment_id", "unit_id", "address",
            unique=True, postgresql_where=text("stopped_at is null"), postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    stopped_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()


class DigestMorning(Keyed, Base):
    """A morning that an agent or a shared address was told of, once whatever happens. waiting: how many things; 0:
    nothing was sent."""

    __tablename__ = "digest_morning"
    __table_args__ = (
        UniqueConstraint("account_id", "day"),
        UniqueConstraint("address_id", "day"),
        CheckConstraint("num_nonnulls(account_id, address_id) = 1", "one_reader"),
        Index("ix_digest_morning_day", "day"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    address_id: Mapped[UUID | None] = mapped_column(ForeignKey("digest_address.id"))
    day: Mapped[date] = mapped_column(Date)
    waiting: Mapped[int]
    told_at: Mapped[datetime] = mapped_column(default=db.now)
