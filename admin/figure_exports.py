"""Figures that are taken away: what is in the file, the same whatever the kind of file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask_babel import format_date, format_decimal
from flask_babel import gettext as _

from admin import figure_words
from portal.kpi import Definition, Figure, disclosure
from portal.kpi.disclosure import LEAST, LEAST_BEHIND_RATE, Hidden, Span
from portal.kpi.shared import SharedFigure
from portal.web.ui import moment

Number = int | float | str | None


@dataclass(frozen=True)
class Export:
    """title, place: for its heading. names: of the hospitals. versions: of the definitions. is_exact: for internal use.
    rolled_up_at: up to when events are counted."""

    title: str
    place: str
    figures: Sequence[SharedFigure]
    spans: Sequence[Span]
    names: Mapping[UUID, str]
    versions: Mapping[str, int]
    is_exact: bool
    made_at: datetime
    rolled_up_at: datetime | None

    @property
    def definitions(self) -> Sequence[Definition]:
        """Each once, in the order of the figures."""
        return list({each.definition.code: each.definition for each in self.figures}.values())

    @property
    def hides(self) -> bool:
        return any(isinstance(cell, Hidden) for each in self.figures for cell in each.cells.values())

    @property
    def place_names(self) -> frozenset[str]:
        """Where its figures were counted, in words."""
        return frozenset(self.where(each) for each in self.figures)

    def where(self, figure: SharedFigure) -> str:
        if figure.definition.portal:
            return str(_("Whole portal"))
        return self.names[figure.place] if figure.place else str(_("The whole group"))


def use(export: Export) -> str:
    """What may be done with it: on every page of it."""
    if export.is_exact:
        return str(_("Internal use: exact numbers, not to be shown outside the hospital."))
    return str(
        _(
            "May be shown: numbers of people below %(least)s, rates of fewer than %(cases)s cases and the totals that"
            " would tell them are hidden.",
            least=LEAST,
            cases=LEAST_BEHIND_RATE,
        )
    )


def counted(export: Export) -> str:
    """Up to when, and that the last months may still move."""
    if export.rolled_up_at is None:
        return ""
    return str(
        _(
            "Counted up to %(moment)s. A month is final thirty-five days after its end; until then what comes late is"
            " added to it.",
            moment=moment(export.rolled_up_at),
        )
    )


def span(days: Span) -> str:
    """`October 2026`, `3rd quarter 2026`, `2026`."""
    months = len(disclosure.months(*days))
    if months == 1:
        return str(format_date(days[0], "LLLL y"))
    return str(format_date(days[0], "QQQQ y" if months == 3 else "y"))


def short_span(days: Span) -> str:
    """The same, for the head of a column."""
    months = len(disclosure.months(*days))
    return str(format_date(days[0], {1: "LLL yy", 3: "QQQ yy"}.get(months, "y")))


def written(definition: Definition, cell: Figure | Hidden | None) -> str:
    """A number as people read it, or why there is none."""
    if cell is None:
        return str(_("Not fed"))
    if isinstance(cell, Hidden):
        return hidden(cell)
    return figure_words.value(definition, cell) or str(_("Not fed"))


def hidden(reason: Hidden) -> str:
    """Why a number is not told, in two words."""
    words = {Hidden.FEW: f"< {LEAST}", Hidden.TOTAL: str(_("Hidden")), Hidden.RATE: str(_("Too few cases"))}
    return words[reason]


def columns() -> list[str]:
    """The head of the list of numbers, one a line."""
    return [
        _("Code"), _("Figure"), _("Version"), _("Hospital"), _("From"), _("To"),
        _("Numerator"), _("Denominator"), _("Value"), _("Remark"),
    ]  # fmt: skip


def lines(export: Export) -> Iterator[tuple[list[str], list[Number], str]]:
    """For each number: what it is, its numbers (numerator, denominator, value; None where hidden), a remark."""
    for figure in export.figures:
        definition = figure.definition
        named = [definition.code, str(definition.title), str(export.versions[definition.code]), export.where(figure)]
        for days in export.spans:
            cell = figure.cells[days]
            yield [*named, *(each.isoformat() for each in days)], numbers(definition, cell), remark(cell)


def numbers(definition: Definition, cell: Figure | Hidden | None) -> list[Number]:
    """Numerator, denominator, value: amounts in euros, rates as parts of one."""
    if cell is None or isinstance(cell, Hidden):
        return [None, None, None]
    value = cell.value
    if definition.unit == "cents":
        euros = None if value is None else value / 100
        return [euros, None, euros]
    return [cell.numerator, cell.denominator, None if value is None else round(value, 6)]


def remark(cell: Figure | Hidden | None) -> str:
    if isinstance(cell, Hidden):
        return hidden(cell)
    return "" if cell is not None else str(_("Not fed"))


def local(number: Number) -> str:
    """As spreadsheets of the reader's country read it: `0,375` in French, and no space between thousands."""
    return "" if number is None else str(format_decimal(number, "0.######"))


def definition_columns() -> list[str]:
    return [_("Code"), _("Figure"), _("Version"), _("Counts"), _("Out of"), _("Counted from these events"), _("Unit")]


def definition_lines(export: Export) -> list[list[str]]:
    """One definition a line."""
    return [
        [
            each.code, str(each.title), str(export.versions[each.code]), str(each.numerator), str(each.denominator),
            ", ".join(sources(each)), each.unit,
        ]
        for each in export.definitions
    ]  # fmt: skip


def sources(definition: Definition) -> list[str]:
    """The events it is counted from."""
    return sorted({*definition.events, *([definition.event] if definition.event else [])})
