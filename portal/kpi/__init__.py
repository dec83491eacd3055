"""What is counted. No person in it: at most a keyed pseudonym that changes every month, and is destroyed.

Events are appended in the transaction that did the thing. The worker rolls them up in batches behind a watermark of
transaction ids (the oldest still running), moved in the roll-up's own transaction: a late commit is counted late,
never lost; a rolled-back one never. An upsert per request would make hot rows. 35 days after its end a month is closed.

Drawers: `events` (appending), `keys` (pseudonyms), `rolling` (the roll-up), `closing` and `rebuilding` (what is final),
`spanning` and `reading` (asking the roll-up), `catalogue` (the indicators), `stored` (their versions), `targets`,
`frozen` (numbers that span months), `hours` (hours of the week), `forgetting` (raw events), `months` (where they
lie).
"""

from portal.kpi.catalogue import Definition, Figure, define, definition, definitions
from portal.kpi.closing import ClosedFigure, close_months, closed_figures
from portal.kpi.events import count
from portal.kpi.frozen import freeze, frozen, last_frozen
from portal.kpi.keys import configure
from portal.kpi.models import GROUP_WIDE, GROUP_ZONE, KpiDay, KpiEvent, KpiMonthUnique, KpiTarget, KpiWatermark
from portal.kpi.months import keep_months
from portal.kpi.reading import (
    Counts,
    Period,
    counted,
    place_by_place,
    side_by_side,
    stock,
    summed,
    totals,
    uniques,
)
from portal.kpi.rebuilding import Difference, Rebuilt, rebuild
from portal.kpi.rolling import roll_up, roll_up_now
from portal.kpi.spanning import Span, Total
from portal.kpi.stored import StoredDefinition, store_definitions, stored, version_of
from portal.kpi.targets import NotATarget, set_target, target_history, targets

__all__ = [
    "GROUP_WIDE",
    "GROUP_ZONE",
    "ClosedFigure",
    "Counts",
    "Definition",
    "Difference",
    "Figure",
    "KpiDay",
    "KpiEvent",
    "KpiMonthUnique",
    "KpiTarget",
    "KpiWatermark",
    "NotATarget",
    "Period",
    "Rebuilt",
    "Span",
    "StoredDefinition",
    "Total",
    "close_months",
    "closed_figures",
    "configure",
    "count",
    "counted",
    "define",
    "definition",
    "definitions",
    "freeze",
    "frozen",
    "keep_months",
    "last_frozen",
    "place_by_place",
    "rebuild",
    "roll_up",
    "roll_up_now",
    "set_target",
    "side_by_side",
    "stock",
    "store_definitions",
    "stored",
    "summed",
    "target_history",
    "targets",
    "totals",
    "uniques",
    "version_of",
]
