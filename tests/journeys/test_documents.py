"""Letters reach their patient; units and practitioners write to one another."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, fill_date, photo, press, prove, reference, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_patient_reads_a_letter_takes_its_original_and_sees_who_opened_it(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "dominique")
    page.goto("/documents")
    look(page, "My documents")
    page.get_by_role("link", name="Résultats de biologie").click()
    look(page, "Résultats de biologie")
    expect(page.get_by_role("rowheader", name="Hémoglobine", exact=True)).to_be_visible()
    page.get_by_text("The original for another doctor’s software").click()
    original = download(page, "Download the original")
    assert b"ClinicalDocument" in original

    page.get_by_role("link", name="My documents").first.click()
    page.get_by_role("link", name="Compte rendu de consultation (complété)").click()
    assert download(page, "Download the document").startswith(b"%PDF")

    page.goto("/mon-compte/acces")
    expect(page.get_by_role("row", name=re.compile("You .*downloaded a letter", re.IGNORECASE)).first).to_be_visible()


def download(page: Page, link: str) -> bytes:
    with page.expect_download() as arriving:
        page.get_by_role("link", name=link).click()
    return arriving.value.path().read_bytes()


def test_a_practitioner_writes_to_a_unit_and_reads_its_answer(visitor: Visitor, tmp_path: Path) -> None:
    doctor, secretary = visitor(), visitor()
    doctor.goto("/pro")
    sign_in(doctor, "prosanteconnect", "nevelet")
    doctor.get_by_label("CLINIQUE DES TROIS PONTS").check()
    press(doctor, "Work here")
    look(doctor, "Your exchanges with the hospital")
    doctor.get_by_role("link", name="Send a document to a unit").click()
    look(doctor, "Which unit do you want to write to?")
    doctor.get_by_role("link", name="Chirurgie ambulatoire").click()
    doctor.get_by_label("Document").set_input_files(saved(tmp_path / "courrier.png"))
    press(doctor, "Send to the unit")
    look(doctor, "Send a document to Chirurgie ambulatoire")
    expect(doctor.get_by_text("courrier.png is kept")).to_be_visible()
    doctor.get_by_label("Patient’s birth name").fill("Valmorin")
    doctor.get_by_label("Patient’s first name").fill("Suzanne")
    fill_date(doctor, "birth_on", 17, 5, 1944)
    doctor.get_by_label("Subject").fill("Avis avant chirurgie du genou")
    doctor.get_by_label("Message").fill("Merci de votre avis.")
    press(doctor, "Send to the unit")
    look(doctor, "Your document is sent")
    assert reference(doctor)

    sign_in(secretary, "proconnect", "medical-secretary")
    secretary.goto("/admin/documents")
    secretary.get_by_role("link", name="From practitioners").click()
    look(secretary, "Messages")
    secretary.get_by_role("link", name="Avis avant chirurgie du genou").click()
    look(secretary, "Avis avant chirurgie du genou")
    secretary.get_by_label("Your message").fill("Bonjour, nous la voyons jeudi.")
    press(secretary, "Send the answer")

    doctor.get_by_role("link", name="Follow this exchange").click()
    look(doctor, "Avis avant chirurgie du genou")
    expect(doctor.get_by_text("Bonjour, nous la voyons jeudi.")).to_be_visible()


def saved(path: Path) -> Path:
    path.write_bytes(photo())
    return path


def test_a_secretary_gives_a_letter_to_its_patient(visitor: Visitor, stack: Stack) -> None:
    secretary, patient = visitor(), visitor()
    sign_in(secretary, "proconnect", "medical-secretary")
    secretary.goto("/admin/documents")
    look(secretary, "Letters to sort")
    secretary.get_by_role("link", name="Lettre de sortie de cardiologie").click()
    secretary.get_by_text("Search for somebody else").click()
    secretary.get_by_label("Birth name or name of use").fill("Valmorin")
    fill_date(secretary, "birth_on", 17, 5, 1944)
    press(secretary, "Search")
    look(secretary, "Lettre de sortie de cardiologie")
    secretary.get_by_label("VALMORIN Suzanne Marguerite").check()
    secretary.get_by_label("How do you know it is theirs?").select_option(index=1)
    press(secretary, "File, and stay here")
    expect(secretary.get_by_text("The letter is now in the patient’s documents.")).to_be_visible()

    sign_in(patient, "franceconnect", "suzanne")
    prove(patient, stack)
    patient.goto("/documents")
    patient.get_by_role("link", name="Lettre de sortie de cardiologie").click()
    expect(patient.locator("h1")).to_have_text("Lettre de sortie de cardiologie")
