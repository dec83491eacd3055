"""The roll-up: events counted by day behind a watermark of transaction ids, exactly once each."""

from sqlalchemy import text

from portal import jobs
from portal.db import session
from portal.kpi.events import GROUP_ZONE

_CIVIL_DAY = f"(k.at at time zone coalesce(e.time_zone, '{GROUP_ZONE}'))::date"
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
    f" select distinct date_trunc('month', k.at at time zone '{GROUP_ZONE}')::date, k.event, k.audience, k.pseudonym"
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
    session.execute(
        text("update kpi_watermark set xid = cast(:to_xid as xid8), rolled_up_at = now() where id = 1"),
        {"to_xid": to_xid},
    )


def rebuild() -> None:
    """Forget the roll-ups and count every event again, however long it takes."""
    session.execute(text("set local statement_timeout = 0"))
    session.execute(text("select 1 from kpi_watermark where id = 1 for update"))
    session.execute(text("delete from kpi_day"))
    session.execute(text("delete from kpi_month_unique"))
    session.execute(text("update kpi_watermark set xid = '0'::xid8 where id = 1"))
    roll_up()
