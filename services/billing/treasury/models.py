"""Sealed batches. Their lines are kept as they were written: no later change of a name or a bill alters a byte."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, ForeignKey, SmallInteger, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class TreasuryBatch(Keyed, Base):
    """Append-only: the movements of one civil day of a hospital, and those of former days that came in late.

    number: 1, 2, 3… in each hospital. layout: which version of the file's shape. sha256: of the file, in hexadecimal.
    """

    __tablename__ = "treasury_batch"
    __table_args__ = (UniqueConstraint("establishment_id", "number"), UniqueConstraint("establishment_id", "day"))

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    number: Mapped[int]
    day: Mapped[date] = mapped_column(Date)
    finess: Mapped[str]
    layout: Mapped[int] = mapped_column(SmallInteger)
    entries: Mapped[int]
    lines: Mapped[int]
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    fee_cents: Mapped[int] = mapped_column(BigInteger)
    net_cents: Mapped[int] = mapped_column(BigInteger)
    bank_cents: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    sealed_by: Mapped[str]
    sealed_by_name: Mapped[str] = mapped_column(default="")
    sealed_at: Mapped[datetime] = mapped_column(default=db.now)

    @property
    def file_name(self) -> str:
        return f"tresorerie-{self.finess}-{self.day:%Y-%m-%d}-{self.number:06d}.csv"


class TreasuryLine(Base):
    """Append-only: one line of a batch, cell by cell as it is printed. share: 1, 2, 3… of an entry about several
    bills. An entry is in one batch and no other."""

    __tablename__ = "treasury_line"
    __table_args__ = (UniqueConstraint("entry_id", "share"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("treasury_batch.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"))
    share: Mapped[int] = mapped_column(SmallInteger)
    cells: Mapped[list[str]] = mapped_column(ARRAY(Text))
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    fee_cents: Mapped[int] = mapped_column(BigInteger)
    net_cents: Mapped[int] = mapped_column(BigInteger)
    bank_cents: Mapped[int] = mapped_column(BigInteger)


class TreasuryCounter(Base):
    """The last batch of a hospital; its row lock lets one seal at a time, and keeps the numbers without gaps."""

    __tablename__ = "treasury_counter"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    last: Mapped[int]
    last_day: Mapped[date | None] = mapped_column(Date)
