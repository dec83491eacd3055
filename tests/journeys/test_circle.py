"""A patient shows a code, a practitioner reads on a telephone, the patient sees it and takes it back."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.walking import press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TELEPHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
HOME = "/mon-compte/cercle-de-soins"


def test_a_code_opens_the_file_until_the_patient_takes_it_back(visitor: Callable[..., Page]) -> None:
    patient, doctor = visitor(), visitor(**TELEPHONE)
    sign_in(patient, "franceconnect", "dominique")
    patient.goto(HOME)
    look(patient, "My circle of care")
    patient.get_by_role("link", name="Show a code in the consultation").click()
    look(patient, "A code to show in the consultation")
    patient.get_by_label("Their role").select_option("doctor")
    patient.get_by_role("radio", name="They treat me").check()
    patient.get_by_role("checkbox", name="Documents of the hospital").check()
    press(patient, "Make a code")
    code = patient.locator(".app-code").inner_text()

    sign_in(doctor, "prosanteconnect", "abrial")
    doctor.goto("/pro/patients")
    look(doctor, "My patients who let me see")
    doctor.goto(f"/pro/patients/code#{code.replace(' ', '')}")
    expect(doctor.get_by_label("Code shown by the patient")).to_have_value(code.replace(" ", ""))
    press(doctor, "See what they let me see")
    look(doctor, "DOMINIQUE PAT-TROIS")
    theirs = doctor.url
    doctor.locator("main a[href*='/documents/']").first.click()
    expect(doctor.get_by_text("The patient sees that you opened this document")).to_be_visible()

    patient.goto(HOME)
    row = patient.get_by_role("row", name="ABRIAL")
    expect(row).to_contain_text("times")
    row.get_by_role("link").click()
    look(patient, "")
    expect(patient.get_by_text("Opened what you let them see")).to_be_visible()
    press(patient, "Remove from my circle")
    expect(patient.get_by_text("No longer in your circle")).to_be_visible()
    refused = doctor.goto(theirs)
    assert refused is not None
    assert refused.status == 404
