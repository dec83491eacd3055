"""CSV files that spreadsheets open as they are, and that run nothing."""

from csv import reader
from datetime import date
from io import StringIO

import pytest

from portal.web.spreadsheets import cell, csv_response


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "+33 1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x.test")', "=cmd|' /C calc'!A0"],
)
def test_a_text_that_looks_like_a_formula_is_quoted(formula: str) -> None:
    assert cell(formula) == f"'{formula}"


@pytest.mark.parametrize(
    ("value", "written"), [(-3, "-3"), (None, ""), ("a=b", "a=b"), (date(2026, 3, 1), "2026-03-01")]
)
def test_the_rest_is_written_as_it_is(value: object, written: str) -> None:
    assert cell(value) == written


def test_the_file_is_utf_8_with_its_mark_and_semicolons() -> None:
    response = csv_response("R2a-2026", ["Code", "Libellé"], [["R2a", "Taux ; « é »"], ["", 'dit "oui"\nou non']])
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"] == 'attachment; filename="R2a-2026.csv"'
    raw = response.get_data()
    assert raw.startswith(b"\xef\xbb\xbfCode;Libell\xc3\xa9\r\n")
    rows = list(reader(StringIO(raw.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert rows == [["Code", "Libellé"], ["R2a", "Taux ; « é »"], ["", 'dit "oui"\nou non']]
