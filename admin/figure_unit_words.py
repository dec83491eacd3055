"""How figures are written unit by unit: the table of the page, its drawing, the lines of its files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from admin import figure_words
from admin.charts_figures import Chart, scaled
from admin.queries_figure_units import SharedQuarter, UnitFigures
from admin.queries_figures import Reading
from portal.establishments import Establishment, Unit
from portal.kpi import Definition, Figure
from portal.kpi.disclosure import Hidden, Span

MOST_DRAWN = 20
"""Units that are drawn; the table has all of them."""


@dataclass(frozen=True)
class UnitLine:
    """One number of a file. unit: "" for the whole hospital."""

    uf: str
    unit: str
    days: Span
    cell: Figure | Hidden | None


@dataclass(frozen=True)
class UnitExport:
    """What is taken away: the lines of one figure. is_exact: for internal use."""

    definition: Definition
    version: int
    hospital: Establishment
    lines: Sequence[UnitLine]
    is_exact: bool
    made_at: datetime

    @property
    def spans(self) -> Sequence[Span]:
        return sorted({each.days for each in self.lines})


def unit_name(unit: Unit | None) -> str:
    """A unit as the administrators of a hospital know it, closed or not; None: no unit."""
    if unit is None:
        return str(_("Without a unit"))
    if unit.closes_on is None:
        return f"{unit.name} ({unit.uf})"
    return str(_("%(unit)s (%(uf)s), until %(day)s", unit=unit.name, uf=unit.uf, day=format_date(unit.closes_on)))


def whole_name() -> str:
    return str(_("The whole hospital"))


def columns(definition: Definition) -> list[Any]:
    """The head of the page's table."""
    parts = [_("Numerator"), _("Denominator")] if definition.unit == "rate" else []
    numbers = [{"text": text, "numeric": True} for text in [*parts, _("Value")]]
    return [_("Unit"), *numbers, {"text": _("Compared"), "sort": False}]


def rows(found: UnitFigures, link: Mapping[Any, str]) -> list[list[str]]:
    """Units, then what is of none, then the whole. link: unit → its name as it is written in the first cell."""
    rest = [(link.get(None, unit_name(None)), found.rest)] if found.has_rest else []
    lines = [*((link.get(unit.id, unit_name(unit)), each) for unit, each in found.units), *rest]
    return [_row(name, each) for name, each in [*lines, (whole_name(), found.whole)]]


def _row(name: str, reading: Reading) -> list[str]:
    definition, figure = reading.definition, reading.figure
    parts = [_number(figure.numerator), _number(figure.denominator)] if definition.unit == "rate" else []
    return [
        name,
        *parts,
        figure_words.value(definition, figure) or "–",
        figure_words.comparison(reading) or "–",
    ]


def _number(number: int | None) -> str:
    return "–" if number is None else str(format_decimal(number))


def chart(found: UnitFigures) -> Chart | None:
    """A bar a unit, the longest first; nothing when no unit has a value."""
    definition = found.definition
    drawn = [(unit, each) for unit, each in found.units if each.figure.value is not None][:MOST_DRAWN]
    if not drawn:
        return None
    points = [
        {
            "label": unit.name,
            "value": scaled(definition, each.figure.value or 0),
            "display": figure_words.value(definition, each.figure),
        }
        for unit, each in drawn
    ]
    title = str(_("%(figure)s, by unit", figure=definition.title))
    return Chart(f"{definition.code}-units", "ranked", title, str(definition.title), points=points)


# ---- Files ---------------------------------------------------------------------------------------------------------


def exact_lines(found: UnitFigures) -> Iterator[UnitLine]:
    """The chosen days, then those they are compared with."""
    told: list[tuple[str, str, Reading]] = [(unit.uf, unit_name(unit), each) for unit, each in found.units]
    told += [("", unit_name(None), found.rest)] if found.has_rest else []
    for days, figure in ((found.whole.days, "figure"), (found.whole.earlier_days, "earlier")):
        for uf, name, reading in [*told, ("", whole_name(), found.whole)]:
            cell: Figure = getattr(reading, figure)
            yield UnitLine(uf, name, days.span, cell if cell.fed else None)


def shared_lines(quarters: Sequence[SharedQuarter]) -> Iterator[UnitLine]:
    for quarter in quarters:
        for unit, cell in quarter.units:
            fed = None if isinstance(cell, Figure) and not cell.fed else cell
            yield UnitLine(unit.uf if unit else "", unit_name(unit), quarter.days, fed)
        yield UnitLine("", whole_name(), quarter.days, quarter.whole)
