"""Bills, attempts to pay them, and the ledger.

Every amount is an int of cents. What a bill has received is never written on the bill: it is the sum of the ledger,
whose rows are added and never changed. Who may see a bill may see what hangs on it (the policies say so).
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

SOURCES = ("regie", "titre", "private")
CLOSINGS = ("paid_elsewhere", "cancelled")
BILL_STATES = ("open", "in_progress", "debit_accepted", "partly", "paid", "overpaid", "closed_elsewhere")

STATES = ("created", "awaiting", "to_review", "paid", "debit_accepted", "refused", "abandoned", "expired", "failed")
LIVE = ("created", "awaiting")
"""A bill has one such attempt at most."""
IN_PROGRESS = (*LIVE, "to_review")
"""What keeps a bill from being paid again: perhaps the person has paid."""
SETTLED = ("paid", "debit_accepted")


def _among(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} in ({listed})"


class Bill(Keyed, Base):
    """What a hospital asks of a patient. `source`: regie (before the titre), titre (public accountant), private."""

    __tablename__ = "bill"
    __table_args__ = (
        UniqueConstraint("establishment_id", "source", "exer", "reference"),
        CheckConstraint(_among("source", SOURCES), "source"),
        CheckConstraint(_among("closed_reason", ("", *CLOSINGS)), "closed_reason"),
        CheckConstraint("least(total_cents, amo_cents, amc_cents, due_cents) >= 0", "amounts"),
        Index("ix_bill_establishment_id_issued_on", "establishment_id", "issued_on"),
        Index(
            "ix_bill_unclaimed",
            "establishment_id",
            "ipp",
            postgresql_where=text("patient_id is null and ipp <> ''"),
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    ipp: Mapped[str] = mapped_column(default="", server_default="")
    source: Mapped[str]
    exer: Mapped[str]
    reference: Mapped[str]
    refdet: Mapped[str]
    label: Mapped[str]
    unit: Mapped[str] = mapped_column(default="")
    care_on: Mapped[date | None] = mapped_column(Date)
    issued_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    amo_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    amc_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    due_cents: Mapped[int] = mapped_column(BigInteger)
    closed_reason: Mapped[str] = mapped_column(default="")
    closed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient | None] = relationship()

    @property
    def otherwise_cents(self) -> int:
        """What neither the insurances nor the patient pay: an earlier deposit, a gesture of the hospital."""
        return self.total_cents - self.amo_cents - self.amc_cents - self.due_cents


class PaymentAttempt(Keyed, Base):
    """One try at paying one bill. `psp_ref` is PayFiP's idop; without one, nobody could pay and nobody did.

    The return token is a secret of the payer's browser: only its SHA-256 is kept.
    """

    __tablename__ = "payment_attempt"
    __table_args__ = (
        CheckConstraint(_among("state", STATES), "state"),
        Index("uq_payment_attempt_one_live", "bill_id", unique=True, postgresql_where=text(_among("state", LIVE))),
        Index("ix_payment_attempt_next_poll_at", "next_poll_at", postgresql_where=text("next_poll_at is not null")),
    )

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    psp: Mapped[str] = mapped_column(default="payfip")
    psp_ref: Mapped[str | None] = mapped_column(unique=True)
    return_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    refdet: Mapped[str]
    exer: Mapped[str]
    numcli: Mapped[str]
    mode: Mapped[str]
    email: Mapped[str]
    locale: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="created")
    state_at: Mapped[datetime] = mapped_column(default=db.now)
    last_code: Mapped[str] = mapped_column(default="")
    mismatch: Mapped[str] = mapped_column(default="")
    polls: Mapped[int] = mapped_column(SmallInteger, default=0)
    next_poll_at: Mapped[datetime | None]
    notified_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    bill: Mapped[Bill] = relationship()

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED


class PaymentAttemptChange(Keyed, Base):
    """Append-only: how an attempt went from one state to the next, when and by whom."""

    __tablename__ = "payment_attempt_change"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class PspExchange(Keyed, Base):
    """Append-only evidence for disputes: what was asked of PayFiP and what it answered, masked by the door."""

    __tablename__ = "psp_exchange"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    operation: Mapped[str]
    request: Mapped[str]
    answer: Mapped[str]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int]
    ending: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class LedgerEntry(Keyed, Base):
    """Append-only: money moved, once. (psp, psp_ref, kind) is the gate that lets a payment in a single time.

    `means`: card, or direct_debit (an order to the bank, not cash yet). `moved_at`: PayFiP's minute, if it gave one.
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("psp", "psp_ref", "kind"),
        CheckConstraint("amount_cents > 0", "amount"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"))
    psp: Mapped[str]
    psp_ref: Mapped[str]
    kind: Mapped[str]
    means: Mapped[str]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    numcli: Mapped[str]
    numauto: Mapped[str] = mapped_column(default="")
    moved_at: Mapped[datetime | None]
    booked_at: Mapped[datetime] = mapped_column(default=db.now)

    attempt: Mapped[PaymentAttempt] = relationship()
    lines: Mapped[list["LedgerLine"]] = relationship(order_by="LedgerLine.debit_cents.desc()")


class LedgerLine(Keyed, Base):
    """Append-only: one side of an entry. A deferred trigger refuses an entry whose debits and credits differ."""

    __tablename__ = "ledger_line"
    __table_args__ = (
        CheckConstraint("least(debit_cents, credit_cents) = 0 and greatest(debit_cents, credit_cents) > 0", "one_side"),
    )

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    account: Mapped[str]
    debit_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    credit_cents: Mapped[int] = mapped_column(BigInteger, default=0)


class Receipt(Keyed, Base):
    """Append-only: the numbered proof of one payment. `code` lets anyone check it on the public page."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("establishment_id", "year", "number"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    code: Mapped[str] = mapped_column(unique=True)
    issued_at: Mapped[datetime] = mapped_column(default=db.now)

    bill: Mapped[Bill] = relationship()
    entry: Mapped[LedgerEntry] = relationship()

    @property
    def label(self) -> str:
        """The number people read: `2026-000042`, counted per hospital and year."""
        return f"{self.year}-{self.number:06d}"

    @property
    def printed_code(self) -> str:
        """The code as it is printed, in two halves."""
        return f"{self.code[:5]}-{self.code[5:]}"


class ReceiptCounter(Base):
    """The last receipt number of a hospital and year; its row lock keeps the numbers without gaps."""

    __tablename__ = "receipt_counter"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    year: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    last: Mapped[int]
