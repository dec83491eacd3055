"""How hospitals side by side are written: cells that may be hidden, and what the small charts draw."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from admin import figure_words, queries_figure_comparison
from admin.charts_figures import scaled
from admin.queries_figure_comparison import Comparison, Place
from portal.kpi import Definition
from portal.kpi.disclosure import LEAST, LEAST_BEHIND_RATE, Cell, Hidden, Rate


def cell(definition: Definition, found: Cell) -> str:
    """A number, or in words why there is none."""
    if found is None:
        return str(_("Not fed"))
    if isinstance(found, Hidden):
        return {
            Hidden.FEW: f"< {LEAST}",
            Hidden.TOTAL: str(_("Hidden")),
            Hidden.RATE: str(_("Too few cases")),
        }[found]
    return figure_words.written(definition, queries_figure_comparison.value(found))


def parts(found: Cell) -> str:
    """The two parts of a rate."""
    if not isinstance(found, Rate):
        return ""
    counts = {"part": format_decimal(found.numerator), "whole": format_decimal(found.denominator)}
    return str(_("%(part)s of %(whole)s", **counts))


def masks(comparison: Comparison) -> str:
    """What is hidden, and why; nothing when nothing is."""
    if not comparison.hides:
        return ""
    return str(
        _(
            "Numbers of people below %(least)s are hidden, rates of fewer than %(cases)s cases too, and the totals"
            " that would tell them: this page may be shown to others.",
            least=LEAST,
            cases=LEAST_BEHIND_RATE,
        )
    )


def labels(comparison: Comparison) -> list[str]:
    """The names of the months."""
    return [str(format_date(month.first, "LLL yy")) for month in comparison.months]


def charts(comparison: Comparison) -> list[Mapping[str, Any]]:
    """One small chart a hospital: its months, its figure, and where it leads."""
    return [
        {
            "name": place.hospital.name,
            "text": cell(comparison.definition, place.cell),
            "values": [_height(comparison.definition, month) for month in place.months],
            "displays": [cell(comparison.definition, month) for month in place.months],
        }
        for place in comparison.places
    ]


def _height(definition: Definition, found: Cell) -> float | None:
    number = queries_figure_comparison.value(found)
    return None if number is None else scaled(definition, number)


def common_target(comparison: Comparison) -> float | None:
    """The target that all of them share, as the charts are scaled; None when they do not."""
    aims = {place.target for place in comparison.places}
    only = aims.pop() if len(aims) == 1 else None
    if only is None or comparison.definition.unit not in ("rate", "hours", "days"):
        return None
    return scaled(comparison.definition, only)


def rows(comparison: Comparison) -> Sequence[Sequence[str]]:
    """The table: rank, hospital, figure, its parts, the period before, target, coverage."""
    definition = comparison.definition
    return [_row(definition, place, comparison.services) for place in comparison.places]


def _row(definition: Definition, place: Place, services: int) -> list[str]:
    numbers = [cell(definition, place.cell)]
    if definition.unit == "rate":
        numbers.append(parts(place.cell) or "–")
    return [
        place.hospital.name,
        "–" if place.rank is None else str(format_decimal(place.rank)),
        *numbers,
        cell(definition, place.earlier),
        "–" if place.target is None else figure_words.written(definition, place.target),
        str(_("%(opened)s of %(services)s", opened=place.opened, services=services)),
    ]


def columns(comparison: Comparison) -> list[Any]:
    """The head of that table."""
    in_two = [_("In detail")] if comparison.definition.unit == "rate" else []
    numbers = [_("Rank"), _("Value"), *in_two, _("The period before"), _("Target"), _("Services open")]
    return [_("Hospital"), *({"text": text, "numeric": True} for text in numbers)]
