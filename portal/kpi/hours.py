"""When in the week things happen: a few events by month, day of the week and hour, kept by the roll-up.

Hours are those of the establishment's clock, of the group's for what belongs to none: the hour that comes twice in
October counts twice, the one that March skips never. What the staff does for somebody else is left out.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text

from portal.db import session
from portal.kpi.disclosure import LEAST
from portal.kpi.models import GROUP_WIDE, GROUP_ZONE, KpiClosedMonth, KpiHour

EVENTS: Final = ("visit_started", "appointment_booked", "preadmission_submitted")
"""The only ones that are kept by hour."""
HOURS, BAND = 24, 4
"""Of a day; of a band, when an hour would tell of somebody."""

Week = Sequence[Sequence[int]]
"""Seven days from Monday, each with its hours from midnight, or its bands of four hours."""

_LOCAL = f"k.at at time zone coalesce(e.time_zone, '{GROUP_ZONE}')"
_NAMED = ", ".join(f"'{event}'" for event in EVENTS)
_COUNT = (
    "insert into kpi_hour (month, event, establishment_id, weekday, hour, events)"
    " select date_trunc('month', n.local)::date, n.event, n.establishment_id, extract(isodow from n.local),"
    f" extract(hour from n.local), count(*) from (select k.event, k.establishment_id, {_LOCAL} as local"
    " from kpi_event k left join establishment e on e.id = k.establishment_id"
    f" where {{which}} and k.event in ({_NAMED}) and k.audience <> 'staff') n"
    " where not exists (select from kpi_closed_month c where c.month = date_trunc('month', n.local)::date)"
    " group by 1, 2, 3, 4, 5"
)
"""Of open months: what comes after the closing of its month changes nothing of it."""
_ADD = text(
    _COUNT.format(which="k.xid >= cast(:from_xid as xid8) and k.xid < cast(:to_xid as xid8)")
    + " on conflict (month, event, establishment_id, weekday, hour)"
    " do update set events = kpi_hour.events + excluded.events"
)
_DELETE_OPEN = text("delete from kpi_hour h where not exists (select from kpi_closed_month c where c.month = h.month)")
_RECOUNT = text(_COUNT.format(which="k.xid < cast(:to_xid as xid8)"))


def add(from_xid: str, to_xid: str) -> None:
    """Add the events between two transactions. In the transaction of the roll-up, under its watermark."""
    session.execute(_ADD, {"from_xid": from_xid, "to_xid": to_xid})


def recount(to_xid: str) -> None:
    """Count open months again from their events. In the transaction of the rebuilding, under its watermark."""
    session.execute(_DELETE_OPEN)
    session.execute(_RECOUNT, {"to_xid": to_xid})


def week(event: str, first: date, last: date, places: Collection[UUID] | None = None) -> Week:
    """Such events of the months of these days, whole, by day of the week and hour. places: None for what belongs to no
    establishment. One statement."""
    query = select(KpiHour.weekday, KpiHour.hour, func.sum(KpiHour.events)).where(*_asked(event, first, last, places))
    rows = session.execute(query.group_by(KpiHour.weekday, KpiHour.hour))
    return _grid({(weekday, hour): int(events) for weekday, hour, events in rows})


def closed_weeks(
    event: str, first: date, last: date, places: Collection[UUID] | None = None
) -> Mapping[tuple[date, UUID], Week]:
    """(Month, place) → the same, for each closed month of these days at each place (GROUP_WIDE for None), in this
    order. One statement."""
    query = select(KpiHour).join(KpiClosedMonth, KpiClosedMonth.month == KpiHour.month)
    found: dict[tuple[date, UUID], dict[tuple[int, int], int]] = {}
    for each in session.scalars(query.where(*_asked(event, first, last, places)).order_by(KpiHour.month)):
        found.setdefault((each.month, each.establishment_id), {})[each.weekday, each.hour] = each.events
    return {key: _grid(found[key]) for key in sorted(found)}


def _asked(event: str, first: date, last: date, places: Collection[UUID] | None) -> Sequence[ColumnElement[bool]]:
    return (
        KpiHour.event == event,
        KpiHour.month.between(first.replace(day=1), last),
        KpiHour.establishment_id.in_([GROUP_WIDE] if places is None else places),
    )


def _grid(counted: Mapping[tuple[int, int], int]) -> Week:
    return [[counted.get((weekday, hour), 0) for hour in range(HOURS)] for weekday in range(1, 8)]


def shown(hours: Week) -> Week | None:
    """What may leave the hospital of one closed month there: its hours; bands of four hours when an hour counts from 1
    to 10; None when a band still does.

    All of it or nothing: the month's total is published elsewhere, and a single hidden cell would be what is missing.
    Months and hospitals do not overlap, and no sum of them is shown: two grids tell nothing that each does not. Pure.
    """
    bands = [[sum(line[start : start + BAND]) for start in range(0, HOURS, BAND)] for line in hours]
    return next((grid for grid in (hours, bands) if not any(0 < cell < LEAST for line in grid for cell in line)), None)
