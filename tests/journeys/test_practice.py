"""Practitioners at work: a locum says where she is today; a secretary acts for a doctor until it is withdrawn."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def band(page: Page, text: str) -> None:
    expect(page.locator(".app-band", has_text=text)).to_be_visible()


def test_a_locum_of_three_sites_says_where_she_works_today(visitor: Visitor) -> None:
    locum = visitor()
    locum.goto("/pro/envoyer")
    sign_in(locum, "prosanteconnect", "vauquelin")
    look(locum, "Where do you work today?")
    expect(locum.get_by_role("radio")).to_have_count(3)
    press(locum, "Work here")
    expect(locum.locator(".govuk-error-summary")).to_contain_text("Choose where you work today.")
    locum.get_by_label("MAISON DE SANTÉ DES ÉCLUSES").check()
    press(locum, "Work here")
    look(locum, "Which unit do you want to write to?")
    band(locum, "You work at: MAISON DE SANTÉ DES ÉCLUSES")
    locum.get_by_role("link", name="Change site").click()
    locum.get_by_label("CABINET DU DR ROUMILLAC").check()
    press(locum, "Work here")
    look(locum, "Your exchanges with the hospital")
    band(locum, "You work at: CABINET DU DR ROUMILLAC")


def test_a_secretary_acts_for_a_doctor_until_it_is_withdrawn(visitor: Visitor) -> None:
    doctor, secretary = visitor(), visitor()
    for page, person in ((doctor, "abrial"), (secretary, "quesnoy")):
        page.goto("/pro/connexion")
        sign_in(page, "prosanteconnect", person)
        page.goto("/pro/delegations")
        look(page, "Delegations")
    press(secretary, "Ask for a code to read out")
    look(secretary, "Delegations")
    code = secretary.locator(".app-notice .govuk-heading-l").inner_text().split(":")[-1].strip()
    doctor.get_by_role("link", name="Let somebody act in my stead").click()
    look(doctor, "Let somebody act in your stead")
    doctor.get_by_label("Code read out by this person").fill(code.lower())
    press(doctor, "Let this person act in my stead")
    expect(doctor.get_by_text("Maud QUESNOY may now act in your stead.")).to_be_visible()

    secretary.goto("/pro")
    expect(secretary.get_by_text("Solène ABRIAL lets you act in their stead")).to_be_visible()
    secretary.goto("/pro/delegations")
    press(secretary, "Act for Solène ABRIAL")
    look(secretary, "Your exchanges with the hospital")
    band(secretary, "You act for Solène ABRIAL")
    secretary.goto("/pro/envoyer")
    secretary.get_by_role("link", name="Chirurgie ambulatoire").click()

    doctor.goto("/pro/delegations")
    press(doctor, "Withdraw at once", within="Maud QUESNOY")
    expect(doctor.get_by_text("Maud QUESNOY may no longer act in your stead, from now on.")).to_be_visible()

    press(secretary, "Send to the unit")
    expect(secretary.get_by_text("You may no longer act for this practitioner: nothing was sent.")).to_be_visible()
    look(secretary, "Delegations")
    expect(secretary.locator(".app-band--strong")).to_have_count(0)
