"""Rows as a CSV file that people open in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from flask import Response

_BYTE_ORDER_MARK = "\ufeff"
"""Without it spreadsheets read UTF-8 as Windows-1252."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_response(file_name: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download: UTF-8 with its mark, `;` between cells, CRLF. file_name: ASCII, without extension."""
    text = StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([cell(header) for header in headers])
    writer.writerows([cell(value) for value in row] for row in rows)
    response = Response(_BYTE_ORDER_MARK + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def cell(value: object) -> str:
    """What a spreadsheet shows as it is: a text that looks like a formula is quoted (OWASP, CSV injection).

    Numbers of ours are not texts: a negative one stays a number.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text
