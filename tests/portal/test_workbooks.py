"""Workbooks that accountants count in: amounts are exact numbers, texts never run."""

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.workbooks import Column, Sheet, write, xlsx_response

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def written(kind: Any, *values: object) -> list[ElementTree.Element]:
    """The cells of a column that holds these values, below its title."""
    file = BytesIO()
    write(file, [Sheet("Page", [Column("Titre", kind)], [[value] for value in values])])
    page = ElementTree.fromstring(ZipFile(file).read("xl/worksheets/sheet1.xml"))
    return [cell for row in list(page.iter(f"{SHEET}row"))[1:] for cell in row]


def text_of(cell: ElementTree.Element) -> str:
    return "".join(node.text or "" for node in cell.iter(f"{SHEET}t"))


@given(st.integers(-(10**13), 10**13))
def test_an_amount_is_a_number_exact_to_the_cent(cents: int) -> None:
    [cell] = written("euros", cents)
    value = cell.findtext(f"{SHEET}v") or ""
    assert cell.get("t") in (None, "n")
    euros, _point, rest = value.lstrip("-").partition(".")
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", value)
    assert (int(euros) * 100 + int(rest.ljust(2, "0") or 0)) * (-1 if value.startswith("-") else 1) == cents


@pytest.mark.parametrize(
    "formula", ["=1+1", "+33 1", "-2+3", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x.test")', "=cmd|' /C calc'!A0"]
)
def test_a_text_that_looks_like_a_formula_stays_a_text(formula: str) -> None:
    [cell] = written("text", formula)
    assert cell.get("t") == "inlineStr"
    assert cell.find(f"{SHEET}f") is None
    assert text_of(cell) == formula


@pytest.mark.parametrize("text", ["http://x.test", "0012345", "1e5"])
def test_a_text_is_neither_a_link_nor_a_number(text: str) -> None:
    [cell] = written("text", text)
    assert (cell.get("t"), text_of(cell)) == ("inlineStr", text)


@given(st.text(max_size=40))
def test_any_text_gives_a_readable_workbook(text: str) -> None:
    written("text", text.encode("utf-8", "ignore").decode())


def test_a_moment_is_shown_on_the_hospital_s_clock() -> None:
    [cell] = written("moment", datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    assert float(cell.findtext(f"{SHEET}v") or 0) == pytest.approx(46205 + 0.5 / 24)


def test_what_is_empty_is_not_written() -> None:
    assert written("euros", None, "") == []


def test_a_download_is_named_kept_by_nobody_and_sent_in_pieces() -> None:
    rows = ([number] for number in range(20_000))
    response = xlsx_response("journal", [Sheet("Journal", [Column("Montant", "euros")], rows)])
    assert response.headers["Content-Disposition"] == 'attachment; filename="journal.xlsx"'
    assert response.headers["Cache-Control"] == "no-store"
    pieces = list(response.response)
    assert len(pieces) > 1
    assert sum(map(len, pieces)) == int(response.headers["Content-Length"])
    assert ZipFile(BytesIO(b"".join(pieces))).testzip() is None  # type: ignore[arg-type]  # bytes they are
    response.close()
