"""A director's month: figures over any days, hospitals side by side, an aim, and what is taken to the board."""

import csv
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NORTH = "Centre hospitalier du Val d’Arceau"


def test_from_the_dashboard_to_an_aim_and_back(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    look(page, "Dashboard")
    page.get_by_role("link", name="Last month", exact=True).click()
    expect(page.get_by_role("link", name="Last month", exact=True)).to_have_attribute("aria-current", "page")
    page.get_by_label("Hospital", exact=True).select_option(label=NORTH)
    press(page, "Filter")
    expect(page.locator("main")).to_contain_text(NORTH)

    page.locator("main .app-card").get_by_role("link", name="Appointments", exact=True).click()
    look(page, "Appointments")
    charts = page.locator("main figure svg")
    assert charts.count() > 2
    page.get_by_text("See the figures").first.click()
    expect(page.locator("main figure table").first).to_be_visible()

    page.locator(".app-stat").get_by_role("link", name="Appointments booked online", exact=True).click()
    look(page, "Appointments booked online")
    _sets_an_aim_and_takes_it_back(page)


def _sets_an_aim_and_takes_it_back(page: Page) -> None:
    page.get_by_role("link", name="Change").first.click()
    page.get_by_role("textbox", name="Target").fill("many")
    press(page, "Set the target")
    look(page, "Target: Appointments booked online")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("textbox", name="Target").fill("400")
    press(page, "Set the target")
    expect(page.get_by_text("The target is set.")).to_be_visible()
    expect(_answer(page, "Target today")).to_have_text("400")
    page.get_by_role("textbox", name="Target").fill("")
    press(page, "Set the target")
    expect(page.get_by_text("The target is withdrawn.")).to_be_visible()
    expect(_answer(page, "Target today")).to_have_text("None")
    assert page.get_by_role("table", name="Every target that was set").locator("tbody tr").count() == 2
    look(page, "Target: Appointments booked online")


def _answer(page: Page, question: str) -> Locator:
    row = page.locator(".govuk-summary-list__row", has=page.get_by_text(question, exact=True))
    return row.locator(".govuk-summary-list__value")


def test_hospitals_side_by_side_in_a_view_of_ones_own(visitor: Visitor) -> None:
    """Without a script, as on the oldest computer of the house."""
    page = visitor(java_script_enabled=False)
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Figures", exact=True).click()
    look(page, "Comparison of hospitals")
    page.get_by_label("Figure", exact=True).select_option(label="Appointments booked online (R1)")
    press(page, "Filter")
    table = page.locator("#comparison")
    expect(table).to_contain_text(NORTH)
    expect(table).to_contain_text("Hôpital des Deux-Rives")
    page.get_by_role("link", name="Save this view").click()
    press(page, "Save")
    look(page, "Save this view")
    page.get_by_label("Name of the view").fill("Pour le conseil")
    press(page, "Save")
    look(page, "Saved views")
    row = page.get_by_role("row", name="Pour le conseil")
    row.get_by_role("link", name="Pour le conseil").click()
    look(page, "Comparison of hospitals")
    chosen = page.get_by_label("Figure", exact=True).locator("option:checked")
    expect(chosen).to_have_text("Appointments booked online (R1)")
    page.get_by_role("link", name="Saved views").click()
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Pour le conseil")).to_have_count(0)


def test_what_is_taken_to_the_board(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Figures", exact=True).click()
    page.get_by_role("link", name="Figures to take away").click()
    page.get_by_label("Hospital", exact=True).select_option(label=NORTH)
    press(page, "Filter")
    look(page, "Figures to take away")
    assert _taken(page, "Download as PDF").read_bytes().startswith(b"%PDF-")
    with zipfile.ZipFile(_taken(page, "Download as a workbook")) as book:
        assert "xl/workbook.xml" in book.namelist()
    lines = list(csv.reader(_taken(page, "Download as CSV").read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert len(lines) > 50

    page.get_by_role("link", name="Reports of each month").click()
    row = page.get_by_role("row", name=NORTH).first
    if row.get_by_role("button", name="Stop").count():
        row.get_by_role("button", name="Stop").click()
    row.get_by_role("button", name="Tell me each month").click()
    expect(row).to_contain_text("You are told")
    look(page, "Reports of each month")


def _taken(page: Page, link: str) -> Path:
    with page.expect_download() as arriving:
        page.get_by_role("link", name=link).click()
    return arriving.value.path()
