"""What goes wrong on a bad day is told clearly, in the visitor's language, and leaves nothing half-written."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import choose_first_free_time, photo, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
Visitor = Callable[..., Page]
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless file that every antivirus recognises (eicar.org)."""


def test_a_session_that_ends_in_the_middle_of_a_form_loses_no_word(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    open_draft(page)
    page.get_by_role("link", name="Person to notify").click()
    page.get_by_label("Full name").fill("Maëlle d’Artemont")
    page.get_by_label("Who are they to you?").select_option(label="Friend or neighbour")
    page.get_by_label("Telephone").fill("06 39 98 77 66")
    end_sessions_of(stack, "DOMINIQUE PAT-TROIS")
    press(page, "Save and continue")

    look(page, "Sign in")
    expect(page.get_by_text("What you had typed is kept.")).to_be_visible()
    sign_in(page, "franceconnect", "dominique")
    look(page, "Person to notify")
    expect(page.get_by_text("Your answers are back")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Maëlle d’Artemont")
    expect(page.get_by_label("Telephone")).to_have_value("06 39 98 77 66")
    press(page, "Save and continue")
    expect(page.locator("h1")).to_have_text("Your documents")


def open_draft(page: Page) -> None:
    page.goto("/pre-admission")
    page.locator(".app-card", has_text="Draft").get_by_role("link").first.click()


def end_sessions_of(stack: Stack, name: str) -> None:
    """As if half an hour had passed."""
    stack.sql(
        "update web_session set last_seen_at = now() - interval '1 day', expires_at = now() - interval '1 hour'"
        " from account where account.id = web_session.account_id and account.name = %s",
        name,
    )


def test_a_double_click_books_once(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "jean-marie")
    page.goto("/rendez-vous/choisir?q=avant opération")
    page.get_by_role("link", name="Consultation avant opération").click()
    choose_first_free_time(page)
    press(page, "Continue")
    page.get_by_role("button", name="Confirm the appointment").dblclick()
    look(page, "Your appointment is booked")
    page.go_back()
    page.goto("/rendez-vous")
    assert page.locator("main .app-card", has_text="Consultation avant opération").count() == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ordonnance.pdf", EICAR, "This file holds a virus."),
        ("carte.pdf", b"MZ\x90\x00" + bytes(600), "We only take photos (JPEG or PNG) and PDF documents."),
        ("carte.pdf", photo(), "The name of this file does not match what is in it."),
        ("vide.png", b"", "This file is empty."),
    ],
    ids=("infected", "a program in disguise", "a photo called PDF", "empty"),
)
def test_a_bad_file_is_refused_with_reasons(
    visitor: Visitor, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    to_send_a_piece(page, "Carte Vitale")
    (tmp_path / name).write_bytes(content)
    page.get_by_label("Your file").set_input_files(tmp_path / name)
    press(page, "Send this document")
    look(page, "Carte Vitale")
    expect(page.locator(".govuk-error-summary")).to_contain_text(words)


def test_a_file_of_30_megabytes_gets_a_page_and_not_a_broken_connection(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor("fr-FR")
    sign_in(page, "franceconnect", "dominique")
    to_send_a_piece(page, "Carte Vitale")
    (tmp_path / "scan.pdf").write_bytes(b"%PDF-1.7\n" + bytes(30 * 1024 * 1024))
    page.locator("input[type=file]").set_input_files(tmp_path / "scan.pdf")
    with page.expect_navigation() as answer:
        page.locator("main form button[type=submit]").click()
    assert answer.value.status == 413
    look(page, "Ce fichier est trop")


def to_send_a_piece(page: Page, piece: str) -> None:
    open_draft(page)
    page.get_by_role("link", name="Your documents").or_(page.locator("a[href$='/pieces']")).first.click()
    page.locator("main").get_by_role("link", name=piece).click()


def test_a_link_without_the_right_opens_nothing(visitor: Visitor, stack: Stack) -> None:
    """Another person's file does not exist for me; another trade's room is closed to me."""
    (other,) = stack.sql("select p.id from preadmission p join patient on patient.id = p.patient_id"
                         " where birth_name = 'VALMORIN' limit 1")[0]  # fmt: skip
    page = visitor()
    page.goto(f"/pre-admission/{other}")
    look(page, "Sign in")
    sign_in(page, "franceconnect", "yacine")
    look(page, "This page does not exist")
    page.goto("/admin/factures")
    look(page, "You do not have access to this page")

    clerk = visitor()
    sign_in(clerk, "proconnect", "admissions-clerk")
    assert clerk.goto("/admin/factures/").status == 403
    assert clerk.goto("/admin/agents").status == 403


@pytest.mark.parametrize(("person", "reason"), [("unknown-agent", ""), ("agent-without-mfa", "")])
def test_an_agent_who_may_not_come_in_is_told_why(visitor: Visitor, person: str, reason: str) -> None:
    page = visitor()
    sign_in(page, "proconnect", person)
    look(page, reason)
    page.goto("/admin/")
    look(page, "Hospital staff: sign in")


def test_changing_one_s_mind_at_the_provider_s_is_not_an_error(visitor: Visitor) -> None:
    page = visitor()
    page.goto("/connexion")
    page.locator("a[href^='/auth/franceconnect/start']").click()
    press(page, "Annuler et revenir au portail")
    look(page, "")
