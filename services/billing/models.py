"""Bills, attempts to pay them, and receipts.

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
from services.billing.ledger.models import LedgerEntry

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
    """What a hospital asks of a patient.

    source: regie (before the titre), titre (public accountant), private. bill_source: the code of the source whose
    rules and counter it follows (see `sources`), "" for the hospital's default one. access_digest, birth_digest: what
    opens it to a payer without an account (see `access_keys`). closed_note: the reference of whoever closed it.
    """

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
        Index("ix_bill_access_digest", "access_digest", postgresql_where=text("access_digest is not null")),
        Index("ix_bill_birth_digest", "birth_digest", postgresql_where=text("birth_digest is not null")),
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
    bill_source: Mapped[str] = mapped_column(default="", server_default="")
    access_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    birth_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    closed_reason: Mapped[str] = mapped_column(default="")
    closed_note: Mapped[str] = mapped_column(default="", server_default="")
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
    """One try at paying one bill, or several of one source in one go.

    psp: which means (`portal.gateways.payments.means`). psp_ref: the provider's own name for it (PayFiP's idop, a
    Stripe session); without one, nobody could pay and nobody did. account, mode: the counter it was opened at.
    The return token is a secret of the payer's browser: only its SHA-256 is kept.
    """

    __tablename__ = "payment_attempt"
    __table_args__ = (
        CheckConstraint(_among("state", STATES), "state"),
        CheckConstraint("amount_cents > 0", "amount"),
        Index("ix_payment_attempt_next_poll_at", "next_poll_at", postgresql_where=text("next_poll_at is not null")),
        Index(
            "ix_payment_attempt_unsettled",
            "establishment_id",
            "created_at",
            postgresql_where=text(_among("state", IN_PROGRESS)),
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    source: Mapped[str]
    bill_source: Mapped[str] = mapped_column(default="", server_default="")
    psp: Mapped[str] = mapped_column(default="payfip")
    psp_ref: Mapped[str | None] = mapped_column(unique=True)
    page_url: Mapped[str] = mapped_column(default="", server_default="")
    page_until: Mapped[datetime | None]
    return_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(default="EUR", server_default="EUR")
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

    shares: Mapped[list["AttemptShare"]] = relationship(order_by="AttemptShare.bill_id", back_populates="attempt")

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED

    @property
    def is_test(self) -> bool:
        return self.mode == "T"

    @property
    def key(self) -> str:
        """Names this order for ever at its provider: it is written down before the provider hears of it."""
        return str(self.id)

    @property
    def bills(self) -> list[Bill]:
        return [share.bill for share in self.shares]


class AttemptShare(Base):
    """What an attempt pays of one bill. `live`: while the attempt is; a bill has one live share at most."""

    __tablename__ = "attempt_share"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", "amount"),
        Index("uq_attempt_share_one_live", "bill_id", unique=True, postgresql_where=text("live")),
    )

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"), primary_key=True)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), primary_key=True, index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    live: Mapped[bool]

    attempt: Mapped[PaymentAttempt] = relationship(back_populates="shares")
    bill: Mapped[Bill] = relationship()


class PaymentAttemptChange(Keyed, Base):
    """Append-only: how an attempt went from one state to the next, when and by whom."""

    __tablename__ = "payment_attempt_change"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class PspExchange(Keyed, Base):
    """Append-only evidence for disputes: what was asked of a provider and what it answered, masked by the door."""

    __tablename__ = "psp_exchange"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempt.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    operation: Mapped[str]
    request: Mapped[str]
    answer: Mapped[str]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    duration_ms: Mapped[int]
    ending: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class Receipt(Keyed, Base):
    """Append-only: the numbered proof of one payment. `code` lets anyone check it on the public page."""

    __tablename__ = "receipt"
    __table_args__ = (UniqueConstraint("establishment_id", "year", "number"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    year: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[int]
    code: Mapped[str] = mapped_column(unique=True)
    issued_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
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
