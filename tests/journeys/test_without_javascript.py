"""Scripts switched off: booking, sending a document and paying work all the same."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.walking import Visitor, choose_first_free_time, photo, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor(java_script_enabled=False)


def test_booking(page: Page) -> None:
    page.goto("/rendez-vous/choisir?q=bilan")
    page.get_by_role("link", name="Bilan de la vue").click()
    choose_first_free_time(page)
    press(page, "Continue")
    sign_in(page, "franceconnect", "jean-marie")
    press(page, "Keep this time and go on")
    press(page, "Confirm the appointment")
    expect(page.locator("h1")).to_have_text("Your appointment is booked")


def test_a_month_at_a_glance(page: Page) -> None:
    page.goto("/rendez-vous/choisir?q=bilan")
    page.get_by_role("link", name="Bilan de la vue").click()
    page.get_by_role("link", name="Month at a glance").click()
    page.locator(".app-month__link").first.click()
    expect(page.locator(".app-slots__input").first).to_be_attached()


def test_sending_a_document(page: Page, tmp_path: Path) -> None:
    sign_in(page, "franceconnect", "dominique")
    page.goto("/pre-admission")
    page.locator(".app-card", has_text="To complete").get_by_role("link").click()
    page.locator("main").get_by_role("link", name="Complementary insurance card", exact=True).click()
    path = tmp_path / "mutuelle.png"
    path.write_bytes(photo())
    page.get_by_label("Your photos or your PDF").set_input_files(path)
    press(page, "Send this document")
    expect(page.get_by_text("Everything is back with the hospital")).to_be_visible()


def test_paying(page: Page) -> None:
    sign_in(page, "franceconnect", "jean-marie")
    page.goto("/factures")
    page.locator("main .app-card").get_by_role("link").first.click()
    page.get_by_role("link", name="Pay online").click()
    press(page, "Continue to the payment site")
    press(page, "Payer par carte bancaire")
    expect(page.get_by_role("heading", name="This bill is paid")).to_be_visible()
