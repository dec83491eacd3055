"""The receipt: numbered, printable, and proven genuine by a public page that names nobody."""

from uuid import uuid4

import pypdfium2  # type: ignore[import-untyped]  # it has no types
import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from portal import db
from portal.gateways.payments.means import Ending
from services.billing import queries as bills
from services.billing.ledger.actions import Posting, Side, post
from services.billing.models import Bill, Receipt
from services.billing.receipts import queries as proofs
from tests.factories import billing, people
from tests.ground import prepared, rows
from tests.services.billing.conftest import Ground, SignIn, pay, speak_english, statements


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


# -- on paper, and for a complementary insurance -----------------------------------------------------------------


def words(pdf: bytes) -> str:
    """What a PDF says, page after page."""
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in document)


def book(ground: Ground, ending: Ending = Ending.PAID, days_ago: int = 0) -> Receipt:
    with prepared():
        billing.attempt(db.session.get_one(Bill, ground.bill.id), ending, days_ago=days_ago)
    return rows(Receipt)[-1]


def reject(ground: Ground) -> None:
    """The bank gives the debit back, and the ledger says so."""
    (payment,) = ground.entries()
    bill, clearing = ground.bill, f"clearing:payfip:{payment.account}"
    with prepared():
        post(Posting(
            payment.establishment_id, payment.psp, f"{payment.psp_ref}-R", "rejection", payment.account,
            [Side("receivable", debit=bill.due_cents, bill_id=bill.id), Side(clearing, credit=bill.due_cents)],
            undoes_id=payment.id, means=payment.means,
        ))  # fmt: skip


def test_the_receipt_on_paper_says_as_much_as_the_page_and_no_care(sign_in: SignIn, paid: Ground) -> None:
    receipt, entry = paid.receipts()[0], paid.entries()[0]
    answer = sign_in(paid.account).get(f"/factures/recus/{receipt.id}.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    told = words(answer.data)
    for fact in (receipt.label, receipt.printed_code, paid.bill.reference, paid.hospital.establishment.finess,
                 entry.number, "45,20", "JEANNE"):  # fmt: skip
        assert fact in told
    assert "TEST" in told
    assert "ardiologie" not in told


def test_the_papers_are_tagged_and_titled(sign_in: SignIn, paid: Ground) -> None:
    made = sign_in(paid.account).get(f"/factures/recus/{paid.receipts()[0].id}.pdf").data
    for mark in (b"/MarkInfo", b"/StructTreeRoot", b"/Lang", b"pdfuaid:part"):
        assert mark in made


def test_a_bill_paid_in_full_has_a_certificate_that_anybody_may_check(
    sign_in: SignIn, client: FlaskClient, paid: Ground
) -> None:
    made = sign_in(paid.account).get(f"{paid.page}/attestation.pdf")
    assert made.status_code == 200
    certificate = certificate_of(paid)
    told = words(made.data)
    for fact in (certificate.label, certificate.printed_code, paid.bill.reference, "54,80", "45,20"):
        assert fact in told
    assert "ardiologie" not in told
    page = check(client, certificate.label, certificate.printed_code)
    assert paid.bill.reference in page
    assert "MARTIN" not in page


def certificate_of(ground: Ground) -> proofs.Attestation:
    with prepared():
        found = proofs.attestation_of(bills.standing(ground.bill.id))
    assert found is not None
    return found


def check(client: FlaskClient, number: str, code: str) -> str:
    return client.get("/factures/verifier", query_string={"number": number, "code": code}).text


def no_certificate(sign_in: SignIn, ground: Ground) -> bool:
    return sign_in(ground.account).get(f"{ground.page}/attestation.pdf").status_code == 404


def test_a_bill_that_is_not_paid_has_none(sign_in: SignIn, ground: Ground) -> None:
    assert no_certificate(sign_in, ground)


def test_the_treasury_alone_certifies_a_titre(sign_in: SignIn, ground: Ground) -> None:
    with prepared():
        db.session.merge(ground.bill).source = "titre"
    book(ground)
    assert no_certificate(sign_in, ground)
    page = sign_in(ground.account).get(ground.page).text
    assert "bordereau de" in page
    assert "attestation.pdf" not in page


@pytest.mark.parametrize(("days_ago", "certified"), [(0, False), (9, False), (11, True)])
def test_a_debit_is_certified_once_the_bank_can_no_longer_give_it_back(
    sign_in: SignIn, ground: Ground, days_ago: int, certified: bool
) -> None:
    book(ground, Ending.DEBIT_ACCEPTED, days_ago)
    assert no_certificate(sign_in, ground) is not certified
    speak_english(ground)
    is_to_come = "will leave your account in a few days" in sign_in(ground.account).get(ground.page).text
    assert is_to_come is not certified


def test_a_rejected_debit_is_said_on_the_receipt_the_paper_and_the_check(
    sign_in: SignIn, client: FlaskClient, ground: Ground
) -> None:
    receipt = book(ground, Ending.DEBIT_ACCEPTED, days_ago=11)
    certificate = certificate_of(ground)
    before = words(sign_in(ground.account).get(f"/factures/recus/{receipt.id}.pdf").data)
    reject(ground)
    browser = sign_in(ground.account)
    assert "app-notice--danger" in browser.get(f"/factures/recus/{receipt.id}").text
    assert words(browser.get(f"/factures/recus/{receipt.id}.pdf").data) != before
    assert "app-notice--danger" in check(client, receipt.label, receipt.code)
    assert "app-notice--danger" in check(client, certificate.label, certificate.printed_code)
    assert no_certificate(sign_in, ground)


def test_a_certificate_of_a_bill_that_changed_is_not_ours_any_more(client: FlaskClient, paid: Ground) -> None:
    certificate = certificate_of(paid)
    with prepared():
        db.session.get_one(Bill, paid.bill.id).due_cents += 100
    page = check(client, certificate.label, certificate.printed_code)
    assert paid.bill.reference not in page


@pytest.mark.parametrize(
    "number", ["A2026-000001", "A", "A-", "A2026-", "A99999-1", "A2026-9999999999", "A²026-1", "a'"]
)
def test_numbers_of_certificates_open_nothing_by_themselves(client: FlaskClient, paid: Ground, number: str) -> None:
    answer = client.get("/factures/verifier", query_string={"number": number, "code": "AAAAA-AAAAA"})
    assert answer.status_code == 200
    assert paid.bill.reference not in answer.text


def test_a_test_is_worth_nothing_wherever_it_is_shown(sign_in: SignIn, client: FlaskClient, paid: Ground) -> None:
    certificate, receipt = certificate_of(paid), paid.receipts()[0]
    assert "TEST" in words(sign_in(paid.account).get(f"{paid.page}/attestation.pdf").data)
    for number, code in ((certificate.label, certificate.printed_code), (receipt.label, receipt.code)):
        page = check(client, number, code)
        assert "app-notice--warning" in page
        assert "app-notice--success" not in page


def test_another_patient_gets_no_paper(sign_in: SignIn, paid: Ground) -> None:
    with prepared():
        other, _person = people.patient_with_account(birth_name="DURAND")
    browser = sign_in(other)
    assert browser.get(f"/factures/recus/{paid.receipts()[0].id}.pdf").status_code == 404
    assert browser.get(f"{paid.page}/attestation.pdf").status_code == 404
    assert browser.get(f"/factures/recus/{uuid4()}.pdf").status_code == 404


def test_papers_cost_few_statements(app: Flask, sign_in: SignIn, paid: Ground) -> None:
    browser, receipt = sign_in(paid.account), paid.receipts()[0]
    pages = (f"/factures/recus/{receipt.id}", f"/factures/recus/{receipt.id}.pdf", f"{paid.page}/attestation.pdf",
             f"/factures/verifier?number={receipt.label}&code={receipt.code}")  # fmt: skip
    for page in pages:
        with statements(app) as sent:
            browser.get(page)
        assert len(sent) <= 12, (page, len(sent))


@given(st.text(max_size=60))
def test_any_number_is_understood_or_finds_nothing(number: str) -> None:
    assert proofs.number_of_attestation(number) is None or number.upper().startswith("A")
