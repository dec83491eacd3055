"""The treasury's file: its bytes, its totals, nothing that a spreadsheet would run."""

import csv
from datetime import date, datetime
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.ledger.models import KINDS
from services.billing.treasury import layout
from services.billing.treasury.layout import COLUMNS, NATURES, Amounts, Movement

PARIS = ZoneInfo("Europe/Paris")
whole = st.integers(-(10**12), 10**12)


def movement(**facts: object) -> Movement:
    usual: dict[str, object] = {
        "entry": "e", "finess": "990000017", "establishment": "Hôpital", "account": "090909", "source": "regie",
        "reference": "F1", "exer": "2026", "refdet": "F1", "kind": "payment", "psp": "payfip", "means": "card",
        "psp_ref": "idop", "number": "1-tip", "moved_at": datetime(2026, 10, 25, 2, 30, tzinfo=PARIS), "note": "",
        "is_test": False, "amounts": Amounts(4520, 0, 4520, 0),
    }  # fmt: skip
    return Movement(**{**usual, **facts})  # type: ignore[arg-type]  # facts of the test


def printed(lines: list[list[str]], total: Amounts) -> list[list[str]]:
    text = layout.file_bytes(lines, total).decode("utf-8-sig")
    return list(csv.reader(StringIO(text, newline=""), delimiter=";"))


def test_the_file_is_what_the_treasury_reads() -> None:
    content = layout.file_bytes([layout.cells(7, date(2026, 10, 25), movement())], Amounts(4520, 0, 4520, 0))
    assert content.startswith("\ufefflot;jour;ecriture;".encode())
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 3
    header, line, trailer = printed([layout.cells(7, date(2026, 10, 25), movement())], Amounts(4520, 0, 4520, 0))
    said = dict(zip(header, line, strict=True))
    assert (said["lot"], said["nature"], said["moyen"], said["brut"], said["test"]) == (
        "7",
        "paiement",
        "CB",
        "45,20",
        "non",
    )
    assert said["instant"] == "2026-10-25T02:30:00+02:00"
    assert trailer[:2] == ["TOTAL", "1"]
    assert len(header) == len(line) == len(trailer) == len(COLUMNS)


@pytest.mark.parametrize("text", ["=1+1", "+33", "-2", "@sum", "\t=1", "\r=1", 'a\nb;c"d'])
def test_no_text_is_a_formula_nor_breaks_a_line(text: str) -> None:
    (_header, line, _trailer) = printed(
        [layout.cells(1, date(2026, 1, 1), movement(note=text, reference=text))], Amounts()
    )
    note = line[COLUMNS.index("note")]
    assert not note.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "\n" not in note


@given(st.text(max_size=40))
def test_whatever_a_text_holds_the_file_keeps_its_shape(text: str) -> None:
    cells = layout.cells(1, date(2026, 1, 1), movement(note=text, establishment=text))
    assert len(printed([cells], Amounts())) == 3
    assert not cells[COLUMNS.index("note")].startswith(("=", "+", "-", "@", "\t", "\r"))


@given(whole)
def test_euros_say_exactly_the_cents(cents: int) -> None:
    text = layout.euros(cents)
    assert int(text.replace(",", "")) == cents
    assert text[-3] == ","


def test_every_kind_of_the_ledger_has_its_word() -> None:
    assert set(NATURES) == set(KINDS)
