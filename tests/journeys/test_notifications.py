"""A general practitioner wants to be told once a day; an agent reads what waits in their units."""

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PHONE = {"width": 390, "height": 844}


def test_a_practitioner_on_a_telephone_is_told_once_a_day(visitor: Visitor) -> None:
    doctor = visitor()
    doctor.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a viewport
    doctor.goto("/pro/connexion")
    sign_in(doctor, "prosanteconnect", "abrial")
    doctor.goto("/mon-compte")
    doctor.get_by_role("link", name="How I am told").click()
    look(doctor, "How I am told")
    _choose(doctor, "Messages, By MSSanté", "Once a day")
    press(doctor, "Keep these choices")
    expect(doctor.get_by_text("Your choices are kept.")).to_be_visible()
    expect(doctor.get_by_label("Messages, By MSSanté")).to_have_value("daily")
    look(doctor, "How I am told")


def test_an_agent_reads_what_waits_in_their_units(visitor: Visitor) -> None:
    agent = visitor()
    agent.goto("/admin/connexion")
    sign_in(agent, "proconnect", "medical-secretary")
    agent.get_by_role("link", name="What waits").first.click()
    look(agent, "What waits")
    agent.get_by_role("link", name="Letters to sort").first.click()
    look(agent, "Letters to sort")


def _choose(page: Page, label: str, choice: str) -> None:
    page.get_by_label(label).select_option(label=choice)
