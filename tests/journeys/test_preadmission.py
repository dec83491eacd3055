"""A patient prepares a stay from home; the admissions office answers."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, eventually, fill_date, photo, press, prove, reference, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_patient_prepares_a_stay_and_gets_a_numbered_receipt(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    page.goto("/pre-admission")
    look(page, "Prepare my stay")
    page.get_by_role("link", name="Prepare another stay").click()
    press(page, "Save and continue")
    look(page, "Your stay")
    choose_stay(page)

    look(page, "You")
    expect(page.get_by_text("PAT-TROIS").first).to_be_visible()
    page.get_by_label("Telephone").fill("06 39 98 00 01")
    page.get_by_label("Postal address").fill("4 rue des Lilas\n91990 Arceau")
    press(page, "Save and continue")

    page.get_by_label("Yes, with the French health insurance").check()
    page.get_by_label("Social security number").fill("2 79 03 51 215 189 89")
    page.get_by_label("Yes, a mutuelle").check()
    page.get_by_label("Name of your mutuelle").fill("Mutuelle de l’Arche")
    look(page, "Your health cover")
    press(page, "Save and continue")

    look(page, "Person to notify")
    page.get_by_label("Full name").fill("Alix Morel")
    page.get_by_label("Who are they to you?").select_option(label="Sister or brother")
    page.get_by_label("Telephone").fill("0639980099")
    press(page, "Save and continue")

    look(page, "Your documents")
    page.locator("main").get_by_role("link", name="Identity document").click()
    press(page, "Send this document")
    look(page, "Identity document")
    send_file(page, tmp_path / "carte-d-identite.png", photo())
    page.locator("main").get_by_role("link", name="Carte Vitale").click()
    send_file(page, tmp_path / "carte-vitale.png", photo())
    page.get_by_role("link", name="Continue").click()

    look(page, "Check and send")
    press(page, "Send my file")
    look(page, "Your file has been received")
    assert reference(page)


def choose_stay(page: Page) -> None:
    arrival = date.today() + timedelta(days=30)
    page.get_by_label("Which unit are you expected in?").select_option(label="Chirurgie ambulatoire")
    fill_date(page, "planned_on", arrival.day, arrival.month, arrival.year)
    page.get_by_label("A day at the hospital").check()
    press(page, "Save and continue")


def send_file(page: Page, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    page.get_by_label("Your file").set_input_files(path)
    press(page, "Send this document")
    expect(page.get_by_text("Your document has arrived.")).to_be_visible()


def test_a_refused_piece_is_asked_for_again_and_the_patient_goes_straight_to_the_ward(
    visitor: Visitor, stack: Stack, tmp_path: Path
) -> None:
    clerk, patient = visitor(), visitor()
    sign_in(clerk, "proconnect", "admissions-clerk")
    open_tray(clerk)
    clerk.get_by_role("link", name="OUARDALI Yacine").click()
    look(clerk, "Yacine OUARDALI")
    with clerk.expect_popup() as opened:
        clerk.get_by_role("link", name="carte-d-identite.png (opens in a new tab)").click()
    assert opened.value.evaluate("document.contentType") == "image/png"

    refuse(clerk, "Identity document", "Unreadable")
    press(clerk, "Accept", within="Carte Vitale")
    send_back(clerk)

    sign_in(patient, "franceconnect", "yacine")
    prove(patient, stack)
    patient.goto("/pre-admission")
    patient.locator(".app-card", has_text="To complete").get_by_role("link").click()
    look(patient, "Stay of")
    expect(patient.get_by_text("We cannot read it: it is blurred")).to_be_visible()
    patient.locator("main").get_by_role("link", name="Identity document").click()
    patient.get_by_label("Your file").set_input_files(saved(tmp_path / "recto-verso.png", photo()))
    press(patient, "Send this document")
    expect(patient.get_by_text("Everything is back with the hospital")).to_be_visible()

    clerk.reload()
    eventually(clerk, lambda: piece_card(clerk, "Identity document").get_by_role("button", name="Accept").is_visible())
    press(clerk, "Accept", within="Identity document")
    press(clerk, "Will be shown on the day", within="Complementary insurance card")
    press(clerk, "Accept the file")
    expect(clerk.get_by_text("The patient goes straight to the ward.")).to_be_visible()

    patient.reload()
    expect(patient.get_by_text("Your file is accepted: go straight to the ward")).to_be_visible()
    look(patient, "Stay of")


def open_tray(clerk: Page) -> None:
    clerk.goto("/admin/pre-admissions")
    look(clerk, "Pre-admissions")


def piece_card(clerk: Page, piece: str):
    return clerk.locator(".app-card", has=clerk.get_by_role("heading", name=piece))


def refuse(clerk: Page, piece: str, reason: str) -> None:
    card = piece_card(clerk, piece)
    card.get_by_text("Refuse this document").click()
    card.get_by_label("Reason").select_option(label=reason)
    card.get_by_role("button", name="Refuse").click()


def send_back(clerk: Page) -> None:
    clerk.get_by_text("Ask for documents again").click()
    press(clerk, "Send back to the patient")


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
