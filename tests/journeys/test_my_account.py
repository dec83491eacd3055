"""What a person controls, on a telephone; and the warning before a session ends."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
MINUTE_MS = 60_000


def test_the_account_fits_a_telephone(visitor: Visitor) -> None:
    page = visitor(**PHONE)
    sign_in(page, "franceconnect", "dominique")
    page.goto("/mon-compte")
    look(page, "My account")
    page.get_by_role("link", name="Sessions and devices").click()
    look(page, "Sessions and devices")
    page.goto("/mon-compte")
    page.get_by_role("link", name="What I agreed to").click()
    look(page, "What I agreed to")


def test_an_agent_has_an_account_too(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.goto("/mon-compte")
    look(page, "My account")


def test_somebody_away_is_warned_and_stays(visitor: Visitor) -> None:
    page = visitor()
    page.clock.install()
    sign_in(page, "franceconnect", "suzanne")
    page.goto("/mon-compte")
    page.clock.fast_forward(27 * MINUTE_MS)
    dialog = page.get_by_role("dialog", name="Are you still there?")
    expect(dialog).to_be_visible()
    with page.expect_response(re.compile("/mon-compte/rester")) as answered:
        press(page, "Stay signed in")
    assert answered.value.status == 204
    expect(dialog).to_be_hidden()


def test_somebody_who_does_not_answer_is_told_that_nothing_is_lost(visitor: Visitor) -> None:
    page = visitor()
    page.clock.install()
    sign_in(page, "franceconnect", "suzanne")
    page.goto("/mon-compte")
    page.clock.fast_forward(40 * MINUTE_MS)
    expect(page.get_by_role("dialog")).to_contain_text("Your session is closed")
    press(page, "Back to the page")
    expect(page.get_by_role("dialog")).to_be_hidden()
