"""The ledger of events, its roll-ups, what is closed, and what definitions and targets were.

No person in it: an event carries at most a pseudonym that changes every month, whose key is destroyed.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    FetchedValue,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.audit import Xid8
from portal.db import Base, Keyed

GROUP_WIDE = UUID(int=0)
"""Stands for "no establishment" in roll-ups: what concerns the whole portal."""

GROUP_ZONE = "Europe/Paris"
"""Whose days and months count for what belongs to no establishment."""


class KpiEvent(Base):
    """One thing that happened (`noun_past`), somewhere, through a channel. Kept 25 months, without its pseudonym
    from 35 days after the end of its month; by month of UTC, a table each (`portal.kpi.months`)."""

    __tablename__ = "kpi_event"
    __table_args__ = (Index(None, "at", postgresql_using="brin"), {"postgresql_partition_by": "RANGE (at)"})

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[str] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"), primary_key=True)
    event: Mapped[str]
    establishment_id: Mapped[UUID] = mapped_column(default=GROUP_WIDE)
    channel: Mapped[str] = mapped_column(default="web")
    audience: Mapped[str] = mapped_column(default="")
    dimension: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int] = mapped_column(BigInteger, default=0)
    pseudonym: Mapped[str] = mapped_column(default="")


class _Counted:
    """Events of one kind, somewhere, over one span of days: counted and summed."""

    establishment_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=1)
    channel: Mapped[str] = mapped_column(primary_key=True, sort_order=2)
    audience: Mapped[str] = mapped_column(primary_key=True, sort_order=3)
    dimension: Mapped[str] = mapped_column(primary_key=True, sort_order=4)
    events: Mapped[int] = mapped_column(BigInteger, sort_order=5)
    quantity: Mapped[int] = mapped_column(BigInteger, sort_order=6)


class KpiDay(_Counted, Base):
    """Events of one civil day of the establishment. Those of a closed month never change."""

    __tablename__ = "kpi_day"
    __table_args__ = (Index(None, "event", "day"),)

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)


class KpiWeek(_Counted, Base):
    """The sum of the days of one ISO week, named by its Monday."""

    __tablename__ = "kpi_week"
    __table_args__ = (Index(None, "event", "week"),)

    week: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)


class KpiMonth(_Counted, Base):
    """The sum of the days of one month, named by its first day."""

    __tablename__ = "kpi_month"
    __table_args__ = (Index(None, "event", "month"),)

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)


class KpiHour(Base):
    """A few events of one month (`hours.EVENTS`) by day of the week (1: Monday) and hour of the establishment's clock.
    Those of a closed month never change."""

    __tablename__ = "kpi_hour"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(primary_key=True)
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    events: Mapped[int] = mapped_column(BigInteger)


class KpiMonthUnique(Base):
    """One pseudonym seen in one open month of the group. Uniques are never summed over days or months."""

    __tablename__ = "kpi_month_unique"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(primary_key=True)


class KpiMonthTotal(Base):
    """How many pseudonyms were seen in one month: what stays of them."""

    __tablename__ = "kpi_month_total"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int] = mapped_column(BigInteger)


class KpiMonthKey(Base):
    """The random key of one month's pseudonyms; empty once destroyed. mixed_with: which of the portal's secrets they
    are mixed with; "" before anything said it."""

    __tablename__ = "kpi_month_key"
    __table_args__ = (CheckConstraint("(destroyed_at is null) = (length(key) > 0)", "destroyed"),)

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    mixed_with: Mapped[str] = mapped_column(default="", server_default="")
    made_at: Mapped[datetime] = mapped_column(default=db.now)
    destroyed_at: Mapped[datetime | None]


class KpiWatermark(Base):
    """Every event below this transaction id is rolled up."""

    __tablename__ = "kpi_watermark"

    id: Mapped[int] = mapped_column(primary_key=True, default=1, autoincrement=False)
    xid: Mapped[str] = mapped_column(Xid8, server_default=FetchedValue())
    rolled_up_at: Mapped[datetime] = mapped_column(default=db.now)


class KpiClosedMonth(Base):
    """A month whose figures are final. rows, digest: of its days, so that a change is seen. forgotten_at: since when
    its events are not kept any more."""

    __tablename__ = "kpi_closed_month"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(default=db.now)
    rows: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    forgotten_at: Mapped[datetime | None]


class KpiLate(Base):
    """Events that came after their month was closed: told, never added to it."""

    __tablename__ = "kpi_late"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    month: Mapped[date] = mapped_column(Date, index=True)
    event: Mapped[str]
    establishment_id: Mapped[UUID]
    events: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime] = mapped_column(default=db.now)


class KpiClosedFigure(Base):
    """What a definition gave for a month when it was closed, in the version of that day.

    establishment_id: GROUP_WIDE for the whole group. numerator: None when the figure was not fed. portal: it is
    counted for the whole portal only, which every administrator may read.
    """

    __tablename__ = "kpi_closed_figure"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    numerator: Mapped[int | None] = mapped_column(BigInteger)
    denominator: Mapped[int | None] = mapped_column(BigInteger)
    portal: Mapped[bool]


class KpiFrozenNumber(Base):
    """What spans months, counted once and kept as a number."""

    __tablename__ = "kpi_frozen_number"

    code: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    numerator: Mapped[int] = mapped_column(BigInteger)
    denominator: Mapped[int | None] = mapped_column(BigInteger)
    frozen_at: Mapped[datetime] = mapped_column(default=db.now)


class KpiDefinition(Base):
    """A definition as it was in one version. Texts in English; words: language → the three texts in it."""

    __tablename__ = "kpi_definition"
    __table_args__ = (CheckConstraint("version > 0", "version"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
    numerator: Mapped[str]
    denominator: Mapped[str]
    unit: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    grain: Mapped[str]
    dimensions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    revision: Mapped[int]
    words: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    stored_at: Mapped[datetime] = mapped_column(default=db.now)


class KpiTarget(Keyed, Base):
    """What a hospital (GROUP_WIDE: the group) aims at from a day on. value: None withdraws it. Never altered."""

    __tablename__ = "kpi_target"
    __table_args__ = (Index(None, "code", "establishment_id"),)

    code: Mapped[str]
    establishment_id: Mapped[UUID]
    value: Mapped[float | None]
    from_on: Mapped[date]
    set_by: Mapped[str]
    set_by_name: Mapped[str]
    set_at: Mapped[datetime] = mapped_column(default=db.now)
