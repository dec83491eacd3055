"""The file of payments: what a line must be, and what is refused, alone or as a whole."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delimited import NotSuchAFile
from services.billing.bill_file import Refusal
from services.billing.settlement import accountant_file, payment_file
from services.billing.settlement.payment_file import COLUMNS, PaymentLine
from tests.factories.settlement import content, row


def only(**facts: object) -> PaymentLine | Refusal:
    (line,) = payment_file.read(content([row(**{"psp_ref": "idop-1", **facts})]))
    return line


def test_a_line_of_the_provider_is_named_by_the_operation() -> None:
    line = only(number="123-tip", amount_cents="100")
    assert isinstance(line, PaymentLine)
    assert (line.key, line.amount_cents, line.line) == ("payfip|idop-1", 100, 2)


def test_without_the_operation_the_number_of_the_bank_statement_names_it() -> None:
    line = only(psp_ref="", number="123-tip")
    assert isinstance(line, PaymentLine)
    assert line.key == "payfip|number 123-tip"


def test_a_closing_is_named_by_its_bill_and_may_tell_no_amount() -> None:
    line = only(kind="cancelled", psp="", psp_ref="", source="titre", exer="2026", reference="123", amount_cents="")
    assert isinstance(line, PaymentLine)
    assert (line.key, line.amount_cents) == ("titre|2026|123", 0)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kind": "paid"}, "kind"),
        ({"psp": "paypal"}, "psp"),
        ({"account": ""}, "account"),
        ({"psp_ref": ""}, "psp_ref or number"),
        ({"amount_cents": "12,00"}, "amount_cents"),
        ({"amount_cents": "-1"}, "amount_cents"),
        ({"amount_cents": "0"}, "amount_cents"),
        ({"amount_cents": "9" * 13}, "amount_cents"),
        ({"amount_cents": "١٢"}, "amount_cents"),
        ({"on": "20/11/2026"}, "on"),
        ({"on": "2026-02-30"}, "on"),
        ({"finess": ""}, "finess"),
        ({"note": "x" * 201}, "note"),
        ({"kind": "elsewhere", "source": "other", "exer": "2026", "reference": "1"}, "source"),
        ({"kind": "elsewhere", "source": "regie", "exer": "26", "reference": "1"}, "exer"),
        ({"kind": "elsewhere", "source": "regie", "exer": "2026", "reference": ""}, "reference"),
    ],
)
def test_a_wrong_line_is_refused_alone_and_says_why(facts: dict[str, str], why: str) -> None:
    refused = only(**facts)
    assert isinstance(refused, Refusal)
    assert refused.why.startswith(why)


def test_a_line_of_another_width_does_not_stop_the_others() -> None:
    lines = list(payment_file.read(content([row(psp_ref="a"), "x;y", row(psp_ref="b")])))
    assert [isinstance(line, Refusal) for line in lines] == [False, True, False]


def test_unknown_columns_are_ignored_and_a_missing_one_refuses_the_file(tmp_path: Path) -> None:
    more = f"{';'.join(COLUMNS)};extra\n{row(psp_ref='a')};x\n"
    assert len(list(payment_file.read(more.encode()))) == 1
    path = tmp_path / "short.csv"
    path.write_text(";".join(COLUMNS[:-1]) + "\n", encoding="utf-8")
    with pytest.raises(NotSuchAFile, match="missing columns: note"):
        list(payment_file.read(path))


def test_another_encoding_refuses_the_file() -> None:
    with pytest.raises(NotSuchAFile, match="UTF-8"):
        list(payment_file.read(content([row(note="d\u00e9bit")]).decode().encode("latin-1")))


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters='\r\n;"', exclude_categories=["Cs"]), max_size=12), max_size=16
        ),
        max_size=6,
    )
)
def test_no_content_makes_the_reader_fail(cells: list[list[str]]) -> None:
    for line in payment_file.read(content(";".join(each) for each in cells)):
        assert isinstance(line, PaymentLine | Refusal)


@pytest.mark.parametrize(
    ("head", "told"), [(b"<?xml", True), (b"\xef\xbb\xbf  <PES", True), (b"finess;", False), (b"", False)]
)
def test_the_accountants_file_is_told_from_a_csv_by_its_first_sign(head: bytes, told: bool) -> None:
    assert accountant_file.is_one(head) is told
