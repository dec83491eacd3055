"""The charts of the figures: one indicator bar by bar, with the target that a hospital set itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask_babel import gettext as _

from admin import figure_words
from admin.queries_figures import Reading
from portal.kpi import Definition, Figure

Kind = Literal["bars", "lines", "stacked", "shares", "ranked", "funnel", "heat"]


@dataclass(frozen=True)
class Chart:
    """A drawing of `ui/charts.html` or `ui/charts_parts.html`.

    labels and series: of lines, stacked, shares. points: of bars, ranked, funnel. labels and grid: of heat. header:
    what the values are.
    """

    code: str
    kind: Kind
    title: str
    header: str = ""
    note: str = ""
    labels: Sequence[str] = ()
    series: Sequence[Mapping[str, Any]] = ()
    points: Sequence[Mapping[str, Any]] = ()
    target: Mapping[str, Any] | None = None
    grid: Sequence[Sequence[int]] = ()


def chart(reading: Reading) -> Chart:
    """One indicator: a curve for a rate (in per cent), bars for what is counted."""
    definition, by = reading.definition, figure_words.grain(reading.grain)
    labels = figure_words.bars([cut.days for cut in reading.cuts], reading.grain)
    title = str(definition.title)
    if definition.unit == "rate":
        percents = [None if value is None else round(value * 100, 1) for value in reading.past]
        series = [{"name": _("Per cent"), "values": percents}]
        return Chart(definition.code, "lines", title, _("Per cent"), by, labels, series, target=_target(reading))
    points = [
        {
            "label": label,
            "value": _height(definition, cut.figure),
            "display": figure_words.value(definition, cut.figure),
        }
        for label, cut in zip(labels, reading.cuts, strict=True)
    ]
    return Chart(definition.code, "bars", title, title, by, points=points, target=_target(reading))


def _height(definition: Definition, figure: Figure) -> float:
    return scaled(definition, figure.value or 0)


def scaled(definition: Definition, value: float) -> float:
    """As charts write it: a rate in per cent, an amount in euros."""
    return {"cents": value / 100, "rate": value * 100}.get(definition.unit, value)


def _target(reading: Reading) -> Mapping[str, Any] | None:
    if reading.target is None or not (reading.definition.unit == "rate" or reading.target_is_of_a_bar):
        return None
    return {
        "value": scaled(reading.definition, reading.target),
        "text": _("Target: %(value)s", value=figure_words.written(reading.definition, reading.target)),
    }
