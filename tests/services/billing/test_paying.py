"""A patient pays a bill through PayFiP, and always knows where they stand."""

from flask.testing import FlaskClient

from portal.gateways.payments.payfip_twin import RunningTwin
from tests.services.billing.conftest import Ground, SignIn, at_the_bank, idop_of, leave_to_pay


def test_pays_by_card_and_comes_back_to_a_paid_bill(sign_in: SignIn, ground: Ground) -> None:
    browser = sign_in(ground.account)
    assert browser.get(ground.page).status_code == 200
    assert browser.get(f"{ground.page}/payer").status_code == 200
    left = leave_to_pay(browser, ground)
    back = at_the_bank(left.location, "P")
    arrived = browser.get(back)
    assert arrived.status_code == 303
    assert arrived.location == ground.page
    page = browser.get(ground.page)
    assert page.status_code == 200
    standing = ground.standing()
    assert (standing.state, standing.paid_cents, standing.left_cents) == ("paid", 4520, 0)
