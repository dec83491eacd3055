"""An agent opens a file in an emergency; the auditor learns it at once and says what they think."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
REASON = "La patiente est aux urgences, inconsciente."


def open_a_file(page: Page) -> None:
    """The billing agent, at night, for Dominique."""
    page.goto("/admin/urgence")
    look(page, "Open a file in an emergency")
    press(page, "Open the file")
    look(page, "Open a file in an emergency")
    expect(page.get_by_role("alert")).to_contain_text("Say in a sentence what happens")
    page.get_by_label("Patient number (IPP)").fill("8000000001")
    page.get_by_label("The patient is being cared for now").check()
    page.get_by_label("What happens").fill(REASON)
    press(page, "Open the file")


def test_is_opened_told_judged_and_seen_by_the_patient(visitor: Visitor, stack: Stack) -> None:
    agent, auditor = visitor(), visitor()
    sign_in(agent, "proconnect", "billing-agent")
    open_a_file(agent)
    # Written as the provider she came by last writes it.
    expect(agent.locator("h1")).to_have_text(re.compile(r"\s*dominique PAT-TROIS\s*", re.IGNORECASE))
    look(agent, agent.locator("h1").inner_text().strip())
    expect(agent.locator("main")).to_contain_text("Opened in an emergency")
    letters = agent.get_by_role("link", name="Lettre de sortie", exact=True)
    expect(letters).to_be_visible()
    address = letters.get_attribute("href") or ""
    assert agent.request.get(address).status == 200
    address = agent.url
    press(agent, "Close this file")
    look(agent, "Open a file in an emergency")
    agent.goto(address)
    look(agent, "This file is not open")

    stack.work()
    assert "A file was opened in an emergency" in stack.mails() or "Un dossier a été ouvert en urgence" in stack.mails()
    assert REASON not in stack.mails()
    judge(auditor)
    done = stack.sql("select action from audit_event where actor_name = 'Odile Maresquier'")
    assert {"emergency.opened", "emergency.looked", "emergency.ended"} <= {action for (action,) in done}


def judge(auditor: Page) -> None:
    sign_in(auditor, "proconnect", "administrator")
    auditor.goto("/admin/urgence/revues")
    look(auditor, "Files opened in an emergency")
    auditor.get_by_role("link", name=re.compile("Odile Maresquier")).first.click()
    look(auditor, "File opened by Odile Maresquier")
    expect(auditor.locator("main")).to_contain_text(REASON)
    expect(auditor.locator("main")).to_contain_text("Opened a document")
    auditor.get_by_label("Justified", exact=True).check()
    auditor.get_by_label("Your comment").fill("Vu avec la cadre de nuit.")
    press(auditor, "Keep this judgement")
    look(auditor, "Files opened in an emergency")
    expect(auditor.locator("#judged")).to_contain_text("Odile Maresquier")


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/admin/agents/matrice", "Matrix of rights"),
        ("/admin/agents/demandes", "Rights to confirm"),
        ("/admin/machines", "Other systems"),
        ("/admin/machines/ajouter", "Let a system in"),
    ],
)
def test_pages_beside_it_hold(visitor: Visitor, address: str, heading: str) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.goto(address)
    look(page, heading)
