"""A patient pays at Stripe and never comes back: the webhook brings the receipt, and the hospital sees what is owed."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_payer_who_closes_the_browser_has_paid_and_has_a_receipt(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "camille")
    page.goto("/factures")
    page.locator(".app-card", has_text="120.00").get_by_role("link").first.click()
    bill = page.url
    page.get_by_role("link", name="Pay online").click()
    page.get_by_label("Your email address").fill("camille@exemple.test")
    press(page, "Continue to the payment site")

    expect(page).to_have_title("Payer – Simulateur Stripe")
    press(page, "La banque refuse la carte")
    expect(page.get_by_role("alert")).to_contain_text("Rien n’a été débité")
    page.route("**/factures/retour/**", lambda route: route.abort())
    page.get_by_role("button", name="Payer par carte bancaire").click(no_wait_after=True)
    page.wait_for_timeout(300)

    stack.work()
    last = "(select id from payment_attempt where psp = 'stripe' order by created_at desc limit 1)"
    assert stack.sql(f"select state from payment_attempt where id = {last}") == [("paid",)]
    fees = stack.sql(f"select amount_cents from ledger_entry where kind = 'fee' and attempt_id = {last}")
    assert fees == [(205,)], "1.5 % of 120 euros and 25 cents, an entry of their own"

    page.unroute_all()
    page.goto(bill)
    look(page, "Bill")
    expect(page.get_by_role("heading", name="This bill is paid")).to_be_visible()
