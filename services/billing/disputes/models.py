"""Disputes, as Stripe tells them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry


class Dispute(Keyed, Base):
    """A payer says to their bank that a payment was not theirs, or not right; the bank takes it back meanwhile.

    entry_id: the payment, None while nobody here knows it. state, reason: Stripe's words (`needs_response`,
    `under_review`, `won`, `lost`, `warning_…`). respond_by: the hospital's last moment to answer, at Stripe's site.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", "amount"),
        Index("ix_dispute_list", "establishment_id", "opened_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    psp: Mapped[str]
    psp_ref: Mapped[str] = mapped_column(unique=True)
    account: Mapped[str]
    payment_ref: Mapped[str]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    state_at: Mapped[datetime] = mapped_column(default=db.now)
    respond_by: Mapped[datetime | None]
    opened_at: Mapped[datetime] = mapped_column(default=db.now)

    entry: Mapped[LedgerEntry | None] = relationship()
    establishment: Mapped[Establishment] = relationship()


class DisputeChange(Keyed, Base):
    """Append-only: how a dispute went from one of Stripe's states to the next, and when we heard it."""

    __tablename__ = "dispute_change"

    dispute_id: Mapped[UUID] = mapped_column(ForeignKey("dispute.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
