"""The ledger of events, and its roll-ups."""

import hashlib
import hmac
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Date, FetchedValue, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.audit import Xid8
from portal.db import Base

GROUP_WIDE = UUID(int=0)
"""Stands for "no establishment" in roll-ups: what concerns the whole portal."""

GROUP_ZONE = "Europe/Paris"
"""Whose days and months count for what belongs to no establishment."""


class KpiEvent(Base):
    """One thing that happened (`noun_past`), somewhere, through a channel."""

    __tablename__ = "kpi_event"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    event: Mapped[str]
    establishment_id: Mapped[UUID] = mapped_column(default=GROUP_WIDE)
    channel: Mapped[str] = mapped_column(default="web")
    audience: Mapped[str] = mapped_column(default="")
    dimension: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int] = mapped_column(BigInteger, default=0)
    pseudonym: Mapped[str] = mapped_column(default="")


class KpiDay(Base):
    """Events of one civil day of the establishment, counted and summed."""

    __tablename__ = "kpi_day"
    __table_args__ = (Index(None, "event", "day"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)


class KpiMonthUnique(Base):
    """One pseudonym seen in one month of the group. Uniques are never summed over days or months."""

    __tablename__ = "kpi_month_unique"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(primary_key=True)


class KpiWatermark(Base):
    """Every event below this transaction id is rolled up."""

    __tablename__ = "kpi_watermark"

    id: Mapped[int] = mapped_column(primary_key=True, default=1, autoincrement=False)
    xid: Mapped[str] = mapped_column(Xid8, server_default=FetchedValue())
    rolled_up_at: Mapped[datetime] = mapped_column(default=db.now)


_secret = b""


def configure(secret: str) -> None:
    """The key of the monthly pseudonyms."""
    global _secret
    _secret = hashlib.sha256(b"kpi:" + secret.encode()).digest()


def count(
    event: str,
    *,
    establishment_id: UUID | None = None,
    channel: str = "web",
    audience: str = "",
    dimension: str = "",
    quantity: int = 0,
    account_id: UUID | None = None,
) -> None:
    """Append one event in the current transaction. quantity: cents, bytes… summed in the roll-up."""
    db.write_later(
        _INSERT,
        {
            "event": event,
            "establishment_id": establishment_id or GROUP_WIDE,
            "channel": channel,
            "audience": audience or db.current_actor().kind,
            "dimension": dimension,
            "quantity": quantity,
            "pseudonym": _pseudonym(account_id) if account_id else "",
        },
    )


# As text, for the same reason as the audit's lines.
_INSERT = (
    "insert into kpi_event (event, establishment_id, channel, audience, dimension, quantity, pseudonym)"
    " values (:event, :establishment_id, :channel, :audience, :dimension, :quantity, :pseudonym)"
)


def _pseudonym(account_id: UUID) -> str:
    # The same month as in the roll-up: else one person would have two pseudonyms in the first hours of a month.
    month = f"{db.now().astimezone(ZoneInfo(GROUP_ZONE)):%Y-%m}".encode()
    return hmac.new(_secret, month + account_id.bytes, hashlib.sha256).hexdigest()[:32]
