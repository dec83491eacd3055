"""A patient prepares a stay from home; the admissions office answers."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, eventually, photo, press, prove, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


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
