"""How long answers took: counted into fixed slices of the hospital's working hours, so that halves and nine in ten of
any period are read from sums. A median of daily medians would be wrong; one dimension a minute would be too many rows.

Working hours are those of the hospital's office (`calendar.Office`), nine to five unless it says otherwise; slices are
cut in days of eight hours at every hospital, so that they add up. What `percentile` says lies in the same slice as the
exact value: it is at most one slice away from it (an hour below two hours, two below four, a day from one to three
days), and beyond twenty days it says twenty days.
"""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from uuid import UUID

from portal.kpi.events import count
from portal.kpi.reading import Period, totals

DAY_H = 8
"""Working hours of a day."""
SLICES: dict[str, int] = {
    "le_1h": 1,
    "le_2h": 2,
    "le_4h": 4,
    "le_1d": DAY_H,
    "le_2d": 2 * DAY_H,
    "le_3d": 3 * DAY_H,
    "le_5d": 5 * DAY_H,
    "le_10d": 10 * DAY_H,
    "le_20d": 20 * DAY_H,
}
"""Dimension → the most working hours it holds, in order; the rest is `more`."""
BEYOND, _LONGEST = "more", "le_20d"


def slice_of(spent: timedelta) -> str:
    """The dimension that such a delay is counted under."""
    return next((name for name, hours in SLICES.items() if spent <= timedelta(hours=hours)), BEYOND)


def count_delay(
    event: str, spent: timedelta, *, establishment_id: UUID | None, channel: str = "web", unit_id: UUID | None = None
) -> None:
    """Append one delay in the current transaction. spent: of working time; its minutes are summed in the roll-up."""
    minutes = max(int(spent.total_seconds() // 60), 0)
    count(
        event,
        establishment_id=establishment_id,
        channel=channel,
        dimension=slice_of(spent),
        quantity=minutes,
        unit_id=unit_id,
    )


def percentile(event: str, period: Period, share: float) -> float | None:
    """The working hours within which this share of the delays of the period lie; None of nothing."""
    counted: dict[str, int] = {}
    for total in totals(event, period):
        counted[total.dimension] = counted.get(total.dimension, 0) + total.events
    return percentile_of(counted, share)


def percentile_of(counted: Mapping[str, int], share: float) -> float | None:
    """The same of delays counted by dimension, by linear interpolation inside the slice where it falls. share: above
    0, up to 1."""
    wanted, seen, above = share * sum(counted.values()), 0, 0
    for name, upto in (*SLICES.items(), (BEYOND, SLICES[_LONGEST])):
        events = counted.get(name, 0)
        if events and seen + events >= wanted:
            return above + (upto - above) * (wanted - seen) / events
        seen, above = seen + events, upto
    return None


def hours(event: str, period: Period, share: float) -> int | None:
    """The same in whole hours, rounded up: "at most"."""
    found = percentile(event, period, share)
    return None if found is None else max(ceil(found - 1e-9), 1)


def lower_median(event: str, period: Period) -> int | None:
    """Of an event whose dimension is a whole number (days): half of them are at most that; None of nothing."""
    values = sorted((int(each.dimension), each.events) for each in totals(event, period) if each.dimension.isdigit())
    half, seen = (sum(times for _value, times in values) + 1) // 2, 0
    for value, times in values:
        seen += times
        if seen >= half:
            return value
    return None
