"""A hospital joins the group and receives its first patient: from nothing, by screens only."""

import re

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, choose_late_free_time, fill_date, photo, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NAME = "Hôpital des Trois-Rivières"
FINESS = "990000045"
REASON = "Consultation de dermatologie"
TEXT = "Vos rendez-vous aux Trois-Rivières, en ligne dès l’ouverture."


def test_from_nothing_to_the_first_patient(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "proconnect", "administrator")
    page.get_by_role("link", name="Hospitals", exact=True).click()
    page.get_by_role("link", name="Add a hospital").click()
    _says_who_it_is(page)
    look(page, NAME)
    expect(page.get_by_text("things are missing before it receives anybody")).to_be_visible()

    _gets_its_colour_and_logo(page)
    _gets_its_places(page)
    _names_who_answers_for_data(page)
    _welcomes_its_agents(page)
    _says_why_patients_come(page)
    _opens_an_agenda(page)
    _sets_what_depends_on_the_offer(page)
    _switches_a_service_on(page)

    _to_the_overview(page)
    expect(page.get_by_text("Ready to open", exact=True)).to_be_visible()
    expect(_steps(page).get_by_text("To do", exact=True)).to_have_count(0)
    look(page, NAME)
    _announces_itself(page)
    _a_patient_comes(visitor("en-GB", viewport={"width": 390, "height": 844}))
    stack.work()
    assert "lea.vasseur@trois-rivieres.exemple.test" in stack.mails()


def _says_who_it_is(page: Page) -> None:
    page.get_by_label("FINESS number of the legal entity").fill("75071218X")
    press(page, "Add the hospital")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("FINESS number of the legal entity").fill(FINESS)
    page.get_by_label("Name of the hospital").fill(NAME)
    page.get_by_label("Short name").fill("Trois-Rivières")
    page.get_by_label("Postal address").fill("1 place Haute\n91999 Trois-Rivières")
    page.get_by_label("Telephone of the switchboard").fill("01 99 00 30 00")
    page.get_by_label("Public e-mail address").fill("accueil@trois-rivieres.exemple.test")
    press(page, "Add the hospital")


def _steps(page: Page) -> Locator:
    return page.locator("main .govuk-task-list")


def _to_the_overview(page: Page) -> None:
    page.get_by_role("link", name="Hospitals", exact=True).first.click()
    page.get_by_role("table", name="Hospitals").get_by_role("link", name=NAME).click()
    expect(page.locator("h1")).to_have_text(NAME)


def _step(page: Page, title: str) -> None:
    """From the list of what lacks to the page where it is done."""
    _to_the_overview(page)
    _steps(page).get_by_role("link", name=title).click()
    expect(page.locator("h1")).not_to_have_text(NAME)


def _gets_its_colour_and_logo(page: Page) -> None:
    _steps(page).get_by_role("link", name="Colour and logo").click()
    page.get_by_label("Colour of the hospital").fill("#f0b429")
    press(page, "Try the colour")
    expect(page.get_by_role("row", name="The colour as given")).to_contain_text("Too pale")
    expect(page.get_by_role("row", name="Words of a button")).to_contain_text("Readable")
    page.get_by_label("Colour of the hospital").fill("#9c3d2e")
    picture = FilePayload(name="logo.png", mimeType="image/png", buffer=photo("Trois-Rivières"))
    page.get_by_label("Logo").set_input_files(picture)
    press(page, "Save")
    expect(page.locator("main").get_by_role("img", name=NAME)).to_be_visible()
    look(page, "Colour and logo")


def _gets_its_places(page: Page) -> None:
    page.get_by_role("link", name="Sites, units, practitioners").click()
    page.get_by_role("link", name="Add a site").click()
    page.get_by_label("Name of the site").fill("Site de la place Haute")
    page.get_by_label("FINESS number of the site").fill("990000053")
    page.get_by_label("Address").fill("1 place Haute, 91999 Trois-Rivières")
    page.get_by_label("Town").fill("Trois-Rivières")
    press(page, "Add")
    page.get_by_role("link", name="Add a unit").click()
    page.get_by_label("Name of the unit").fill("Dermatologie")
    page.get_by_label("UF code").fill("3010")
    page.get_by_label("Telephone for patients").fill("01 99 00 30 10")
    press(page, "Add")
    page.get_by_role("link", name="Add a practitioner").click()
    page.get_by_label("Title").select_option(label="Dre")
    page.get_by_label("First name").fill("Anaïs")
    page.get_by_label("Family name").fill("ROUVIÈRE")
    page.get_by_label("RPPS number").fill("10000000090")
    page.get_by_label("Speciality").fill("Dermatologie")
    press(page, "Add")
    look(page, "Sites, units, practitioners")


def _names_who_answers_for_data(page: Page) -> None:
    _step(page, "Data protection officer")
    page.get_by_label("Value").fill("dpo@trois-rivieres.exemple.test")
    press(page, "Save")
    page.get_by_role("link", name="Services", exact=True).click()
    page.get_by_role("link", name="Legal pages").click()
    page.get_by_role("link", name="Personal data – Trois-Rivières").click()
    page.get_by_label("Data controller").fill(f"{NAME}, représenté par sa directrice")
    page.get_by_label("Data protection officer").fill("Me Lucie Harmant")
    page.get_by_label("Their e-mail address").fill("dpo@trois-rivieres.exemple.test")
    press(page, "Publish")


def _welcomes_its_agents(page: Page) -> None:
    _step(page, "Agents")
    page.get_by_role("link", name=f"Hugo Delsarte, {NAME}").click()
    for right in ("Appointments", "Bills", "Documents"):
        page.get_by_role("checkbox", name=right).check()
    press(page, "Save these rights")
    page.get_by_role("link", name="Invite an agent").click()
    page.get_by_label("Professional e-mail").fill("lea.vasseur@trois-rivieres.exemple.test")
    page.get_by_label("Hospital", exact=True).select_option(label=NAME)
    page.get_by_role("checkbox", name="Appointments").check()
    page.get_by_role("radio", name="Pro Santé Connect").check()
    page.get_by_label("National number").fill("10000000777")
    press(page, "Send the invitation")
    look(page, "Link of the invitation")


def _says_why_patients_come(page: Page) -> None:
    _step(page, "Reasons for appointments")
    page.get_by_role("link", name="New reason").click()
    page.get_by_label("Unit", exact=True).select_option(label="Dermatologie – Trois-Rivières")
    page.get_by_label("Name", exact=True).fill(REASON)
    page.get_by_label("Duration, in minutes").fill("20")
    page.get_by_label("What to bring").fill("La lettre de votre médecin.")
    page.get_by_role("checkbox", name="Patients book it online").check()
    press(page, "Save")


def _opens_an_agenda(page: Page) -> None:
    page.get_by_role("link", name="Agendas", exact=True).click()
    page.get_by_label("Unit").select_option(label="Dermatologie")
    press(page, "Filter")
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Practitioner", exact=True).select_option(label="Dre Anaïs ROUVIÈRE")
    page.get_by_label("Day of the week").select_option(label="Wednesday")
    page.get_by_label("Opens at").fill("09:00")
    page.get_by_label("Closes at").fill("17:00")
    page.get_by_role("checkbox", name=REASON).check()
    press(page, "See what changes")
    expect(page.get_by_text("Nothing is changed yet")).to_be_visible()
    press(page, "Publish")
    page.get_by_role("link", name="Agendas", exact=True).first.click()
    page.get_by_role("link", name="Holidays").click()
    page.get_by_text("Change the hours and holidays of Trois-Rivières").click()
    ours = page.locator("main section", has=page.get_by_role("heading", name=NAME))
    ours.get_by_label("Public holidays").select_option(index=1)
    press(page, "Save", within="")


def _sets_what_depends_on_the_offer(page: Page) -> None:
    _step(page, "Secure mailboxes")
    page.get_by_role("link", name="Declare a box").click()
    page.get_by_label("Hospital").select_option(label=NAME)
    page.get_by_label("Address").first.fill("dermatologie@trois-rivieres.mssante.fr")
    press(page, "Declare the box")
    _step(page, "Sources of bills")
    page.get_by_role("link", name="Describe a source").click()
    page.get_by_label("Hospital").select_option(label=NAME)
    page.get_by_label("Code").fill("regie")
    page.get_by_role("radio", name="Régie: bills before the titre").check()
    page.get_by_label("Name", exact=True).fill("Régie des consultations")
    press(page, "Save")


def _switches_a_service_on(page: Page) -> None:
    _step(page, "Services on offer")
    page.get_by_role("table", name=NAME).get_by_role("link", name="Appointments", exact=True).click()
    fill_date(page, "opened_on", 1, 1, 2026)
    page.get_by_role("group", name="Français").get_by_label("In one sentence").fill(TEXT)
    press(page, "Save")
    look(page, "Services on offer")


def _announces_itself(page: Page) -> None:
    page.get_by_role("link", name="Services", exact=True).click()
    page.get_by_role("link", name="Notices", exact=True).click()
    page.get_by_role("link", name="Announce something").click()
    page.get_by_label("Shown for").select_option(label=NAME)
    page.get_by_role("group", name="Français").get_by_label("Title").fill("Les Trois-Rivières ouvrent en ligne")
    press(page, "Publish")


def _a_patient_comes(page: Page) -> None:
    sign_in(page, "franceconnect", "jean-marie")
    page.get_by_role("link", name="Appointments").first.click()
    page.get_by_role("link", name=re.compile("Take an appointment|Book")).first.click()
    page.get_by_label("Speciality, reason or practitioner").fill("dermatologie")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=dermatologie*")  # the page before had the same link
    page.get_by_role("link", name=REASON).click()
    page.wait_for_url("**reason=*")
    if page.get_by_role("heading", name="Who is the appointment for?").is_visible():
        page.get_by_role("link", name="Jean Marie").click()  # another journey let him act for a child
    choose_late_free_time(page)
    press(page, "Continue")
    look(page, "Confirm your appointment")
    press(page, "Confirm the appointment")
    expect(page.get_by_text("1 place Haute")).to_be_visible()
