"""A patient says what they think of what they have just done; the hospital reads it first, then its service does."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_patient_answers_one_question_and_the_hospital_screens_what_they_wrote(visitor: Visitor) -> None:
    patient = visitor()
    sign_in(patient, "franceconnect", "dominique")
    patient.goto("/documents")
    patient.get_by_role("link", name="Résultats de biologie").first.click()
    patient.get_by_role("link", name="say whether you are satisfied").click()
    look(patient, "What do you think of it?")
    press(patient, "Send my answer")
    look(patient, "What do you think of it?")
    patient.get_by_label("Dissatisfied", exact=True).check()
    patient.get_by_label("What could be better, or what went well?").fill("Mon cancer est cité, et la page est lente.")
    press(patient, "Send my answer")
    look(patient, "Thank you, your answer is kept")
    patient.goto("/documents")
    patient.get_by_role("link", name="Résultats de biologie").first.click()
    expect(patient.get_by_role("link", name="say whether you are satisfied")).to_have_count(0)

    agent = visitor()
    agent.goto("/admin")
    sign_in(agent, "proconnect", "administrator")
    agent.goto("/admin/echeances")
    look(agent, "Deadlines")
    agent.get_by_label("What", exact=True).select_option(label=with_number(agent, "Comment to screen"))
    press(agent, "Filter")
    agent.get_by_role("link", name="Comment to screen").last.click()
    look(agent, "Comment about:")
    expect(agent.get_by_label("Words that are let through")).to_have_value("Mon […] est cité, et la page est lente.")
    agent.get_by_label("Let it through", exact=False).check()
    agent.get_by_label("Words that are let through").fill("la page est lente.")
    press(agent, "Save")
    look(agent, "Comments to screen")
    agent.goto("/admin/satisfaction")
    look(agent, "What people think of the services")
    expect(agent.locator("#opinions")).to_contain_text("la page est lente.")


def with_number(page: Page, words: str) -> str:
    """The choice of a list that begins with these words and ends with how many there are."""
    return page.locator("option", has_text=re.compile(rf"^{words}")).first.inner_text()
