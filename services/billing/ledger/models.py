"""Entries and their lines. The database refuses to change or delete one, and an entry whose two sides differ.

Accounts: `receivable` (what patients owe, per bill), `overpaid` (received beyond what was due, per bill),
`clearing:<psp>:<account>` (what a provider owes the hospital), `bank`, `fees`, `disputes`. A titre is the public
accountant's: its payments are written as evidence under `memo:` accounts, and never count as the hospital's cash.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed

RECEIVABLE, OVERPAID, BANK, FEES, DISPUTES = "receivable", "overpaid", "bank", "fees", "disputes"
MEMO = "memo:"
PAYERS = (RECEIVABLE, OVERPAID, MEMO + RECEIVABLE)
"""The accounts that tell what a bill has received."""

KINDS = (
    "payment",
    "rejection",
    "refund",
    "refund_failed",
    "dispute",
    "dispute_won",
    "dispute_fee",
    "fee",
    "payout",
)
"""rejection: a debit order that the bank gave back. refund_failed: money given back that came back to us."""


class LedgerEntry(Keyed, Base):
    """Append-only: money moved, once. (psp, psp_ref, kind) is the gate that lets a movement in a single time.

    means: card, or direct_debit (an order to the bank, not cash yet); "" when neither. account: the counter's (PayFiP
    `numcli`, a Stripe account). number: what a bank statement shows. moved_at: as the provider says, if it does.
    undoes_id: the entry that this one takes back. is_memo: evidence of a titre's payment. note: an accountant's
    reference.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("psp", "psp_ref", "kind"),
        CheckConstraint("amount_cents > 0", "amount"),
        CheckConstraint(f"kind in ({', '.join(repr(kind) for kind in KINDS)})", "kind"),
        Index("ix_ledger_entry_journal", "establishment_id", "booked_at", "id"),
        Index("ix_ledger_entry_undoes_id", "undoes_id", postgresql_where=text("undoes_id is not null")),
        Index("ix_ledger_entry_number", "number", postgresql_where=text("number <> ''")),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_attempt.id"), index=True)
    undoes_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))
    psp: Mapped[str]
    psp_ref: Mapped[str]
    kind: Mapped[str]
    means: Mapped[str] = mapped_column(default="", server_default="")
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="EUR", server_default="EUR")
    bill_source: Mapped[str] = mapped_column(default="", server_default="")
    account: Mapped[str]
    number: Mapped[str] = mapped_column(default="", server_default="")
    is_memo: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_test: Mapped[bool] = mapped_column(default=False, server_default="false")
    note: Mapped[str] = mapped_column(default="", server_default="")
    moved_at: Mapped[datetime | None]
    booked_at: Mapped[datetime] = mapped_column(default=db.now)

    lines: Mapped[list["LedgerLine"]] = relationship(order_by="LedgerLine.debit_cents.desc()")


class LedgerLine(Keyed, Base):
    """Append-only: one side of an entry, whose kind it repeats. bill_id: whose money it is, when it is a bill's."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        CheckConstraint("least(debit_cents, credit_cents) = 0 and greatest(debit_cents, credit_cents) > 0", "one_side"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    bill_id: Mapped[UUID | None] = mapped_column(ForeignKey("bill.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    account: Mapped[str]
    debit_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    credit_cents: Mapped[int] = mapped_column(BigInteger, default=0)
