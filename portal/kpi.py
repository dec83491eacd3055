"""What is counted. No person in it: at most a keyed pseudonym that changes every month.

Events are appended in the transaction that did the thing. The worker rolls them up in batches behind a watermark of
transaction ids (the oldest still running), moved in the roll-up's own transaction: a late commit is counted late,
never lost; a rolled-back one never. An upsert per request would make hot rows.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, FetchedValue, Identity, func, insert, select, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import db, jobs
from portal.audit import Xid8
from portal.db import Base, session

GROUP_WIDE = UUID(int=0)
"""Stands for "no establishment" in roll-ups: what concerns the whole portal."""


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

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    event: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    audience: Mapped[str] = mapped_column(primary_key=True)
    dimension: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)
    quantity: Mapped[int] = mapped_column(BigInteger)


class KpiMonthUnique(Base):
    """One pseudonym seen in one month. Uniques are never summed over days or months."""

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


def count(event: str, *, establishment_id: UUID | None = None, channel: str = "web", audience: str = "",
          dimension: str = "", quantity: int = 0, account_id: UUID | None = None) -> None:
    """Append one event in the current transaction. quantity: cents, bytes… summed in the roll-up."""
    session.execute(insert(KpiEvent).inline().values(
        event=event, establishment_id=establishment_id or GROUP_WIDE, channel=channel,
        audience=audience or db.current_actor().kind, dimension=dimension, quantity=quantity,
        pseudonym=_pseudonym(account_id) if account_id else "",
    ))


def _pseudonym(account_id: UUID) -> str:
    month = f"{db.now():%Y-%m}".encode()
    return hmac.new(_secret, month + account_id.bytes, hashlib.sha256).hexdigest()[:32]


# -- rolling up --------------------------------------------------------------------------------------------------

_CIVIL_DAY = "(k.at at time zone coalesce(e.time_zone, 'Europe/Paris'))::date"
_BATCH = (
    "from kpi_event k left join establishment e on e.id = k.establishment_id"
    " where k.xid >= cast(:from_xid as xid8) and k.xid < cast(:to_xid as xid8)"
)
_ADD_DAYS = text(
    "insert into kpi_day (day, event, establishment_id, channel, audience, dimension, events, quantity)"
    f" select {_CIVIL_DAY}, k.event, k.establishment_id, k.channel, k.audience, k.dimension, count(*), sum(k.quantity)"
    f" {_BATCH} group by 1, 2, 3, 4, 5, 6"
    " on conflict (day, event, establishment_id, channel, audience, dimension) do update set"
    " events = kpi_day.events + excluded.events, quantity = kpi_day.quantity + excluded.quantity"
)
_ADD_UNIQUES = text(
    "insert into kpi_month_unique (month, event, audience, pseudonym)"
    f" select distinct date_trunc('month', {_CIVIL_DAY})::date, k.event, k.audience, k.pseudonym"
    f" {_BATCH} and k.pseudonym <> '' on conflict do nothing"
)


@jobs.periodic("*/1 * * * * */10", "kpi.roll_up")
def roll_up_now() -> None:
    """Roll up what has been committed since the last time."""
    with jobs.reading():
        roll_up()


def roll_up() -> None:
    """Count every event committed below the oldest running transaction. One roll-up at a time."""
    from_xid = session.scalar(text("select xid::text from kpi_watermark where id = 1 for update"))
    to_xid = session.scalar(text("select pg_snapshot_xmin(pg_current_snapshot())::text"))
    bounds = {"from_xid": from_xid, "to_xid": to_xid}
    session.execute(_ADD_DAYS, bounds)
    session.execute(_ADD_UNIQUES, bounds)
    session.execute(text("update kpi_watermark set xid = cast(:to_xid as xid8), rolled_up_at = now() where id = 1"),
                    {"to_xid": to_xid})


def rebuild() -> None:
    """Forget the roll-ups and count every event again."""
    session.execute(text("select 1 from kpi_watermark where id = 1 for update"))
    session.execute(text("delete from kpi_day"))
    session.execute(text("delete from kpi_month_unique"))
    session.execute(text("update kpi_watermark set xid = '0'::xid8 where id = 1"))
    roll_up()


# -- definitions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """Civil days, both included, at one establishment or (None) over the group."""

    first: date
    last: date
    establishment_id: UUID | None = None


@dataclass(frozen=True)
class Figure:
    """What a definition gives for a period. denominator None = a plain count; value None = not fed."""

    numerator: int
    denominator: int | None = None
    fed: bool = True

    @property
    def value(self) -> float | int | None:
        if not self.fed:
            return None
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Definition:
    """One indicator of the catalogue: its code, what it counts in words, and how.

    title, numerator and denominator are translatable (lazy) texts. unit: count | rate | cents.
    """

    code: str
    title: Any
    numerator: Any
    denominator: Any
    compute: Callable[[Period], Figure]
    unit: str = "count"
    version: int = 1
    event: str = ""
    link: str = ""
    missing: Any = ""


_definitions: dict[str, Definition] = {}


def define(*definitions: Definition) -> None:
    """Add indicators to the catalogue; a room declares its own."""
    _definitions.update({definition.code: definition for definition in definitions})


def definitions() -> Sequence[Definition]:
    return sorted(_definitions.values(), key=lambda definition: definition.code)


def definition(code: str) -> Definition:
    """Raises KeyError."""
    return _definitions[code]


def counted(event: str, period: Period, *, channels: Iterable[str] = (), audience: str = "",
            dimension: str = "") -> int:
    """How many such events in the period, from the roll-up."""
    return int(session.scalar(_of(select(func.coalesce(func.sum(KpiDay.events), 0)), event, period, channels,
                                  audience, dimension)) or 0)


def summed(event: str, period: Period) -> int:
    """The sum of the events' quantity in the period, from the roll-up."""
    return int(session.scalar(_of(select(func.coalesce(func.sum(KpiDay.quantity), 0)), event, period, (), "", "")) or 0)


def series(event: str, period: Period, *, channels: Iterable[str] = ()) -> dict[date, int]:
    """Day → how many such events, days without any left out."""
    query = _of(select(KpiDay.day, func.sum(KpiDay.events)), event, period, channels, "", "").group_by(KpiDay.day)
    return {day: int(total) for day, total in session.execute(query)}


def uniques(event: str, month: date, *, audience: str = "") -> int:
    """Distinct pseudonyms in the month of `month`."""
    query = select(func.count(func.distinct(KpiMonthUnique.pseudonym))).where(
        KpiMonthUnique.month == month.replace(day=1), KpiMonthUnique.event == event)
    return session.scalar(query.where(KpiMonthUnique.audience == audience) if audience else query) or 0


def _of(query: Any, event: str, period: Period, channels: Iterable[str], audience: str, dimension: str) -> Any:
    query = query.where(KpiDay.event == event, KpiDay.day.between(period.first, period.last))
    if period.establishment_id:
        query = query.where(KpiDay.establishment_id == period.establishment_id)
    if channels:
        query = query.where(KpiDay.channel.in_(list(channels)))
    if audience:
        query = query.where(KpiDay.audience == audience)
    if dimension:
        query = query.where(KpiDay.dimension == dimension)
    return query
