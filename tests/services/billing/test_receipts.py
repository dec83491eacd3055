"""The receipt: numbered, printable, and proven genuine by a public page that names nobody."""

import pytest
from flask.testing import FlaskClient

from portal import db
from tests.factories import people
from tests.services.billing.conftest import Ground, SignIn, pay


@pytest.fixture
def paid(sign_in: SignIn, ground: Ground) -> Ground:
    browser = sign_in(ground.account)
    browser.get(pay(browser, ground))
    return ground


def test_the_receipt_says_what_an_insurer_asks_for(sign_in: SignIn, paid: Ground) -> None:
    receipt, entry = paid.receipts()[0], paid.entries()[0]
    page = sign_in(paid.account).get(f"/factures/recus/{receipt.id}")
    assert page.status_code == 200
    for fact in (receipt.label, receipt.printed_code, paid.bill.reference, paid.hospital.establishment.name,
                 paid.hospital.establishment.finess, entry.number, entry.psp_ref, "Jeanne".upper()):  # fmt: skip
        assert fact in page.text
    assert "ardiologie" not in page.text


def test_another_patient_does_not_find_the_receipt(sign_in: SignIn, paid: Ground) -> None:
    with db.transaction(db.system("tests")):
        other, _person = people.patient_with_account(birth_name="DURAND")
    assert sign_in(other).get(f"/factures/recus/{paid.receipts()[0].id}").status_code == 404


def test_anyone_can_check_a_receipt_however_they_type_its_code(client: FlaskClient, paid: Ground) -> None:
    receipt = paid.receipts()[0]
    for code in (
        receipt.code,
        receipt.printed_code,
        receipt.printed_code.lower(),
        f" {receipt.code[:5]} {receipt.code[5:]} ",
    ):
        page = client.get("/factures/verifier", query_string={"number": receipt.label, "code": code})
        assert page.status_code == 200
        assert paid.bill.reference in page.text
        assert "MARTIN" not in page.text


@pytest.mark.parametrize("change", ["number", "code"])
def test_a_wrong_number_or_code_gets_the_same_answer(client: FlaskClient, paid: Ground, change: str) -> None:
    receipt = paid.receipts()[0]
    asked = {"number": receipt.label, "code": receipt.code, change: "2026-999999" if change == "number" else "X" * 10}
    page = client.get("/factures/verifier", query_string=asked)
    assert page.status_code == 200
    assert paid.bill.reference not in page.text
    assert "app-notice--warning" in page.text


@pytest.mark.parametrize("asked", [{"number": ""}, {"number": "2026-000001"}, {"code": "x"}])
def test_half_a_question_is_corrected(client: FlaskClient, paid: Ground, asked: dict[str, str]) -> None:
    assert client.get("/factures/verifier", query_string=asked).status_code == 422


@pytest.mark.parametrize("code", ["\x00", "' or ''='", "é" * 3000])
def test_hostile_codes_find_nothing(client: FlaskClient, paid: Ground, code: str) -> None:
    page = client.get("/factures/verifier", query_string={"number": "2026-000001", "code": code})
    assert page.status_code in (200, 422)
    assert paid.bill.reference not in page.text
