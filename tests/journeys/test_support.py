"""A person calls: the agent sees their screens by their code, and reads nothing that is theirs; the person ends it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, fill_date, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LETTER = "Résultats de biologie"
HIDDEN = "•••••"
_USABLE = """() => [...document.querySelectorAll("main button, main input, main select, main textarea, form")]
  .filter((each) => !each.disabled && !each.closest("[aria-label='Support mode']")).map((each) => each.outerHTML)"""


def test_a_person_is_helped_by_telephone(visitor: Visitor) -> None:
    person, agent = visitor(), visitor()
    sign_in(person, "franceconnect", "dominique")
    person.goto("/documents")
    expect(person.get_by_text(LETTER).first).to_be_visible()
    sign_in(agent, "proconnect", "administrator")
    agent.get_by_role("link", name="User support", exact=True).click()
    _finds_whose_screens(agent)
    _says_why(agent)
    _types_the_code_read_out(person, agent)

    _refuse_what_can_be_used(agent)
    look(agent, "")
    agent.locator("main").get_by_role("link", name="Mes documents").click()
    expect(agent.locator("main")).to_contain_text(HIDDEN)
    assert LETTER not in agent.content()
    _refuse_what_can_be_used(agent)
    look(agent, "")
    screen = agent.url
    assert agent.request.post(screen).status == 405

    person.reload()
    expect(person.get_by_text("An agent sees your screens")).to_be_visible()
    look(person, "Who opened my file")
    press(person, "End it now")
    expect(person.get_by_text("No agent sees your screens any more.")).to_be_visible()
    person.get_by_role("link", name="Who opened my file").click()
    expect(person.locator("#access")).to_contain_text("Began to see your screens, without their contents")
    agent.goto(screen)
    look(agent, "This is over")
    expect(agent.get_by_text("The person ended it.")).to_be_visible()


def _finds_whose_screens(agent: Page) -> None:
    look(agent, "Whose screens?")
    agent.get_by_label("Hospital").select_option(label="Centre hospitalier du Val d’Arceau")
    agent.get_by_label("Birth name").fill("pat-trois")
    fill_date(agent, "birth_on", 28, 3, 1979)
    press(agent, "Search")
    look(agent, "Whose screens?")
    assert "pat-trois" not in agent.url.lower()
    agent.get_by_role("table", name="Patients found").get_by_role("link").first.click()


def _says_why(agent: Page) -> None:
    press(agent, "Continue")
    look(agent, "See somebody’s screens")
    expect(agent.get_by_role("alert")).to_contain_text("Choose why")
    agent.get_by_label("The person does not find something").check()
    agent.get_by_label("What happens").fill("Elle ne retrouve pas ses résultats d’analyse.")
    agent.get_by_label("Yes, they are on the phone now").check()
    press(agent, "Continue")
    look(agent, "The person’s code")


def _types_the_code_read_out(person: Page, agent: Page) -> None:
    person.goto("/mon-compte/acces")
    asking = person.locator(".app-notice", has_text="An agent wants to see your screens")
    code = asking.locator("strong").inner_text()
    assert re.fullmatch(r"\d{3} \d{3}", code)
    look(person, "Who opened my file")
    agent.get_by_label("Code").fill("000000" if code != "000 000" else "111111")
    press(agent, "See the screens")
    expect(agent.get_by_role("alert")).to_contain_text("This is not the code")
    agent.get_by_label("Code").fill(code)
    press(agent, "See the screens")
    expect(agent.get_by_role("region", name="Support mode")).to_contain_text("minutes are left")


def _refuse_what_can_be_used(agent: Page) -> None:
    """Nothing on a screen can be done, but for ending it."""
    usable = agent.evaluate(_USABLE)
    assert not usable, usable
