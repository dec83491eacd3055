"""Somebody without an account pays with the hospital's letter, at home, on a telephone, without JavaScript."""

import pytest
from playwright.sync_api import Page, expect

from tests.factories.billing import LETTER_KEY
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

_TO_PAY = (
    "select b.reference, b.id from bill b join bill_source s on s.establishment_id = b.establishment_id"
    " and s.code = b.source and s.kind = b.source and s.access = 'key' and 'payfip' = any (s.means)"
    " where b.patient_id is null and b.source = 'regie' and b.bill_source = '' and b.closed_reason = ''"
    " and b.due_cents > 100 and not exists (select 1 from attempt_share a where a.bill_id = b.id)"
    " order by b.reference limit 1"
)


def letter(stack: Stack) -> str:
    """The reference of a letter that nobody has paid yet."""
    return str(stack.sql(_TO_PAY)[0][0])


def pay(page: Page) -> None:
    """From the bill's page to the bank and back."""
    page.get_by_role("link", name="Pay online").click()
    look(page, "Pay bill")
    page.get_by_label("Your email address").fill("fille@exemple.test")
    press(page, "Continue to the payment site")
    press(page, "Payer par carte bancaire")
    look(page, "Bill")
    expect(page.get_by_text("This bill is paid")).to_be_visible()


def test_the_code_of_a_letter_fills_the_form_and_the_receipt_is_there_at_once(visitor: Visitor, stack: Stack) -> None:
    page, reference = visitor(), letter(stack)
    page.goto("/")
    page.get_by_role("link", name="Pay a bill without an account").click()
    look(page, "Pay with the hospital’s letter")
    page.goto("about:blank")
    page.goto(f"/factures/payer#{reference};{LETTER_KEY}")
    expect(page.get_by_label("Payment key")).to_have_value(LETTER_KEY)
    assert "#" not in page.url
    press(page, "See the bill")
    look(page, "Bill")
    pay(page)
    page.locator("main").get_by_role("link", name="Receipt 2").click()
    look(page, "Payment receipt")
    with page.expect_download() as paper:
        page.get_by_role("link", name="Download the receipt").click()
    assert paper.value.suggested_filename.endswith(".pdf")
    page.goto("/factures/payer/factures")
    look(page, "The bills of your letters")
    press(page, "Close my bills on this device")
    look(page, "Pay with the hospital’s letter")
    assert '"state": "paid"' in stack.parvis("billing", "balance", reference)


def test_on_a_telephone_without_javascript(visitor: Visitor, stack: Stack) -> None:
    page, reference = visitor(java_script_enabled=False, viewport={"width": 390, "height": 800}), letter(stack)
    page.goto("/factures/payer")
    page.get_by_label("Reference of the bill").first.fill(reference)
    page.get_by_label("Payment key").fill("WRONGKEY")
    press(page, "See the bill")
    expect(page.get_by_text("We found no bill to pay")).to_be_visible()
    page.get_by_label("Payment key").fill(LETTER_KEY.lower())
    press(page, "See the bill")
    expect(page.locator("h1")).to_contain_text(reference)
    page.get_by_role("link", name="Pay online").click()
    page.get_by_label("Your email address").fill("fille@exemple.test")
    press(page, "Continue to the payment site")
    press(page, "Payer par carte bancaire")
    expect(page.get_by_text("This bill is paid")).to_be_visible()


def test_a_telephone_shows_every_page_whole(visitor: Visitor, stack: Stack) -> None:
    page, reference = visitor(viewport={"width": 390, "height": 800}), letter(stack)
    page.goto("/factures/payer")
    look(page, "Pay with the hospital’s letter")
    page.get_by_text("My letter bears no key").click()
    page.get_by_role("button", name="See the bill without a key").click()
    look(page, "Pay with the hospital’s letter")
    page.get_by_label("Reference of the bill").first.fill(reference)
    page.get_by_label("Payment key").fill(LETTER_KEY)
    page.get_by_role("button", name="See the bill", exact=True).click()
    look(page, "Bill")
    page.goto("/factures/payer/factures")
    look(page, "The bills of your letters")
