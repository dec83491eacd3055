"""The roll-up: events counted by day, week and month behind a watermark of transaction ids, exactly once each."""

from typing import Final

from sqlalchemy import text

from portal import jobs
from portal.db import session
from portal.kpi import hours
from portal.kpi.models import GROUP_ZONE

CIVIL_DAY: Final = f"(k.at at time zone coalesce(e.time_zone, '{GROUP_ZONE}'))::date"
COUNTED: Final = (
    f"select {CIVIL_DAY} as day, k.event, k.establishment_id, k.channel, k.audience, k.dimension, count(*) as events,"
    " sum(k.quantity)::bigint as quantity"
    " from kpi_event k left join establishment e on e.id = k.establishment_id"
    " where {which} group by 1, 2, 3, 4, 5, 6"
)
"""Events by civil day of their establishment."""

_BATCH = "k.xid >= cast(:from_xid as xid8) and k.xid < cast(:to_xid as xid8)"
_MORE = "do update set events = {table}.events + excluded.events, quantity = {table}.quantity + excluded.quantity"
_COLUMNS = "event, establishment_id, channel, audience, dimension"


def _add(table: str, unit: str, start: str) -> str:
    return (
        f"insert into {table} ({unit}, {_COLUMNS}, events, quantity) select {start}, {_COLUMNS}, sum(events),"
        f" sum(quantity) from counted where not closed group by 1, 2, 3, 4, 5, 6 on conflict ({unit}, {_COLUMNS})"
        f" {_MORE.format(table=table)}"
    )


_WEEK = "date_trunc('week', day)::date"
_MONTH = "date_trunc('month', day)::date"
# What belongs to a closed month is told apart, and changes no figure of it.
_ADD = text(
    f"with batch as materialized ({COUNTED.format(which=_BATCH)}),"
    " counted as (select b.*, c.month is not null as closed from batch b"
    f" left join kpi_closed_month c on c.month = {_MONTH}),"
    f" days as ({_add('kpi_day', 'day', 'day')}),"
    f" weeks as ({_add('kpi_week', 'week', _WEEK)}),"
    f" months as ({_add('kpi_month', 'month', _MONTH)})"
    " insert into kpi_late (month, event, establishment_id, events, quantity, seen_at)"
    f" select {_MONTH}, event, establishment_id, sum(events), sum(quantity), now() from counted where closed"
    " group by 1, 2, 3"
)
_ADD_UNIQUES = text(
    "with seen as (insert into kpi_month_unique (month, event, audience, pseudonym)"
    f" select distinct date_trunc('month', k.at at time zone '{GROUP_ZONE}')::date as month, k.event, k.audience,"
    f" k.pseudonym from kpi_event k where {_BATCH} and k.pseudonym <> '' and not exists (select from kpi_closed_month c"
    f" where c.month = date_trunc('month', k.at at time zone '{GROUP_ZONE}')::date)"
    " on conflict do nothing returning month, event, audience)"
    " insert into kpi_month_total (month, event, audience, people) select month, event, audience, count(*) from seen"
    " group by 1, 2, 3 on conflict (month, event, audience) do update"
    " set people = kpi_month_total.people + excluded.people"
)


@jobs.periodic("*/1 * * * * */10", "kpi.roll_up")
def roll_up_now() -> None:
    """Roll up what has been committed since the last time."""
    with jobs.reading():
        roll_up()


def roll_up() -> str:
    """Count every event committed below the oldest running transaction, which is returned. One roll-up at a time."""
    from_xid = hold_watermark()
    to_xid = oldest_running()
    bounds = {"from_xid": from_xid, "to_xid": to_xid}
    session.execute(_ADD, bounds)
    session.execute(_ADD_UNIQUES, bounds)
    hours.add(from_xid, to_xid)
    move_watermark(to_xid)
    return to_xid


def hold_watermark() -> str:
    """Up to which transaction events are rolled up; nobody else rolls up until the end of this one."""
    return str(session.scalar(text("select xid::text from kpi_watermark where id = 1 for update")))


def oldest_running() -> str:
    """Below this transaction id everything has ended. Read in a statement before the one that counts."""
    return str(session.scalar(text("select pg_snapshot_xmin(pg_current_snapshot())::text")))


def move_watermark(to_xid: str) -> None:
    session.execute(
        text("update kpi_watermark set xid = cast(:to_xid as xid8), rolled_up_at = now() where id = 1"),
        {"to_xid": to_xid},
    )
