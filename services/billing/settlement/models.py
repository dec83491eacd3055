"""Files of payments, what they say, and the differences with the ledger that a human must explain.

Nothing here is money: the ledger is never corrected by a file.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

LINE_KINDS = ("online", "elsewhere", "cancelled", "rejected")
RESULTS = ("", "done", "reported")
"""Of a line: still to act upon, done (or nothing to do), reported in the work list."""

DIFFERENCES = (
    "not_in_ledger",
    "not_in_file",
    "amount",
    "counter",
    "unknown_reference",
    "also_paid_here",
    "part_only",
    "rejection",
)
"""not_in_ledger: the provider says so of an operation of ours. unknown_reference: of one that we never opened.
also_paid_here: a bill paid elsewhere has a payment here, or one under way. part_only: paid elsewhere in part.
rejection: a debit given back that matches no payment."""
DIFFERENCE_STATES = ("open", "explained", "closed")


def _among(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} in ({listed})"


class SettlementFile(Keyed, Base):
    """Append-only: one import as far as one hospital is concerned. run_id: the same for all hospitals of an import.

    refusals: the first lines left out, each [line, reference, why].
    """

    __tablename__ = "settlement_file"
    __table_args__ = (Index(None, "establishment_id", "imported_at"),)

    run_id: Mapped[UUID] = mapped_column(index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    name: Mapped[str]
    sha256: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    imported_at: Mapped[datetime] = mapped_column(default=db.now)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    refusals: Mapped[list[list[str]]] = mapped_column(JSONB, default=list)


class SettlementLine(Keyed, Base):
    """What a file said once; `key` names the fact within its kind, so that the same file read again changes nothing.

    account: the counter's. bill_id, entry_id: which bill, and which movement, it was understood to be about. result,
    why: what came of it.
    """

    __tablename__ = "settlement_line"
    __table_args__ = (
        UniqueConstraint("establishment_id", "kind", "key"),
        CheckConstraint(_among("kind", LINE_KINDS), "kind"),
        CheckConstraint(_among("result", RESULTS), "result"),
        CheckConstraint("amount_cents >= 0", "amount"),
        Index(None, "establishment_id", "happened_on"),
        Index("ix_settlement_line_pending", "imported_at", postgresql_where=text("result = ''")),
        Index(
            "ix_settlement_line_unmatched",
            "establishment_id",
            postgresql_where=text("kind = 'online' and entry_id is null"),
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    run_id: Mapped[UUID]
    kind: Mapped[str]
    key: Mapped[str]
    psp: Mapped[str] = mapped_column(default="")
    account: Mapped[str] = mapped_column(default="")
    psp_ref: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    exer: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    means: Mapped[str] = mapped_column(default="")
    happened_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str] = mapped_column(default="")
    bill_id: Mapped[UUID | None] = mapped_column(ForeignKey("bill.id"), index=True)
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    result: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(default="")
    imported_at: Mapped[datetime] = mapped_column(default=db.now)


class SettlementDifference(Keyed, Base):
    """One thing on which the ledger and somebody else do not agree. `subject` names it within its kind.

    day: the civil day of the hospital. note, decided_by: who explained it, and why.
    """

    __tablename__ = "settlement_difference"
    __table_args__ = (
        UniqueConstraint("establishment_id", "kind", "subject"),
        CheckConstraint(_among("kind", DIFFERENCES), "kind"),
        CheckConstraint(_among("state", DIFFERENCE_STATES), "state"),
        Index(None, "establishment_id", "day"),
        Index("ix_settlement_difference_open", "establishment_id", postgresql_where=text("state = 'open'")),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    subject: Mapped[str]
    psp: Mapped[str] = mapped_column(default="")
    account: Mapped[str] = mapped_column(default="")
    day: Mapped[date] = mapped_column(Date)
    reference: Mapped[str] = mapped_column(default="")
    bill_id: Mapped[UUID | None] = mapped_column(ForeignKey("bill.id"), index=True)
    file_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    ledger_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(default="open")
    note: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    found_at: Mapped[datetime] = mapped_column(default=db.now)


class SettlementDifferenceChange(Keyed, Base):
    """Append-only: how a difference went from one state to the next, by whom and why."""

    __tablename__ = "settlement_difference_change"

    difference_id: Mapped[UUID] = mapped_column(ForeignKey("settlement_difference.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    why: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class SettlementDay(Keyed, Base):
    """Append-only: an agent has checked this day of this counter, with the three totals of that moment, in cents."""

    __tablename__ = "settlement_day"
    __table_args__ = (UniqueConstraint("establishment_id", "psp", "account", "day"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    psp: Mapped[str]
    account: Mapped[str]
    day: Mapped[date] = mapped_column(Date)
    told_cents: Mapped[int] = mapped_column(BigInteger)
    ledger_cents: Mapped[int] = mapped_column(BigInteger)
    file_cents: Mapped[int] = mapped_column(BigInteger)
    explained: Mapped[int] = mapped_column(default=0)
    closed_by: Mapped[str]
    closed_by_name: Mapped[str] = mapped_column(default="")
    closed_at: Mapped[datetime] = mapped_column(default=db.now)
