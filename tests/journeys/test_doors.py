"""The ways in that patients and agents choose between, through the providers' own pages, and out again."""

import pytest
from playwright.sync_api import expect

from auth.demo_idp.audiences import HOSPITAL
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press, sign_in, sign_out

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_verified_identity_opens_everything_at_once(visitor: Visitor) -> None:
    """FranceConnect+ seals its answer with the keys that it reads from the portal; no code is asked for besides."""
    page = visitor()
    page.goto("/connexion")
    look(page, "Sign in")
    sign_in(page, "franceconnect-plus", "dominique")
    page.goto("/documents")
    expect(page.locator("h1")).to_have_text("My documents")
    page.goto("/mon-compte")
    sign_out(page)
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_a_european_comes_in_with_what_europe_tells_of_them(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "franceconnect-plus", "liisa")
    page.goto("/mon-compte")
    expect(page.locator("main")).to_contain_text("KORVENRANTA")


def test_who_gives_up_at_the_provider_reads_a_page_and_starts_again(visitor: Visitor) -> None:
    page = visitor()
    page.goto("/connexion")
    page.locator("a[href^='/auth/franceconnect-plus/start']").click()
    page.locator("button[name=cancel]").click()
    expect(page.locator("h1")).to_have_text("You are not signed in")
    page.get_by_role("link", name="Try again").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def test_an_administrator_connects_the_hospital_s_directory_and_an_agent_uses_it(
    visitor: Visitor, stack: Stack
) -> None:
    administrator = visitor()
    sign_in(administrator, "proconnect", "administrator")
    for finess in ("990000011", "990000029"):  # this agent has rights at both: both must choose the provider
        administrator.goto(f"/admin/connexion-etablissement/{finess}")
        administrator.get_by_label("What the button says").fill("Mon compte hospitalier")
        administrator.get_by_label("Issuer").fill(HOSPITAL.issuer)
        administrator.get_by_label("Client identifier").fill(stack.environment["PORTAL_PROCONNECT_CLIENT_ID"])
        administrator.get_by_label("Client secret").fill(stack.environment["PORTAL_PROCONNECT_CLIENT_SECRET"])
        administrator.get_by_label("A level (acr), as with Keycloak").check()
        administrator.get_by_label("Accepted values").fill("2")
        administrator.get_by_text("Other settings").click()
        published = stack.environment["PORTAL_PROCONNECT_DISCOVERY_URL"].replace("/proconnect/", "/hospital/")
        administrator.get_by_label("Discovery address").fill(published)
        press(administrator, "Save")
    look(administrator, "The hospital’s own sign-in")
    administrator.get_by_role("button", name="Try it").first.click()
    expect(administrator.get_by_text("The provider answers as it is set up here")).to_be_visible()

    clerk = visitor()
    sign_in(clerk, "hospital", "admissions-clerk")
    expect(clerk.locator("summary.app-account")).to_contain_text("Nadège")
