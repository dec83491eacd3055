"""A general practitioner between two patients, on a telephone without JavaScript: from home to what a unit accepted."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, fill_date, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PHONE = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}


def test_a_practitioner_refers_a_patient_from_a_telephone(visitor: Visitor) -> None:
    page = visitor(**PHONE)
    page.goto("/pro/connexion")
    sign_in(page, "prosanteconnect", "roumillac")
    page.goto("/pro")
    page.get_by_role("link", name="Refer a patient").last.click()
    look(page, "My referrals")
    page.get_by_role("link", name="Refer a patient").last.click()
    look(page, "Who is it about?")
    page.fill("#birth_name", "Vauquelin-Desrosiers")
    page.fill("#first_name", "Ambroise")
    fill_date(page, "birth_on", 4, 11, 1949)
    page.get_by_label("Male", exact=True).check()
    page.get_by_label("Yes, I told them, and they agree").check()
    press(page, "Continue")
    look(page, "What do you need for this patient?")
    page.get_by_label("A consultation").check()
    page.fill("#question", "Dyspnée d’effort depuis trois semaines. Votre avis ?")
    press(page, "Continue")
    look(page, "Which units do you ask?")
    page.get_by_role("button", name="Ask this unit").first.click()
    page.get_by_role("button", name="Add to my list").first.click()
    page.get_by_role("button", name="Sooner").click()
    look(page, "Which units do you ask?")
    page.get_by_role("link", name="Continue").click()
    look(page, "What the unit needs to know")

    page.get_by_label("Tout de suite").check()
    press(page, "Continue")
    expect(page.get_by_text("This cannot be left to a form: call")).to_be_visible()
    assert page.locator("a[href^='tel:']").count() >= 2

    page.get_by_label("Sous 48 heures").check()
    press(page, "Continue")
    look(page, "Check and send")
    press(page, "Send to the unit")
    look(page, "Ambroise VAUQUELIN-DESROSIERS: a consultation")
    expect(page.get_by_text("Answers before")).to_be_visible()
    page.goto("/pro/orientations")
    expect(page.get_by_role("link", name="Ambroise VAUQUELIN-DESROSIERS")).to_be_visible()
