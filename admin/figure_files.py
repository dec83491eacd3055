"""The files of an export: CSV, workbook, PDF, and the evidence that national programmes ask for."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from flask import Response
from flask_babel import get_locale
from flask_babel import gettext as _

from admin import figure_exports as words
from admin.figure_exports import Export
from admin.pdf_tables import TableSheet
from portal import kpi
from portal.kpi.disclosure import Hidden
from portal.kpi.models import KpiClosedMonth
from portal.kpi.shared import SharedFigure
from portal.web import downloads, spreadsheets, workbooks
from portal.web.ui import moment
from portal.web.workbooks import Column, Sheet

_EPOCH = (1980, 1, 1, 0, 0, 0)
QUERY = (
    "select k.day, k.event, k.establishment_id, k.channel, k.audience, k.dimension, k.events, k.quantity\n"
    "from kpi_day k\n"
    "where k.event = any (:events) and k.day between :first and :last\n"
    "order by k.day, k.event, k.establishment_id, k.channel, k.audience, k.dimension;\n"
)
"""What every figure is computed from, by day of the hospital's civil time."""


def csv_file(export: Export, name: str) -> Response:
    """One number a line, with its definition, its version, its sources, and up to when it is counted."""
    head = [*words.columns(), _("Counts"), _("Out of"), _("Counted from these events"), _("Use"), _("Made on")]
    return spreadsheets.csv_response(name, head, _csv_lines(export))


def _csv_lines(export: Export) -> Iterator[list[object]]:
    defined = {line[0]: line for line in words.definition_lines(export)}
    use = _("Internal use") if export.is_exact else _("May be shown")
    for named, numbers, remark in words.lines(export):
        told = defined[named[0]]
        yield [*named, *map(words.local, numbers), remark, *told[3:6], use, moment(export.made_at)]


def workbook(export: Export, name: str) -> Response:
    """The numbers, the definitions, and what the file is, a sheet each."""
    kinds: list[Column] = [Column(title) for title in words.columns()[:6]]
    kinds += [Column(title, "number") for title in words.columns()[6:9]] + [Column(words.columns()[9])]
    kinds[1] = Column(words.columns()[1], width=48)
    rows = ([*named, *numbers, remark] for named, numbers, remark in words.lines(export))
    definitions = [
        Column(title, width=48 if at in (1, 3, 4) else 16) for at, title in enumerate(words.definition_columns())
    ]
    return workbooks.xlsx_response(
        name,
        [
            Sheet(_("Figures"), kinds, rows),
            Sheet(_("Definitions"), definitions, words.definition_lines(export)),
            Sheet(_("About"), [Column(_("What"), width=24), Column(_("Value"), width=96)], _about(export)),
        ],
    )


def _about(export: Export) -> list[tuple[str, str]]:
    return [
        (_("Figures"), export.title),
        (_("Hospital"), export.place),
        (_("Period"), _period(export)),
        (_("Use"), words.use(export)),
        (_("Sources"), words.counted(export)),
        (_("Made on"), moment(export.made_at)),
    ]


def _period(export: Export) -> str:
    first, last = words.span(export.spans[0]), words.span(export.spans[-1])
    return first if first == last else f"{first} – {last}"


def pdf(export: Export) -> bytes:
    """The same to be read and shown: PDF/UA, a table for each figure, then the definitions."""
    title = f"{export.title} – {export.place}"
    sheet = TableSheet(title, str(get_locale() or "fr"), export.made_at)
    sheet.heading(title)
    sheet.say(_period(export), size=12)
    sheet.say(words.use(export), bold=export.is_exact)
    sheet.say(words.counted(export), size=9)
    for figure in export.figures:
        sheet.heading(f"{figure.definition.code} · {figure.definition.title}", 2)
        if figure.definition.portal and not export.is_exact:
            sheet.say(export.where(figure), size=9)
        _pdf_table(sheet, export, figure)
    sheet.heading(_("Definitions"), 2)
    for code, name, version, counts, out_of, events, _unit in words.definition_lines(export):
        sheet.heading(f"{code} · {name}", 3)
        facts = [(_("Counts"), counts), (_("Out of"), out_of), (_("Counted from these events"), events)]
        sheet.facts([(label, value) for label, value in [*facts, (_("Version"), version)] if value])
    return sheet.written()


def _pdf_table(sheet: TableSheet, export: Export, figure: SharedFigure) -> None:
    definition = figure.definition
    fed = [days for days in export.spans if figure.cells[days] is not None]
    if not fed:
        sheet.say(str(definition.missing or _("Not fed")), size=9)
        return
    told = {words.written(definition, figure.cells[days]) for days in export.spans}
    if len(told) == 1 and len(fed) > 1:
        sheet.say(_("%(value)s, each time.", value=told.pop()))
        return
    rate = definition.unit == "rate"
    head = [_("Period"), *([_("Numerator"), _("Denominator")] if rate else []), _("Value")]
    rows = []
    for days in export.spans:
        cell = figure.cells[days]
        parts = [words.local(number) or "–" for number in words.numbers(definition, cell)[:2]] if rate else []
        rows.append([words.span(days), *parts, words.written(definition, cell)])
    sheet.write_table(head, rows, (3, *([1.5, 1.5] if rate else []), 2))


# ---- Evidence ------------------------------------------------------------------------------------------------------


def evidence(export: Export, finess: Mapping[Any, str], months: Sequence[KpiClosedMonth]) -> bytes:
    """A zip of the series, the definitions, the query and the closed months, with the SHA-256 of each: the same bytes
    for the same figures, whoever asks and whenever. In English, for machines and auditors. finess: hospital → FINESS.
    """
    files = {
        "series.csv": _series(export, finess),
        "definitions.json": _json([_definition(each.code) for each in export.definitions]),
        "query.sql": QUERY,
        "closed_months.json": _json(
            [{"month": f"{each.month:%Y-%m}", "rows": each.rows, "sha256": bytes(each.digest).hex()} for each in months]
        ),
        "README.txt": _READ_ME,
    }
    written = {name: text.encode() for name, text in files.items()}
    manifest = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(written.items()))
    return _zipped([*sorted(written.items()), ("MANIFEST.sha256", manifest.encode())])


def _series(export: Export, finess: Mapping[Any, str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    writer.writerow(["code", "version", "finess", "from", "to", "numerator", "denominator", "value", "state"])
    ordered = sorted(export.figures, key=lambda each: (each.definition.code, finess.get(each.place, "")))
    lines = {id(figure): _series_of(export, figure) for figure in ordered}
    for figure in ordered:
        for version, row in lines[id(figure)]:
            writer.writerow([figure.definition.code, version, finess.get(figure.place, "group"), *row])
    return text.getvalue()


def _series_of(export: Export, figure: SharedFigure) -> Iterator[tuple[int, list[object]]]:
    version = export.versions[figure.definition.code]
    for days in export.spans:
        cell = figure.cells[days]
        state = cell.value if isinstance(cell, Hidden) else "shown" if cell is not None else "not_fed"
        numbers = words.numbers(figure.definition, cell)
        yield version, [*(each.isoformat() for each in days), *("" if n is None else n for n in numbers), state]


def _definition(code: str) -> dict[str, Any]:
    versions = kpi.stored(code)
    found = [
        {
            "version": each.version, "title": each.title, "numerator": each.numerator, "denominator": each.denominator,
            "unit": each.unit, "events": list(each.events), "grain": each.grain, "dimensions": list(each.dimensions),
            "sha256": each.digest, "stored_at": each.stored_at.isoformat(),
        }
        for each in versions
    ]  # fmt: skip
    return {"code": code, "versions": found}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Stored, dated 1980, in the order given: nothing in it depends on the machine or the day."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            facts = zipfile.ZipInfo(name, _EPOCH)
            facts.create_system, facts.external_attr = 3, 0o644 << 16
            archive.writestr(facts, data)
    return made.getvalue()


_READ_ME = """Evidence of figures, made by Parvis.

series.csv          One number a line. finess: the hospital, or "group". state: shown; few (1 to 10 persons or stays,
                    hidden); rate (fewer than 30 behind it, or a part of 1 to 10, hidden); total (hidden because it
                    would tell a hidden number); not_fed (the hospital's own totals are missing). Amounts in euros,
                    rates as parts of one, days in the civil time of the hospital.
definitions.json    Every version of each definition, the latest first, with its own SHA-256.
query.sql           What the figures are computed from: daily counts of the portal's own events. No person in them.
closed_months.json  The months, final since 35 days after their end: how many daily counts each has, and the SHA-256
                    of them, as the portal kept it on that day.
MANIFEST.sha256     The SHA-256 of each file; check with: sha256sum -c MANIFEST.sha256
"""


def pdf_file(export: Export, name: str) -> Response:
    return downloads.made_response(pdf(export), f"{name}.pdf")


def evidence_file(data: bytes, name: str) -> Response:
    return downloads.made_response(data, f"{name}.zip", "application/zip")
