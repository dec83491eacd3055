"""An administrator's day: figures that move, agents and their rights, the journal, the machine."""

import csv

import pytest
from playwright.sync_api import Page, expect

from auth.wording import ACTIONS
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, choose_first_free_time, press, prove, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_booking_moves_the_dashboard(visitor: Visitor, stack: Stack) -> None:
    administrator, patient = visitor(), visitor()
    sign_in(administrator, "proconnect", "administrator")
    look(administrator, "Dashboard")
    before = figure(administrator, "R1")
    sign_in(patient, "franceconnect", "suzanne")
    prove(patient, stack)
    book(patient)
    stack.parvis("kpi", "rebuild")
    administrator.reload()
    assert figure(administrator, "R1") == before + 1


def figure(page: Page, code: str) -> int:
    """The value on the tile of this indicator."""
    tile = page.locator(".app-stat", has=page.get_by_text(code, exact=True))
    return int(tile.locator(".app-stat__value").inner_text().replace(",", ""))


def book(page: Page) -> None:
    page.goto("/rendez-vous/choisir?q=radiographie")
    page.get_by_role("link", name="Radiographie").click()
    choose_first_free_time(page)
    press(page, "Continue")
    press(page, "Confirm the appointment")
    expect(page.locator("h1")).to_have_text("Your appointment is booked")


def test_a_figure_is_a_chart_a_table_and_a_file(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Appointments booked online").click()
    look(page, "Appointments booked online")
    assert page.locator("main figure svg").count() == 1
    rows = page.get_by_role("table", name="Figures by day").last.locator("tbody tr").count()
    with page.expect_download() as arriving:
        page.get_by_role("link", name="Download as CSV").click()
    lines = list(csv.reader(arriving.value.path().read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert len(lines) >= rows > 5


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/admin/agents", "Agents and their rights"),
        ("/admin/agents/inviter", "Invite an agent"),
        ("/admin/journal", "Journal"),
        ("/admin/connecteurs", "Connectors"),
    ],
)
def test_the_rest_of_the_house(visitor: Visitor, address: str, heading: str) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.goto(address)
    look(page, heading)


@pytest.mark.usefixtures("app")  # the rooms say their words when an application is made
def test_the_journal_says_everything_in_words(stack: Stack) -> None:
    """Not a code stays without its words, whatever was done on the portal until now."""
    written = {action for (action,) in stack.sql("select distinct action from audit_event")}
    assert written - set(ACTIONS) == set()
