"""A hospital's own words: a message seen as it is read, then changed; a questionnaire tried before it is sent."""

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_message_in_the_hospitals_words(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.goto("/admin/textes")
    look(page, "Messages that the portal sends")
    page.get_by_role("link", name="Your request has arrived").first.click()
    look(page, "Your request has arrived")
    page.get_by_label("Subject").fill("Nous avons votre demande")
    page.get_by_label("Text", exact=True).fill("Bonjour {nom}")
    press(page, "Preview")
    expect(page.get_by_role("alert")).to_contain_text("{nom} does not exist here")
    look(page, "Your request has arrived")
    page.get_by_label("Text", exact=True).fill("Bonjour,\n\nVotre demande {reference} est entre de bonnes mains.")
    press(page, "Preview")
    expect(page.locator("#apercu")).to_contain_text("Votre demande R7K2M9 est entre de bonnes mains.")
    press(page, "Save")
    expect(page.get_by_text("Your words", exact=True)).to_be_visible()
    look(page, "Your request has arrived")
    press(page, "Send it to me")
    expect(page.get_by_text("It is on its way to")).to_be_visible()
    press(page, "Use the portal’s words")
    expect(page.get_by_text("The portal’s words", exact=True).first).to_be_visible()


def test_a_questionnaire_is_tried_before_it_is_sent(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.goto("/admin/questionnaires/modeles")
    page.get_by_role("link", name="Allergies et mobilité").first.click()
    look(page, "Allergies et mobilité")
    press(page, "Make a new version")
    look(page, "Edit: Allergies et mobilité")
    page.locator("form[action$='/dupliquer'] button").first.click()
    press(page, "Take the last change back")
    page.get_by_role("link", name="English").click()
    look(page, "Translation: English")
    press(page, "Save")
    page.get_by_role("link", name="Answer it as a patient").click()
    look(page, "As a patient: Allergies et mobilité")
    page.get_by_label("Yes").first.check()
    press(page, "Continue")
    expect(page.get_by_text("Your answers lead to something more")).to_have_count(0)
    look(page, "As a patient: Allergies et mobilité")
    page.get_by_role("link", name="Allergies et mobilité").first.click()
    page.get_by_role("link", name="What changed between versions").click()
    look(page, "From version 1 to version 2")
