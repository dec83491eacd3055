"""Refunds. The database refuses one that nobody else approved above the threshold, and one that a payment does not
hold any more."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.billing.ledger.models import LedgerEntry
from services.billing.models import Bill
from services.billing.refunds.states import STATES

REASONS = ("overpaid", "cancelled_care", "at_provider")
"""overpaid: more came in than was due. cancelled_care: nothing is due any more, and the bill is closed with the
refund. at_provider: somebody gave it back at the provider's own site."""
TO_CHOOSE = ("overpaid", "cancelled_care")


def _among(column: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"{column} in ({listed})"


class Refund(Keyed, Base):
    """Some of what one payment brought for one bill, given back.

    psp: the way back, `stripe`, `payfip`, or `bank` for a payment by Stripe that the accountant gives back. entry_id:
    the payment, in the ledger. Its own id is the key under which a provider knows it: it is stored before
    the provider hears of it. psp_ref: the provider's name for it. needs_second: the amount was above the hospital's
    threshold when it was asked for. first_sent_at: since when its key lives. failure: the provider's code.
    accountant_ref, moved_on: of the public accountant's transfer, for a means that gives nothing back itself.
    """

    __tablename__ = "refund"
    __table_args__ = (
        CheckConstraint(_among("state", STATES), "state"),
        CheckConstraint(_among("reason", REASONS), "reason"),
        CheckConstraint("amount_cents > 0", "amount"),
        CheckConstraint("length(note) <= 500", "note"),
        CheckConstraint("approved_by is null or approved_by <> asked_by", "four_eyes"),
        CheckConstraint("asked_by is not null or reason = 'at_provider'", "asked_by"),
        CheckConstraint(
            "not needs_second or approved_by is not null or state in ('asked', 'cancelled')", "needs_second"
        ),
        Index("ix_refund_tray", "establishment_id", "state", "asked_at"),
        Index(
            "ix_refund_to_follow",
            "state_at",
            postgresql_where=text("psp = 'stripe' and state in ('approved', 'sending', 'unknown', 'under_way')"),
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), index=True)
    psp: Mapped[str]
    psp_ref: Mapped[str | None] = mapped_column(unique=True)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="asked")
    state_at: Mapped[datetime] = mapped_column(default=db.now)
    needs_second: Mapped[bool] = mapped_column(default=False)
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    asked_by_name: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    approved_by_name: Mapped[str] = mapped_column(default="")
    approved_at: Mapped[datetime | None]
    first_sent_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(default="")
    accountant_ref: Mapped[str] = mapped_column(default="")
    moved_on: Mapped[date | None] = mapped_column(Date)

    bill: Mapped[Bill] = relationship()
    entry: Mapped[LedgerEntry] = relationship()
    establishment: Mapped[Establishment] = relationship()

    @property
    def key(self) -> str:
        """Names this refund for ever at its provider."""
        return str(self.id)

    @property
    def is_by_transfer(self) -> bool:
        """Whether the public accountant gives it back: Stripe alone does it by itself."""
        return self.psp != "stripe"


class RefundChange(Keyed, Base):
    """Append-only: how a refund went from one state to the next, when and by whom."""

    __tablename__ = "refund_change"

    refund_id: Mapped[UUID] = mapped_column(ForeignKey("refund.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    code: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
