"""A patient whose browser runs no script finds, reads, downloads and deposits; a secretary looks at what came."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.walking import Visitor, photo, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_patient_without_scripts_finds_reads_downloads_and_deposits(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor(java_script_enabled=False)
    sign_in(page, "franceconnect", "dominique")
    page.goto("/documents")
    expect(page.locator("main")).not_to_contain_text("anatomopathologie")  # it waits for the consultation

    page.get_by_role("textbox", name="Search in my documents").fill("biologie")
    press(page, "Search")
    page.get_by_role("link", name="Résultats de biologie").click()
    expect(page.get_by_text("Hémoglobine").first).to_be_visible()

    page.goto("/documents?kind=prescription")
    page.get_by_role("link", name="Ordonnance de sortie").click()
    with page.expect_download() as arriving:
        page.get_by_role("link", name="Download the document").click()
    assert arriving.value.path().read_bytes().startswith(b"%PDF")

    page.goto("/documents")
    page.get_by_role("link", name="Send a document").click()
    page.get_by_label("Prescription", exact=True).check()
    page.get_by_role("textbox", name="Its name").fill("Ordonnance de mon médecin")
    page.get_by_role("combobox", name="To whom").select_option(index=1)
    press(page, "Go on to the pages")
    path = tmp_path / "ordonnance.png"
    path.write_bytes(photo())
    page.get_by_label("Your photos or your PDF").set_input_files(path)
    press(page, "Send this document")
    expect(page.get_by_role("heading", name="It has arrived")).to_be_visible()

    secretary = visitor()
    secretary.goto("/admin")
    sign_in(secretary, "proconnect", "medical-secretary")
    secretary.goto("/admin/documents/depots")
    secretary.get_by_role("link", name="Ordonnance de mon médecin", exact=True).click()
    press(secretary, "Accept it")
    page.reload()
    expect(page.get_by_role("heading", name="The hospital has taken it")).to_be_visible()
