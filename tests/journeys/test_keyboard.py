"""A whole booking without a mouse: Tab, Enter, Space and arrows, and the focus is seen all along."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.stack import Stack
from tests.journeys.test_face import HAS_FOCUS_RING
from tests.journeys.walking import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
_STOPS_AT_MOST = 120


def test_a_booking_with_the_keyboard_alone(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    page.goto("/rendez-vous/choisir")
    press_on(page, "#q")
    page.keyboard.type("échographie")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    press_on(page, "main a:has-text('Échographie')")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Choose a day and a time")

    press_on(page, ".app-slots__input")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.checked && document.activeElement.type") == "radio"
    press_on(page, "button:has-text('Continue')")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Sign in")
    press_on(page, "a[href^='/auth/franceconnect/start']")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Qui se connecte ?")
    press_on(page, "button[value=suzanne]", ours=False)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Confirm that it is you")
    press_on(page, "button:has-text('Send me the code')")
    page.keyboard.press("Enter")
    expect(page.locator("#code")).to_be_visible()
    press_on(page, "#code")
    page.keyboard.type(stack.code())
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your choice")
    press_on(page, "button:has-text('Keep this time and go on')")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Confirm your appointment")
    press_on(page, "button:has-text('Confirm the appointment')")
    page.keyboard.press("Space")
    expect(page.locator("h1")).to_have_text("Your appointment is booked")


def press_on(page: Page, target: str, *, ours: bool = True) -> None:
    """Tab until the target has the focus, and see the focus at each stop (on the portal's own pages)."""
    for _stop in range(_STOPS_AT_MOST):
        page.keyboard.press("Tab")
        if ours:
            assert focus_is_seen(page), page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
        if page.evaluate("(target) => document.activeElement.matches(target)", plain(target)) and says(page, target):
            return
    raise AssertionError(f"{page.url}: the keyboard does not reach {target}")


def plain(target: str) -> str:
    return target.split(":has-text(")[0]


def says(page: Page, target: str) -> bool:
    """Whether the focused element has the words of `:has-text('…')`, when the target asks for some."""
    words = target.partition(":has-text('")[2].removesuffix("')")
    return words in page.evaluate("document.activeElement.textContent")


def focus_is_seen(page: Page) -> bool:
    """A ring, or the plate of the search box and of the skip link (see `test_face`)."""
    if page.evaluate("document.activeElement.matches('body, .govuk-skip-link, .app-search__input')"):
        return True
    return bool(page.evaluate(HAS_FOCUS_RING))
