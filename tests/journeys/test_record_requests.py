"""Somebody asks the hospital for something from a telephone without scripts, an agent answers, an employer checks."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import Visitor, fill_date, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
HOSPITAL = "Centre hospitalier du Val d’Arceau"


def download(page: Page, link: str) -> bytes:
    with page.expect_download() as arriving:
        page.get_by_role("link", name=link).click()
    return arriving.value.path().read_bytes()


def test_a_certificate_of_presence(visitor: Visitor) -> None:
    patient = visitor(java_script_enabled=False, viewport={"width": 390, "height": 844})
    sign_in(patient, "franceconnect", "dominique")
    patient.goto("/documents/demandes")
    patient.locator("a.app-card__link", has_text="Certificate of presence").click()
    patient.get_by_label(HOSPITAL).check()
    press(patient, "Continue")
    fill_date(patient, "visit_on", 2, 3, 2026)
    patient.get_by_label("From").fill("9h30")
    patient.get_by_label("For whom?").select_option("employer")
    press(patient, "Keep and continue")
    expect(patient.get_by_text("09:30")).to_be_visible()
    press(patient, "Send to the hospital")
    expect(patient.locator("h1")).to_have_text("Your request is sent")
    expect(patient.get_by_text("Answer before the end of").first).to_be_visible()
    patient.get_by_role("link", name="Follow this request").click()
    following = patient.url
    asked = re.search(r"[2-9B-DF-HJ-NP-TV-XZ]{8}", patient.locator("main").inner_text())
    assert asked

    agent = visitor()
    sign_in(agent, "proconnect", "medical-secretary")
    agent.goto("/admin/documents/demandes")
    look(agent, "Requests of patients")
    agent.get_by_label("Reference").fill(asked[0])
    press(agent, "Search")
    look(agent, f"Request {asked[0]}")
    agent.get_by_role("link", name="Check the facts and certify").click()
    agent.get_by_label("I have checked this presence").check()
    press(agent, "Certify and hand over")
    expect(agent.get_by_text("The certificate is issued and handed over.")).to_be_visible()

    patient.goto(following)
    expect(patient.get_by_text("The answer is in your documents")).to_be_visible()

    number = re.search(r"C[2-9B-DF-HJ-NP-TV-XZ]{8}", agent.locator("main").inner_text())
    assert number
    employer = visitor()
    employer.goto("/documents/attestations/verifier")
    look(employer, "Check a certificate of the hospital")
    employer.get_by_label("Number").fill(number[0])
    employer.get_by_label("Verification code").fill("AAAAA-AAAAA")
    press(employer, "Check the document")
    expect(employer.get_by_text("We know no certificate with this number and this code")).to_be_visible()


def test_a_complaint_goes_to_the_management_alone(visitor: Visitor) -> None:
    patient = visitor()
    sign_in(patient, "franceconnect", "jean-marie")
    patient.goto("/documents/demandes")
    look(patient, "My requests to the hospital")
    patient.get_by_role("link", name="Complaint").click()
    patient.get_by_label(HOSPITAL).check()
    press(patient, "Continue")
    press(patient, "Keep and continue")
    look(patient, "Your message")
    patient.get_by_label("What happened?").fill("J’ai attendu deux heures.")
    patient.get_by_label("Do not give my name to the unit").check()
    press(patient, "Keep and continue")
    press(patient, "Send to the hospital")
    patient.get_by_role("link", name="Follow this request").click()
    look(patient, "Complaint")

    secretary = visitor()
    sign_in(secretary, "proconnect", "medical-secretary")
    assert secretary.goto("/admin/usagers/demandes").status == 403  # type: ignore[union-attr]  # a page always answers
    management = visitor()
    sign_in(management, "proconnect", "administrator")
    management.goto("/admin/usagers/demandes")
    look(management, "Complaints and thanks")
    press(management, "Next request to treat")
    expect(management.locator("h1")).to_contain_text("Request")
