"""Referrals at the hospital: a secretary accepts with a date; the head of a unit sees what is late, and the rules."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_secretary_accepts_with_an_appointment_without_a_script(visitor: Visitor) -> None:
    page = visitor(java_script_enabled=False)
    sign_in(page, "proconnect", "medical-secretary")
    page.goto("/admin/orientations")
    look(page, "Referrals")
    page.get_by_role("link", name="BENOIT Luc").click()
    look(page, "Luc BENOIT")
    page.get_by_role("link", name="Accept and book a time").click()
    look(page, "Accept and book a time")
    page.locator("input[name=slot]").first.check(force=True)
    page.get_by_label("A word to the practitioner").fill("À jeun, avec les derniers résultats.")
    page.get_by_role("button", name="Accept and book").click()
    expect(page.get_by_text("the appointment is booked.")).to_be_visible()
    expect(page.get_by_text("À jeun, avec les derniers résultats.")).to_be_visible()
    page.get_by_role("button", name="Told by letter").click()
    expect(page.get_by_text("Told by letter on")).to_be_visible()


def test_the_head_of_a_unit_looks_at_what_is_late_and_changes_the_rules(visitor: Visitor) -> None:
    page = visitor(viewport={"width": 390, "height": 844})
    sign_in(page, "proconnect", "administrator")
    page.goto("/admin/orientations?bac=late&unite=toutes")
    look(page, "Referrals")
    page.get_by_role("link", name="LEMOINE Geneviève").click()
    expect(page.get_by_text("late by").first).to_be_visible()
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("You have it in charge.")).to_be_visible()
    page.goto("/admin/orientations/offres")
    look(page, "What units take by referral")
    page.get_by_role("link", name="Hospitalisation directe en cardiologie", exact=True).click()
    page.get_by_role("button", name="Add lines").click()
    expect(page.locator("#name")).to_have_value("Hospitalisation directe en cardiologie")
    page.locator("#levels-2-label").fill("Dans la semaine")
    page.locator("#levels-2-answer_hours").fill("120")
    page.get_by_role("button", name="Keep these rules").click()
    expect(page.get_by_text("answered within 120 hours of business days")).to_be_visible()
