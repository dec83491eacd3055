"""Counting every event again: open months become what their events say, closed ones are only compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from portal.db import session
from portal.kpi import hours, keys
from portal.kpi.closing import DAYS_OF_MONTH
from portal.kpi.models import GROUP_ZONE, KpiClosedMonth
from portal.kpi.rolling import COUNTED, roll_up


@dataclass(frozen=True)
class Difference:
    """Where the events of a closed month are not what was frozen. late: came after the closing, and told then;
    what else there is, nothing explains."""

    month: date
    event: str
    establishment_id: UUID
    frozen: int
    late: int
    events: int
    frozen_quantity: int
    late_quantity: int
    quantity: int

    @property
    def is_unexplained(self) -> bool:
        return (self.events, self.quantity) != (self.frozen + self.late, self.frozen_quantity + self.late_quantity)


@dataclass(frozen=True)
class Rebuilt:
    """events: counted again in open months. rows: days they make. compared: closed months whose events are still
    kept. forgotten: closed months whose events are not. altered: closed months whose days are not those that were
    closed."""

    events: int
    rows: int
    compared: tuple[date, ...]
    forgotten: tuple[date, ...]
    altered: tuple[date, ...]
    differences: tuple[Difference, ...]


def rebuild() -> Rebuilt:
    """Count every event again, however long it takes. Closed months are never written."""
    session.execute(text("set local statement_timeout = 0"))
    to_xid = roll_up()  # so that what came late to a closed month is told as such
    closed = session.execute(select(KpiClosedMonth.month, KpiClosedMonth.forgotten_at)).all()
    for table, unit in (("kpi_day", "day"), ("kpi_month_unique", "month"), ("kpi_month_total", "month")):
        session.execute(text(_DELETE_OPEN.format(table=table, unit=unit)))
    found = session.execute(_RECOUNT, {"to_xid": to_xid}).all()
    for statement in _RESUM:
        session.execute(text(statement))
    session.execute(_RECOUNT_UNIQUES, {"to_xid": to_xid})
    session.execute(text(_COUNT_UNIQUES))
    hours.recount(to_xid)
    opened = next(row for row in found if row.month is None)
    return Rebuilt(
        int(opened.events or 0),
        int(opened.rows or 0),
        tuple(sorted(month for month, forgotten in closed if forgotten is None)),
        tuple(sorted(month for month, forgotten in closed if forgotten is not None)),
        tuple(_altered()),
        tuple(_differences([row for row in found if row.month is not None])),
    )


_CLOSED_MONTH = "exists (select from kpi_closed_month c where c.month = date_trunc('month', {day})::date)"
_DELETE_OPEN = "delete from {table} t where not " + _CLOSED_MONTH.format(day="t.{unit}")
# One pass over the events: what is of open months is written, what is of closed ones comes back to be compared.
_RECOUNT = text(
    f"with counted as materialized ({COUNTED.format(which='k.xid < cast(:to_xid as xid8)')}),"
    " sorted as materialized (select n.*, c.month from counted n"
    " left join kpi_closed_month c on c.month = date_trunc('month', n.day)::date),"
    " written as (insert into kpi_day (day, event, establishment_id, channel, audience, dimension, events, quantity)"
    " select day, event, establishment_id, channel, audience, dimension, events, quantity from sorted"
    " where month is null returning events)"
    " select null::date as month, null::text as event, null::uuid as establishment_id, sum(events) as events,"
    " count(*) as rows, 0 as quantity from written"
    " union all select month, event, establishment_id, sum(events), count(*), sum(quantity) from sorted"
    " where month is not null group by 1, 2, 3"
)
_RESUM = [
    statement
    for grain in ("week", "month")
    for statement in (
        f"delete from kpi_{grain}",
        f"insert into kpi_{grain} ({grain}, event, establishment_id, channel, audience, dimension, events, quantity)"
        f" select date_trunc('{grain}', day)::date, event, establishment_id, channel, audience, dimension,"
        # In the order in which they will be read: what one page asks for lies together.
        " sum(events), sum(quantity) from kpi_day group by 1, 2, 3, 4, 5, 6 order by 1, 2",
    )
]
_MONTH_OF_GROUP = f"date_trunc('month', k.at at time zone '{GROUP_ZONE}')"
_RECOUNT_UNIQUES = text(
    "insert into kpi_month_unique (month, event, audience, pseudonym)"
    f" select distinct {_MONTH_OF_GROUP}::date, k.event, k.audience, k.pseudonym from kpi_event k"
    f" where k.xid < cast(:to_xid as xid8) and k.pseudonym <> '' and not {_CLOSED_MONTH.format(day=_MONTH_OF_GROUP)}"
)
_COUNT_UNIQUES = (
    "insert into kpi_month_total (month, event, audience, people)"
    " select month, event, audience, count(*) from kpi_month_unique group by 1, 2, 3"
)
_FROZEN = text(
    "select date_trunc('month', d.day)::date as month, d.event, d.establishment_id, sum(d.events) as events,"
    " sum(d.quantity) as quantity from kpi_day d join kpi_closed_month c on c.month = date_trunc('month', d.day)::date"
    " where c.forgotten_at is null group by 1, 2, 3"
)
_LATE = text(
    "select l.month, l.event, l.establishment_id, sum(l.events) as events, sum(l.quantity) as quantity"
    " from kpi_late l join kpi_closed_month c on c.month = l.month where c.forgotten_at is null group by 1, 2, 3"
)


def _altered() -> Iterator[date]:
    for closed in session.scalars(select(KpiClosedMonth).order_by(KpiClosedMonth.month)):
        bounds = {"month": closed.month, "next": keys.next_month(closed.month)}
        found = session.execute(text(DAYS_OF_MONTH), bounds).one()
        if (found.rows, bytes(found.digest)) != (closed.rows, closed.digest):
            yield closed.month


def _differences(kept: list[Any]) -> Iterator[Difference]:
    events = _by_key(kept)
    frozen, late = (_by_key(session.execute(query).all()) for query in (_FROZEN, _LATE))
    for key in sorted(events.keys() | frozen.keys(), key=str):
        told, was, after = (each.get(key, (0, 0)) for each in (events, frozen, late))
        if told != was:
            yield Difference(*key, was[0], after[0], told[0], was[1], after[1], told[1])


def _by_key(rows: Any) -> dict[tuple[date, str, UUID], tuple[int, int]]:
    return {(row.month, row.event, row.establishment_id): (int(row.events), int(row.quantity)) for row in rows}
