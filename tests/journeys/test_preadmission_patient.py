"""Three persons prepare a stay: an adult who is operated on, a foreigner without cover, a telephone and no scripts."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, fill_date, photo, press, prove, reference, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Look = Callable[[Page, str], None]
TELEPHONE = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}


def test_an_adult_prepares_an_operation_and_goes_home_with_a_receipt(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    page.goto("/pre-admission")
    look(page, "Prepare my stay")
    page.get_by_role("link", name="Prepare another stay").click()
    press(page, "Save and continue")
    look(page, "Your stay")
    choose_stay(page, "inpatient")

    choose(page, "Your situation", {"accident": "work", "protection": "none"})
    look(page, "You")
    expect(page.get_by_text("PAT-TROIS").first).to_be_visible()
    fill(page, {"phone": "06 39 98 00 01", "street": "4 rue des Lilas"})
    page.locator("#postcode").press_sequentially("97400")
    expect(page.locator("#town")).to_have_value("Saint-Denis")
    press(page, "Save and continue")

    look(page, "Your doctor")
    page.get_by_label("Yes").check()
    fill(page, {"name": "roumillac", "town": "arceau"})
    press(page, "Find my doctor")
    look(page, "Your doctor")
    page.get_by_label("Dr Hélène ROUMILLAC, Médecine générale, Arceau").check()
    press(page, "Save and continue")

    look(page, "Your health cover")
    page.get_by_label("Yes, with the French health insurance").check()
    fill(page, {"nir": "2 79 03 51 215 189 89"})
    page.get_by_label("Yes, a mutuelle").check()
    fill(page, {"amc_name": "Mutuelle de l’Arche", "member_number": "0042 118"})
    look(page, "Your health cover")
    press(page, "Save and continue")

    look(page, "Your accident")
    fill_date(page, "happened_on", 3, 2, date.today().year - 1)
    press(page, "Save and continue")
    look(page, "Your accident")
    fill(page, {"employer": "Ateliers du Pont"})
    press(page, "Save and continue")

    relative(page, look)
    choose(page, "Person of trust", {"wanted": "no"})
    choose(page, "Your days at the hospital", {"room": "shared", "transport": "own"})
    choose(page, "Advance directives", {})
    choose(page, "Your choices", {})

    look(page, "Your documents")
    for document in ("Identity document", "Carte Vitale", "Complementary insurance card", "Work accident form"):
        send_document(page, tmp_path, document)
    look(page, "Your documents")
    page.get_by_role("link", name="Continue").click()
    look(page, "Check and send")
    expect(page.get_by_text("2 79 03 51 215 189 89")).to_be_visible()
    press(page, "Send my file")
    look(page, "Your file has been received")
    assert reference(page)
    page.get_by_role("link", name="See my file").click()
    look(page, "Stay of")


def test_a_foreigner_without_cover_is_received_all_the_same(visitor: Visitor, stack: Stack, tmp_path: Path) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "yacine")
    prove(page, stack)
    page.goto("/pre-admission/nouvelle")
    choose_stay(page, "outpatient")
    choose(page, "Your situation", {"accident": "none", "protection": "none"})
    page.locator("#country").select_option("DZ")
    fill(page, {"phone": "+213 21 99 00 00", "street": "12 rue Didouche", "town": "Alger"})
    page.locator("#interpreter").select_option("ar")
    look(page, "You")
    press(page, "Save and continue")
    choose(page, "Your doctor", {"has_one": "no"})
    page.get_by_label("No, or I do not know").first.check()
    page.get_by_label("No", exact=True).check()
    look(page, "Your health cover")
    press(page, "Save and continue")
    relative(page, look)
    choose(page, "Your choices", {})
    send_document(page, tmp_path, "Identity document")
    page.get_by_role("link", name="Continue").click()
    look(page, "Check and send")
    expect(page.get_by_text("Algeria")).to_be_visible()
    press(page, "Send my file")
    look(page, "Your file has been received")


def test_with_a_telephone_and_without_scripts_everything_is_done_and_taken_up_again(
    visitor: Visitor, tmp_path: Path
) -> None:
    page = visitor(**TELEPHONE)
    sign_in(page, "franceconnect", "jean-marie")
    page.goto("/pre-admission/nouvelle")
    choose_stay(page, "outpatient")
    choose(page, "Your situation", {"accident": "none", "protection": "none"}, glance)
    fill(page, {"phone": "06 39 98 00 05", "postcode": "97400", "street": "8 rue du Puits"})
    press(page, "Find the town")
    expect(page.locator("#town")).to_have_value("Saint-Denis")
    press(page, "Save and come back later")
    glance(page, "Stay of")
    expect(page.get_by_text("The hospital sees nothing until you send your file.")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    choose(page, "Your doctor", {"has_one": "no"}, glance)
    choose(page, "Your health cover", {"amo_kind": "french", "amc_kind": "none"}, glance)
    relative(page, glance)
    choose(page, "Your choices", {}, glance)
    for document in ("Identity document", "Carte Vitale"):
        send_document(page, tmp_path, document)
    page.get_by_role("link", name="Continue").click()
    press(page, "Send my file")
    glance(page, "Your file has been received")


def glance(page: Page, heading: str) -> None:
    """Without scripts nothing can be measured; the page is the right one."""
    expect(page.locator("h1")).to_contain_text(heading)


def fill(page: Page, answers: Mapping[str, str]) -> None:
    for name, value in answers.items():
        page.fill(f"#{name}", value)


def choose(page: Page, heading: str, answers: Mapping[str, str], looking: Look = look) -> None:
    """Tick these answers of the step that has this heading, and go on."""
    looking(page, heading)
    for name, value in answers.items():
        page.check(f"input[name={name}][value={value}]")
    press(page, "Save and continue")


def relative(page: Page, looking: Look) -> None:
    looking(page, "Person to notify")
    fill(page, {"name": "Alix Morel", "phone": "0639980099"})
    page.locator("#link").select_option("sibling")
    press(page, "Save and continue")


def choose_stay(page: Page, kind: str) -> None:
    arrival = date.today() + timedelta(days=30)
    page.get_by_label("Which unit are you expected in?").select_option(label="Chirurgie ambulatoire")
    fill_date(page, "planned_on", arrival.day, arrival.month, arrival.year)
    page.check(f"input[name=stay_kind][value={kind}]")
    press(page, "Save and continue")


def send_document(page: Page, folder: Path, document: str) -> None:
    page.locator("main").get_by_role("link", name=document).click()
    path = folder / f"{document}.png"
    path.write_bytes(photo(document))
    page.locator("input[type=file]").set_input_files(path)
    press(page, "Send this document")
    expect(page.locator("h1")).to_have_text("Your documents")
