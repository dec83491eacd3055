"""A patient pays a bill at PayFiP; only PayFiP's own answer counts."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_bill_is_paid_once_with_a_receipt_and_the_agent_sees_it(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    page.goto("/factures")
    look(page, "My bills")
    page.locator(".app-card", has_text="45.20").get_by_role("link").first.click()
    look(page, "Bill")
    bill = page.url
    page.get_by_role("link", name="Pay online").click()
    page.get_by_label("Your email address").fill("dominique@exemple.test")
    press(page, "Continue to the payment site")

    expect(page).to_have_title("Payer votre facture – Simulateur PayFiP")
    press(page, "Payer par carte bancaire")
    look(page, "Bill")
    expect(page.get_by_role("heading", name="This bill is paid")).to_be_visible()
    page.go_back()
    expect(page.locator("h1")).to_have_text("Ce paiement ne peut pas s’ouvrir")
    page.go_back()
    expect(page.get_by_role("heading", name="This bill is paid")).to_be_visible()

    page.locator("main").get_by_role("link", name="Receipt").click()
    look(page, "Payment receipt")
    page.get_by_role("link", name="Check this receipt").click()
    look(page, "Check a payment receipt")
    expect(page.get_by_role("heading", name="Test payment")).to_be_visible()
    page.goto(bill)
    reference = page.locator("h1").inner_text().split()[-1]
    assert '"state": "paid"' in stack.parvis("billing", "balance", reference)

    agent = visitor()
    sign_in(agent, "proconnect", "billing-agent")
    agent.goto("/admin/factures")
    look(agent, "Bills")
    agent.get_by_label("Reference, PayFiP reference or IPP").fill(reference)
    agent.get_by_role("button", name="Find a bill").click()
    look(agent, "All bills")
    agent.get_by_role("link", name=reference).click()
    look(agent, "Bill")
    expect(agent.locator("#ledger")).to_contain_text("45.20")


def test_a_forged_notification_pays_nothing(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "camille")
    page.goto("/factures")
    page.locator("main .app-card").get_by_role("link").first.click()
    page.get_by_role("link", name="Pay online").click()
    page.get_by_label("PayFiP", exact=False).check()
    page.get_by_label("Your email address").fill("not an address")
    press(page, "Continue to the payment site")
    look(page, "Pay bill")
    page.get_by_label("Your email address").fill("camille@exemple.test")
    press(page, "Continue to the payment site")
    (idop,) = stack.sql("select psp_ref from payment_attempt order by created_at desc limit 1")[0]
    told = page.request.post(f"{stack.url}/callbacks/payfip", form={"idop": idop, "resultrans": "P", "montant": "1"})
    assert told.status == 200
    stack.work()
    assert stack.sql("select state from payment_attempt where psp_ref = %s", idop) == [("awaiting",)]
