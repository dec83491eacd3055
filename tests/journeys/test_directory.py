"""A secretary looks for a practitioner of the country with the keyboard, a letter wrong, and finds the box to write to;
a practitioner does the same on a telephone without scripts."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look, refuse_wider_than
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_secretary_finds_the_box_of_a_practitioner(visitor: Visitor) -> None:
    page = visitor()
    page.goto("/admin")
    sign_in(page, "proconnect", "medical-secretary")
    page.goto("/admin/annuaire")
    look(page, "National directory")
    page.get_by_label("Name or RPPS number").fill("nevelat")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Names that look like it").first).to_be_visible()
    page.get_by_role("link", name="NEVELET Idriss").click()
    look(page, "Docteur Idriss NEVELET")
    expect(page.get_by_text("idriss.nevelet@medecin.mssante.fr", exact=True).first).to_be_visible()

    page.goto("/admin/annuaire/imports")
    page.locator("main table a").last.click()
    expect(page.get_by_text("The RPPS number has not 11 digits.")).to_be_visible()


def test_a_practitioner_finds_a_colleague_without_scripts(visitor: Visitor) -> None:
    page = visitor(java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(page, "prosanteconnect", "roumillac")
    page.goto("/pro/annuaire")
    page.get_by_label("Name or RPPS number").fill("abrial")
    page.get_by_label("Town or postcode").fill("pont")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="ABRIAL Solène").click()
    expect(page.get_by_text("solene.abrial@infirmier.mssante.fr").first).to_be_visible()
    expect(page.get_by_role("button", name="Copy the address")).to_have_count(0)
    refuse_wider_than(page, 390)
