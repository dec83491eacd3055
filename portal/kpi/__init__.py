"""What is counted. No person in it: at most a keyed pseudonym that changes every month.

Events are appended in the transaction that did the thing. The worker rolls them up in batches behind a watermark of
transaction ids (the oldest still running), moved in the roll-up's own transaction: a late commit is counted late,
never lost; a rolled-back one never. An upsert per request would make hot rows.

Drawers: `events` (appending), `rolling` (the roll-up), `reading` (asking the roll-up), `catalogue` (the indicators).
"""

from portal.kpi.catalogue import Definition, Figure, define, definition, definitions
from portal.kpi.events import GROUP_WIDE, GROUP_ZONE, KpiDay, KpiEvent, KpiMonthUnique, KpiWatermark, configure, count
from portal.kpi.reading import (
    Counts,
    Period,
    Span,
    Total,
    counted,
    side_by_side,
    stock,
    summed,
    totals,
    uniques,
)
from portal.kpi.rolling import rebuild, roll_up, roll_up_now

__all__ = [
    "GROUP_WIDE",
    "GROUP_ZONE",
    "Counts",
    "Definition",
    "Figure",
    "KpiDay",
    "KpiEvent",
    "KpiMonthUnique",
    "KpiWatermark",
    "Period",
    "Span",
    "Total",
    "configure",
    "count",
    "counted",
    "define",
    "definition",
    "definitions",
    "rebuild",
    "roll_up",
    "roll_up_now",
    "side_by_side",
    "stock",
    "summed",
    "totals",
    "uniques",
]
