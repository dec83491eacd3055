"""A quality manager's morning: what people think of a service, a comment screened, a complaint answered in time, the
month proven."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.test_satisfaction import with_number
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
NORTH = "Centre hospitalier du Val d’Arceau"


def test_opinions_a_complaint_and_their_evidence(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    _reads_what_people_think(page)
    _removes_what_nobody_should_read(page)
    _answers_a_complaint(page)
    _takes_the_evidence(page)


def _reads_what_people_think(page: Page) -> None:
    page.goto("/admin/satisfaction")
    look(page, "What people think of the services")
    results = page.locator("#results")
    expect(results.get_by_role("row", name="Payments")).to_be_visible()
    page.get_by_label("Service").select_option(label="Payments")
    press(page, "Filter")
    expect(page.locator("#opinions tbody tr")).to_have_count(1)
    expect(page.locator("#opinions")).to_contain_text("Le reçu est difficile à retrouver.")
    page.get_by_role("link", name="Figures of satisfaction").click()
    look(page, "Satisfaction")


def _removes_what_nobody_should_read(page: Page) -> None:
    page.goto("/admin/satisfaction")
    page.get_by_role("link", name="Screen the comments").click()
    look(page, "Comments to screen")
    waiting = page.locator("#comments tbody tr").count()
    press(page, "Screen the next one")
    look(page, "Comment about: Documents")
    expect(page.locator("blockquote mark").first).to_be_visible()
    page.get_by_label("Remove it", exact=False).check()
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.get_by_label("Why it is removed").select_option(label="It tells of somebody’s health")
    press(page, "Save")
    look(page, "Comments to screen")
    expect(page.locator("#comments tbody tr")).to_have_count(waiting - 1)


def _answers_a_complaint(page: Page) -> None:
    page.goto("/admin/echeances")
    look(page, "Deadlines")
    page.get_by_label("What", exact=True).select_option(label=with_number(page, "Complaint"))
    press(page, "Filter")
    look(page, "Deadlines")
    line = page.locator("#deadlines tbody tr").first
    expect(line).to_contain_text("days left")
    complaint = line.get_by_role("link")
    reference = complaint.inner_text()
    complaint.click()
    look(page, "Request")
    page.get_by_label("Your message").fill("Bonjour, nous vous présentons nos excuses : l’accueil a été renforcé.")
    page.get_by_label("This is the answer: close the request").check()
    press(page, "Send the message")
    expect(page.locator("main")).to_contain_text("Answered")
    page.goto("/admin/echeances")
    expect(page.get_by_role("link", name=reference)).to_have_count(0)


def _takes_the_evidence(page: Page) -> None:
    page.goto("/admin/chiffres/exports")
    page.get_by_role("combobox", name="Figures").select_option(label="Satisfaction")
    page.get_by_label("Hospital", exact=True).select_option(label=NORTH)
    press(page, "Filter")
    look(page, "Figures to take away")
    expect(page.locator("#shown-figures")).to_contain_text("S1")
    with zipfile.ZipFile(_taken(page, "Evidence for a programme")) as evidence:
        assert evidence.testzip() is None
        assert any(name.endswith(".csv") for name in evidence.namelist()), evidence.namelist()


def _taken(page: Page, link: str) -> Path:
    with page.expect_download() as arriving:
        page.get_by_role("link", name=link).click()
    return arriving.value.path()
