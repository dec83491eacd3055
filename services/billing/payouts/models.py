"""Payouts and the movements each is made of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry


class Payout(Keyed, Base):
    """Money that Stripe sent to the hospital's bank; below zero, money that it took there.

    state: Stripe's word (`paid`, `pending`, `in_transit`, `canceled`, `failed`). account: of `clearing:stripe:…`.
    """

    __tablename__ = "payout"
    __table_args__ = (Index("ix_payout_list", "establishment_id", "arrives_at"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    account: Mapped[str]
    psp: Mapped[str]
    psp_ref: Mapped[str] = mapped_column(unique=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str]
    arrives_at: Mapped[datetime]
    heard_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
    movements: Mapped[list["PayoutMovement"]] = relationship(
        order_by="PayoutMovement.moved_at", back_populates="payout"
    )


class PayoutMovement(Keyed, Base):
    """One line of a payout, as Stripe tells it: net = amount - fee, added to what Stripe owes the hospital.

    kind: Stripe's `reporting_category`. entry_id: the ledger's entry of the same money, None while there is none: that
    is a difference for a human.
    """

    __tablename__ = "payout_movement"
    __table_args__ = (CheckConstraint("net_cents = amount_cents - fee_cents", "net"),)

    payout_id: Mapped[UUID] = mapped_column(ForeignKey("payout.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    psp_ref: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    fee_cents: Mapped[int] = mapped_column(BigInteger)
    net_cents: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(default="")
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    moved_at: Mapped[datetime]

    payout: Mapped[Payout] = relationship(back_populates="movements")
    entry: Mapped[LedgerEntry | None] = relationship()
