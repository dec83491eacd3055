"""The desk with the keyboard alone: a free time, who it is for, the appointment; then what became of past visits."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.test_keyboard import press_on
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_booking_from_a_free_time_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "appointments-agent")
    page.goto("/admin/rendez-vous")
    open_a_day_with_free_times(page)
    # On the way is a day's box: inside it the browser draws the focus itself, part by part.
    press_on(page, ".app-agenda__start", ours=False)
    page.keyboard.press("Enter")
    look(page, "Who is on the phone?")
    press_on(page, "#birth_name")
    page.keyboard.type("Vasseur")
    for part, value in (("day", "20"), ("month", "8"), ("year", "1995")):
        press_on(page, f"#birth_on-{part}")
        page.keyboard.type(value)
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 patient found")).to_be_visible()
    press_on(page, "main table a")
    page.keyboard.press("Enter")
    look(page, "Appointment for Jules VASSEUR")
    press_on(page, "input[name=reason]")
    page.keyboard.press("Space")
    press_on(page, "button:has-text('Book for')")
    page.keyboard.press("Enter")
    if page.locator("#anyway").count():
        press_on(page, "#anyway")
        page.keyboard.press("Space")
        press_on(page, "button:has-text('Book for')")
        page.keyboard.press("Enter")
    expect(page.get_by_text("The appointment is booked.")).to_be_visible()
    look(page, "Appointment")


def open_a_day_with_free_times(page: Page) -> None:
    """Today may be a Sunday, or its evening: go on from day to day."""
    for _day in range(10):
        if page.locator(".app-agenda__start").count():
            return
        press_on(page, "a[rel=next]")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    raise AssertionError("ten days without a free time")


def test_what_became_of_yesterday_s_visits(visitor: Visitor) -> None:
    page = visitor(java_script_enabled=False)
    sign_in(page, "proconnect", "appointments-agent")
    page.goto("/admin/rendez-vous")
    page.locator(".app-notice .app-desk-days a").first.click()
    expect(page.locator("h1")).to_have_text("Cardiologie: what became of them?")
    page.get_by_label("They were seen").check()
    page.get_by_role("button", name="Write it down for all of them").click()
    expect(page.get_by_text("written down.")).to_be_visible()
    page.get_by_role("button", name="Undo").first.click()
    expect(page.locator(".app-agenda__line--booked").first).to_be_visible()
    page.get_by_role("link", name="Did not come").first.click()
    page.get_by_label("Transport").check()
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator(".app-agenda__line--missed").first).to_be_visible()
