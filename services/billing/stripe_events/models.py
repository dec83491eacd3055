"""Events of Stripe's, once each, and how far each account's were read."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

STATES = ("waiting", "done", "ignored", "to_review")
WAYS = ("webhook", "sweep")


class StripeEvent(Keyed, Base):
    """Something happened at Stripe. Of the message nothing is kept but names: what is true is asked of Stripe.

    object_id: `cs_…`, `re_…`, `ch_…`, `du_…`, `po_…`. payment_ref: the payment it is about (`pi_…`), if it says.
    came_by: webhook or sweep, whichever was first. state: ignored when it is about none of our payments. note: why it
    was ignored, or what a human should look at.
    """

    __tablename__ = "stripe_event"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'done', 'ignored', 'to_review')", "state"),
        CheckConstraint("came_by in ('webhook', 'sweep')", "came_by"),
        Index("ix_stripe_event_list", "establishment_id", "received_at"),
        Index("ix_stripe_event_waiting", "received_at", postgresql_where=text("state = 'waiting'")),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    event_id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    object_id: Mapped[str]
    payment_ref: Mapped[str] = mapped_column(default="", server_default="")
    live: Mapped[bool]
    came_by: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    note: Mapped[str] = mapped_column(default="", server_default="")
    happened_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    done_at: Mapped[datetime | None]


class StripeSweep(Base):
    """How far a hospital's events were read. read_until: the moment of the newest one, by Stripe's clock.

    trouble: why the last sweep read nothing, "" when it went well.
    """

    __tablename__ = "stripe_sweep"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    read_until: Mapped[datetime | None]
    swept_at: Mapped[datetime] = mapped_column(default=db.now)
    trouble: Mapped[str] = mapped_column(default="", server_default="")
