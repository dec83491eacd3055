"""What the journal says of figures that are taken away, and of their monthly reports."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "figures.exported": _l("took figures away"),
    "figure_report.asked": _l("asked for the figures of each month"),
    "figure_report.stopped": _l("asked for the figures of each month no more"),
    "figure_report.made": _l("made the report of the figures of a month"),
    "figure_report.told": _l("told an agent that the report of a month is ready"),
    "figure_report.exported": _l("took the report of a month away"),
}
