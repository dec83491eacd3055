"""One's own account: children, languages, leaving for good."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, prove, sign_in, sign_out

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_mother_acts_for_her_child(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "camille")
    page.goto("/mon-compte")
    page.get_by_role("button", name="Act for Zoé").click()
    expect(page.locator(".app-people__one", has_text="Zoé").get_by_text("You act for this person")).to_be_visible()
    look(page, "My account")
    page.goto("/factures")
    expect(page.locator("main")).to_contain_text("18.90")
    page.goto("/rendez-vous")
    expect(page.get_by_text("Zoé LORMEVAL").first).to_be_visible()


def test_the_language_changes_and_the_page_stays(visitor: Visitor) -> None:
    page = visitor("fr-FR")
    page.goto("/rendez-vous/choisir?q=cardiologie")
    page.locator("details.app-menu summary").first.click()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_label("Speciality, reason or practitioner")).to_have_value("cardiologie")
    page.goto("/")
    assert page.locator("html").get_attribute("lang") == "en"


def test_who_leaves_has_left(visitor: Visitor, stack: Stack) -> None:
    """Neither the back button nor the address shows anything of the person who left."""
    page = visitor()
    sign_in(page, "franceconnect", "suzanne")
    prove(page, stack)
    page.goto("/factures")
    page.goto("/mon-compte")
    sign_out(page)
    expect(page).to_have_title("Your hospital, from home – Parvis")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    for _page in range(3):
        page.go_back()
        expect(page.locator("body")).not_to_contain_text("VALMORIN")
    page.goto("/mon-compte")
    expect(page.locator("h1")).to_have_text("Sign in")
