"""Rows as a workbook (XLSX) that accountants count in: amounts are numbers, texts are texts and never formulas.

Rows are written as they come and let go of (`constant_memory`), to a file on disk that is then sent in pieces.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import IO, Any, Literal
from zoneinfo import ZoneInfo

import xlsxwriter
from flask import Response

MOST_ROWS = 1_048_575
"""What a sheet holds beside its header."""
_MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONGEST_TEXT = 32_767
_PIECE = 1 << 16
_FORMATS: dict[str, dict[str, Any]] = {
    "euros": {"num_format": "#,##0.00\\ €"},
    "moment": {"num_format": "dd/mm/yyyy hh:mm:ss"},
    "quoted": {"quote_prefix": True},
    "header": {"bold": True, "bottom": 1},
}


@dataclass(frozen=True)
class Column:
    """kind: text, euros (whole cents), moment (aware, shown on the hospitals' clock) or number."""

    title: str
    kind: Literal["text", "euros", "moment", "number"] = "text"
    width: int = 16


@dataclass(frozen=True)
class Sheet:
    """title: 31 characters at most. zone: whose clock its moments show."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Any]]
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))


def xlsx_response(file_name: str, sheets: Iterable[Sheet]) -> Response:
    """A download, written whole before it leaves. file_name: ASCII, without extension."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the response has been sent
    try:
        write(file, sheets)
    except BaseException:
        file.close()
        raise
    size = file.tell()
    file.seek(0)
    response = Response(_pieces(file), mimetype=_MIMETYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.xlsx"'
    response.headers["Content-Length"] = str(size)
    response.headers["Cache-Control"] = "no-store"
    response.call_on_close(file.close)
    return response


def write(file: IO[bytes], sheets: Iterable[Sheet]) -> None:
    """Write the workbook; the file is left at its end."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        formats = {name: book.add_format(facts) for name, facts in _FORMATS.items()}
        for sheet in sheets:
            _write_sheet(book.add_worksheet(sheet.title[:31]), sheet, formats)
    file.seek(0, 2)


def _write_sheet(page: Any, sheet: Sheet, formats: dict[str, Any]) -> None:
    page.freeze_panes(1, 0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, column.width)
        page.write_string(0, place, column.title, formats["header"])
    for number, row in enumerate(sheet.rows, 1):
        for place, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            _write_cell(page, number, place, column.kind, value, formats, sheet.zone)


def _write_cell(
    page: Any, row: int, place: int, kind: str, value: Any, formats: dict[str, Any], zone: ZoneInfo
) -> None:
    if value is None or value == "":
        return
    if kind == "euros":
        # Exact: the point is moved, nothing is divided.
        page.write_number(row, place, Decimal(value).scaleb(-2), formats["euros"])
    elif kind == "number":
        page.write_number(row, place, value)
    elif kind == "moment" and isinstance(value, datetime):
        page.write_datetime(row, place, value.astimezone(zone).replace(tzinfo=None), formats["moment"])
    else:
        text = _plain(str(value))
        # Marked as text, as if an apostrophe had been typed: it stays one when it is edited or pasted.
        page.write_string(row, place, text, formats["quoted"] if text.startswith(_FORMULA_STARTS) else None)


def _plain(text: str) -> str:
    """Without the control characters that XML does not hold."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")[:_LONGEST_TEXT]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
