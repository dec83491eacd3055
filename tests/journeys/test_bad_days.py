"""What goes wrong on a bad day is told clearly, in the visitor's language, and leaves nothing half-written."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.gateways.antivirus.twin import EICAR
from tests.factories.documents import pdf
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, choose_first_free_time, press, prove, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


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

    expect(page.get_by_text("What you had typed is kept.")).to_be_visible()
    sign_in(page, "franceconnect", "dominique")
    look(page, "Person to notify")
    expect(page.get_by_text("Your answers are back")).to_be_visible()
    expect(page.get_by_label("Full name")).to_have_value("Maëlle d’Artemont")
    expect(page.get_by_label("Telephone")).to_have_value("06 39 98 77 66")
    press(page, "Save and continue")
    expect(page.locator("h1")).to_have_text("Person of trust")


def test_a_browser_makes_no_markup_of_text_even_when_a_script_of_ours_is_fooled(visitor: Visitor) -> None:
    """Trusted Types: the policy of every page refuses each of the ways from a text to an element."""
    page = visitor()
    page.goto("/")
    for sink in ("document.body.innerHTML = text", "new DOMParser().parseFromString(text, 'text/html')",
                 "document.body.append(Object.assign(document.createElement('script'), {src: text}))",
                 "setTimeout(text)"):  # fmt: skip
        told = page.evaluate(
            f"(text) => {{ try {{ {sink}; return 'let through' }} catch (refused) {{ return refused.name }} }}", "<b>"
        )
        assert told in ("TypeError", "EvalError"), sink


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
    (before,) = stack.sql("select count(*) from appointment")[0]
    page.get_by_role("button", name="Confirm the appointment").dblclick()
    expect(page.locator("h1")).to_have_text("Your appointment is booked")
    assert stack.sql("select count(*) from appointment") == [(before + 1,)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("ordonnance.pdf", pdf().replace(b"%%EOF", EICAR + b"\n%%EOF"), "This file holds a virus."),
        ("carte.pdf", b"MZ\x90\x00" + bytes(600), "The name of this file does not match what is in it."),
        ("visionneuse.exe", b"MZ\x90\x00" + bytes(600), "We only take photos (JPEG, PNG, HEIC) and PDF documents."),
        ("vide.png", b"", "This file is empty."),
    ],
    ids=("infected", "a program called PDF", "a program", "empty"),
)
def test_a_bad_file_is_refused_with_reasons(
    visitor: Visitor, stack: Stack, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    page.goto(address_of_a_piece(stack))
    send(page, tmp_path / name, content)
    expect(page.locator("[data-app-queue] > li")).to_contain_text(words)


def test_a_file_of_30_megabytes_is_told_from_the_start_and_refused_without_a_broken_connection(
    visitor: Visitor, stack: Stack, tmp_path: Path
) -> None:
    page = visitor("en-GB")
    sign_in(page, "franceconnect", "dominique")
    page.goto(address_of_a_piece(stack))
    heavy = tmp_path / "scan.pdf"
    heavy.write_bytes(b"%PDF-1.7\n" + bytes(30 * 1024 * 1024))
    page.locator("input[type=file]").set_input_files(heavy)
    expect(page.locator("[data-app-queue] > li")).to_contain_text("it will be refused unless it is lighter")
    page.get_by_role("button", name="Send this document").click()
    expect(page.locator("[data-app-queue] > li")).to_contain_text("This file is over 25 MB.")


def address_of_a_piece(stack: Stack) -> str:
    """Where Dominique sends her carte Vitale, for the stay that she prepares."""
    (folder, piece), *_others = stack.sql(
        "select f.id, p.id from preadmission f join piece p on p.folder_id = f.id join patient t on t.id = p.patient_id"
        " where f.state = 'draft' and p.kind = 'health_card' and birth_name = 'PAT-TROIS'"
    )
    return f"/pre-admission/{folder}/pieces/{piece}"


def send(page: Page, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    page.locator("input[type=file]").set_input_files(path)
    expect(page.locator("[data-app-queue] > li")).to_have_count(1)
    page.get_by_role("button", name="Send this document").click()


def test_a_link_without_the_right_opens_nothing(visitor: Visitor, stack: Stack) -> None:
    """Another person's file does not exist for me; another trade's room is closed to me."""
    (other,) = stack.sql("select p.id from preadmission p join patient on patient.id = p.patient_id"
                         " where birth_name = 'VALMORIN' limit 1")[0]  # fmt: skip
    page = visitor()
    page.goto(f"/pre-admission/{other}")
    sign_in(page, "franceconnect", "yacine")
    prove(page, stack)
    look(page, "This page does not exist")
    page.goto("/admin/factures")
    look(page, "This page is not for this account")

    clerk = visitor()
    sign_in(clerk, "proconnect", "admissions-clerk")
    assert clerk.goto("/admin/factures/").status == 403
    assert clerk.goto("/admin/agents").status == 403


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ("unknown-agent", "Your account has no access here yet"),
        ("agent-without-mfa", "A second proof of identity is needed"),
    ],
)
def test_an_agent_who_may_not_come_in_is_told_why(visitor: Visitor, person: str, reason: str) -> None:
    page = visitor()
    sign_in(page, "proconnect", person)
    look(page, reason)
    page.goto("/admin/")
    expect(page.locator("h1")).to_have_text("Hospital staff: sign in")


def test_changing_one_s_mind_at_the_provider_s_is_not_an_error(visitor: Visitor) -> None:
    page = visitor()
    page.goto("/connexion")
    page.locator("a[href^='/auth/franceconnect/start']").click()
    press(page, "Annuler et revenir au portail")
    look(page, "You are not signed in")
