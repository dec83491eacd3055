"""A calendar that a person subscribes to."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Account
from portal import db
from portal.db import Base, Keyed


class CalendarFeed(Keyed, Base):
    """One a person. digest: SHA-256 of the address's secret, which is derived from `id` and kept nowhere.

    with_details: the unit, the practitioner and the reason too. with_proxied: the visits of those one acts for too.
    """

    __tablename__ = "calendar_feed"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    with_details: Mapped[bool] = mapped_column(default=False, server_default="false")
    with_proxied: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    last_read_on: Mapped[date | None] = mapped_column(Date)

    account: Mapped[Account] = relationship()
