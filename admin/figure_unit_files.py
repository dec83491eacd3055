"""The files of a figure by unit: CSV, workbook, PDF. The same lines in each."""

from collections.abc import Iterator

from flask import Response
from flask_babel import format_date, get_locale
from flask_babel import gettext as _

from admin import figure_exports as words
from admin.figure_unit_words import UnitExport, UnitLine
from admin.pdf_tables import TableSheet
from portal.kpi.disclosure import LEAST, LEAST_BEHIND_RATE, Span
from portal.web import downloads, spreadsheets, workbooks
from portal.web.ui import moment
from portal.web.workbooks import Column, Sheet


def write(export: UnitExport, kind: str, name: str) -> Response:
    """kind: csv, xlsx or pdf. name: of the file, without extension."""
    makers = {"csv": _csv, "xlsx": _workbook, "pdf": _pdf}
    return makers[kind](export, name)


def use(export: UnitExport) -> str:
    """What may be done with it: in every file."""
    if export.is_exact:
        return str(_("Internal use: exact numbers, not to be shown outside the hospital."))
    return str(
        _(
            "May be shown: quarters that are final. Units of fewer than %(least)s people, rates of fewer than"
            " %(cases)s cases and the other units that would tell them are hidden.",
            least=LEAST,
            cases=LEAST_BEHIND_RATE,
        )
    )


def _columns() -> list[str]:
    return [
        _("Code"), _("Figure"), _("Version"), _("Hospital"), _("Unit code"), _("Unit"), _("From"), _("To"),
        _("Numerator"), _("Denominator"), _("Value"), _("Remark"),
    ]  # fmt: skip


def _named(export: UnitExport, line: UnitLine) -> list[str]:
    definition = export.definition
    what = [definition.code, str(definition.title), str(export.version), export.hospital.name]
    return [*what, line.uf, line.unit, *(each.isoformat() for each in line.days)]


def _csv(export: UnitExport, name: str) -> Response:
    head = [*_columns(), _("Use"), _("Made on")]
    about = [_("Internal use") if export.is_exact else _("May be shown"), moment(export.made_at)]
    return spreadsheets.csv_response(name, head, _csv_lines(export, about))


def _csv_lines(export: UnitExport, about: list[str]) -> Iterator[list[object]]:
    for line in export.lines:
        numbers = words.numbers(export.definition, line.cell)
        yield [*_named(export, line), *map(words.local, numbers), words.remark(line.cell), *about]


def _workbook(export: UnitExport, name: str) -> Response:
    kinds = [Column(title) for title in _columns()[:8]]
    kinds[1], kinds[5] = Column(_columns()[1], width=48), Column(_columns()[5], width=48)
    kinds += [Column(title, "number") for title in _columns()[8:11]] + [Column(_columns()[11])]
    rows = (
        [*_named(export, line), *words.numbers(export.definition, line.cell), words.remark(line.cell)]
        for line in export.lines
    )
    about = [
        (_("Figure"), f"{export.definition.code} · {export.definition.title}"),
        (_("Counts"), str(export.definition.numerator)),
        (_("Out of"), str(export.definition.denominator)),
        (_("Use"), use(export)),
        (_("Made on"), moment(export.made_at)),
    ]
    sheets = [
        Sheet(_("Figures"), kinds, rows),
        Sheet(_("About"), [Column(_("What"), width=24), Column(_("Value"), width=96)], about),
    ]
    return workbooks.xlsx_response(name, sheets)


def _pdf(export: UnitExport, name: str) -> Response:
    definition = export.definition
    title = f"{definition.title} – {export.hospital.name}"
    sheet = TableSheet(title, str(get_locale() or "fr"), export.made_at)
    sheet.heading(title)
    sheet.say(use(export), bold=export.is_exact)
    facts = [(_("Counts"), str(definition.numerator)), (_("Out of"), str(definition.denominator))]
    sheet.facts([(label, value) for label, value in [*facts, (_("Version"), str(export.version))] if value])
    for days in export.spans:
        sheet.heading(_span(days), 2)
        _pdf_table(sheet, export, days)
    return downloads.made_response(sheet.written(), f"{name}.pdf")


def _pdf_table(sheet: TableSheet, export: UnitExport, days: Span) -> None:
    definition = export.definition
    rate = definition.unit == "rate"
    head = [_("Unit"), *([_("Numerator"), _("Denominator")] if rate else []), _("Value")]
    rows = []
    for line in export.lines:
        if line.days == days:
            numbers = words.numbers(definition, line.cell)[:2]
            parts = [words.local(number) or "–" for number in numbers] if rate else []
            rows.append([line.unit, *parts, words.written(definition, line.cell)])
    sheet.write_table(head, rows, (4, *([1.5, 1.5] if rate else []), 1.8))


def _span(days: Span) -> str:
    return f"{format_date(days[0])} – {format_date(days[1])}"
