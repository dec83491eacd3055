"""A patient prepares a stay from home; the admissions office answers, by keyboard."""

from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, eventually, photo, press, prove, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
_SHOWN = """() => { const shown = document.querySelector(".app-viewer img");
  return Boolean(shown) && shown.complete && shown.naturalWidth > 0 }"""


def test_a_refused_piece_is_asked_for_again_and_the_patient_goes_straight_to_the_ward(
    visitor: Visitor, stack: Stack, tmp_path: Path
) -> None:
    clerk, patient = visitor(), visitor()
    sign_in(clerk, "proconnect", "admissions-clerk")
    open_file_of(clerk, "OUARDALI Yacine")
    see_document(clerk)
    refuse_by_keyboard(clerk, "Unreadable")
    turn_to_next_document(clerk)
    see_document(clerk)
    clerk.keyboard.press("a")
    expect(clerk.get_by_text("Document accepted.")).to_be_visible()
    ask_by_keyboard(clerk)

    sign_in(patient, "franceconnect", "yacine")
    prove(patient, stack)
    patient.goto("/pre-admission")
    patient.locator(".app-card", has_text="To complete").get_by_role("link").click()
    look(patient, "Stay of")
    expect(patient.get_by_text("We cannot read it: it is blurred")).to_be_visible()
    expect(patient.get_by_text("The whole card, please.")).to_be_visible()
    for piece in ("Identity document", "Complementary insurance card"):
        send_again(patient, piece, tmp_path)
    expect(patient.get_by_text("Everything is back with the hospital")).to_be_visible()

    clerk.goto(clerk.url)
    judge_what_came_back(clerk)
    patient.reload()
    expect(patient.get_by_text("Your file is accepted: go straight to the ward")).to_be_visible()
    look(patient, "Stay of")


def test_the_tray_is_worked_through_by_keyboard_and_its_pages_are_sound(visitor: Visitor) -> None:
    clerk = visitor()
    sign_in(clerk, "proconnect", "admissions-clerk")
    clerk.goto("/admin/pre-admissions")
    look(clerk, "Pre-admissions")
    for key in ("j", "x", "j", "x"):
        clerk.keyboard.press(key)
    assert clerk.locator("input[name=files]:checked").count() == 2
    clerk.keyboard.press("t")
    look(clerk, "What became of the files ticked")
    expect(clerk.get_by_text("Yours now.")).to_have_count(2)
    clerk.keyboard.press("n")
    clerk.wait_for_url("**/admin/pre-admissions/*-*")
    clerk.keyboard.press("?")
    expect(clerk.get_by_text("next file to treat", exact=True)).to_be_visible()
    press(clerk, "Turn these keys off")
    address = clerk.url
    clerk.keyboard.press("n")
    assert clerk.url == address
    press(clerk, "Turn these keys on")
    for path, heading in (
        ("/attendus", "Expected admissions"),
        ("/chiffres", "Figures of the admissions office"),
        ("/nouvelle", "Enter a file for somebody"),
    ):
        clerk.goto(f"/admin/pre-admissions{path}")
        look(clerk, heading)


def open_file_of(clerk: Page, name: str) -> None:
    clerk.goto("/admin/pre-admissions")
    look(clerk, "Pre-admissions")
    clerk.get_by_role("link", name=name).click()
    look(clerk, "Yacine OUARDALI")


def turn_to_next_document(clerk: Page) -> None:
    """By its key; the one that is left shows a picture too, so the next must have come before anybody looks."""
    left = clerk.url
    clerk.keyboard.press("p")
    clerk.wait_for_url(lambda address: address != left)


def see_document(clerk: Page) -> None:
    """The worker makes the copy that people look at."""
    eventually(clerk, lambda: _is_shown(clerk))


def _is_shown(clerk: Page) -> bool:
    try:
        return bool(clerk.evaluate(_SHOWN))
    except Error:  # the page was coming back by itself at that very moment
        return False


def refuse_by_keyboard(clerk: Page, reason: str) -> None:
    clerk.keyboard.press("f")
    assert clerk.evaluate("document.activeElement.id") == "refuse-reason"
    clerk.keyboard.type(reason)
    clerk.get_by_role("button", name="Refuse the document").press("Enter")
    expect(clerk.get_by_text("Document refused.")).to_be_visible()


def ask_by_keyboard(clerk: Page) -> None:
    clerk.keyboard.press("d")
    look(clerk, "Ask for what is missing")
    clerk.locator("#message").fill("The whole card, please.")
    press(clerk, "Preview")
    look(clerk, "Ask for what is missing")
    press(clerk, "Send to the patient")
    expect(clerk.get_by_text("The patient has been told, in one message.")).to_be_visible()


def send_again(patient: Page, piece: str, tmp_path: Path) -> None:
    card = tmp_path / "card.png"
    card.write_bytes(photo(piece))
    patient.locator("main").get_by_role("link", name=piece, exact=True).click()
    patient.locator("input[type=file]").set_input_files(card)
    press(patient, "Send this document")


def judge_what_came_back(clerk: Page) -> None:
    """Accept one by one with the same key, then the file."""
    for _document in range(2):
        accept = clerk.get_by_role("button", name="Accept the document")
        eventually(clerk, accept.is_visible)
        clerk.keyboard.press("a")
        expect(clerk.get_by_text("Document accepted.")).to_be_visible()
        clerk.goto(clerk.url.partition("?")[0])
    clerk.keyboard.press("v")
    expect(clerk.get_by_text("The patient goes straight to the ward.")).to_be_visible()
