"""A security officer's week: who opened what, whether the journal is whole, who keeps which right, what went wrong."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from portal import db
from tests.journeys.looking import look
from tests.journeys.walking import Visitor, fill_date, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NORTH = "Centre hospitalier du Val d’Arceau"
PARIS = ZoneInfo("Europe/Paris")


def test_the_journal_by_person_agent_thing_and_day(visitor: Visitor) -> None:
    """Without a script, as on a locked-down computer."""
    page = visitor(java_script_enabled=False)
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Oversight", exact=True).click()
    look(page, "Journal")
    page.get_by_role("link", name="Search by whose file it is").click()
    page.get_by_label("Birth name").fill("pat-trois")
    fill_date(page, "birth_on", 28, 3, 1979)
    press(page, "Search")
    look(page, "Whose file?")
    page.get_by_role("table").get_by_role("link").first.click()
    look(page, "Journal")
    assert "pat-trois" not in page.url.lower()
    lines = page.locator("#journal tbody tr")
    assert lines.count() > 0
    page.locator("#journal").get_by_role("link", name="DOMINIQUE").first.click()
    page.get_by_role("link", name="Look at everything again").first.click()
    page.get_by_label("Action").fill("right.")
    press(page, "Filter")
    expect(page.locator("h1")).to_have_text("Journal")
    page.get_by_role("link", name="Is the journal intact?").click()
    press(page, "Verify now")
    look(page, "Is the journal intact?")


def test_unusual_accesses_and_the_review_of_rights(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Oversight", exact=True).click()
    page.get_by_role("link", name="Unusual accesses", exact=True).click()
    look(page, "Unusual accesses")
    page.get_by_role("table", name="To look at").get_by_role("link").first.click()
    page.get_by_label("It has a good reason").check()
    press(page, "Keep this judgement")
    expect(page.get_by_text("Say why").first).to_be_visible()
    page.get_by_role("textbox", name="Why").fill("Reprise des dossiers du service fermé, à la demande de la direction.")
    press(page, "Keep this judgement")
    expect(page.get_by_role("table", name="Judged lately")).to_contain_text("Reprise des dossiers")
    page.get_by_role("link", name="Administration", exact=True).click()
    page.get_by_role("link", name="Reviews of rights", exact=True).click()
    look(page, "Reviews of rights")


def test_an_incident_and_its_clock(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Oversight", exact=True).click()
    page.get_by_role("link", name="Incidents", exact=True).click()
    look(page, "Incidents")
    page.get_by_role("link", name="Write an incident").click()
    _describe(page)
    look(page, "Clé USB égarée au bureau des entrées")
    expect(page.get_by_text(re.compile("6[5-8] hours are left to tell the CNIL"))).to_be_visible()
    page.get_by_role("link", name="Incidents").last.click()
    expect(page.get_by_role("link", name="Clé USB égarée au bureau des entrées")).to_be_visible()


def _describe(page: Page) -> None:
    page.get_by_label("Hospital").select_option(label=NORTH)
    page.get_by_label("In a few words").fill("Clé USB égarée au bureau des entrées")
    page.get_by_label("What happened").fill("Une clé chiffrée portant des listes de rendez-vous manque depuis hier.")
    page.get_by_label("Known since").fill(f"{db.now().astimezone(PARIS) - timedelta(hours=5):%Y-%m-%dT%H:%M}")
    page.get_by_label("A risk for people: the CNIL must be told").check()
    press(page, "Save")


def test_a_connector_is_closed_and_opened_again(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Administration", exact=True).click()
    page.get_by_role("link", name="Connectors", exact=True).click()
    look(page, "Connectors")
    doors = page.get_by_role("table", name="Doors, as all the processes have seen them in a day")
    doors.get_by_role("link").first.click()
    name = page.locator("h1").inner_text()
    page.get_by_label("Why it is closed").fill("Changement de certificat")
    press(page, "Close this connector")
    expect(page.get_by_text("This connector is closed")).to_be_visible()
    look(page, name)
    press(page, "Open again")
    expect(page.get_by_text("This connector is closed")).to_have_count(0)
