"""A patient books, takes the appointment to their calendar, and gives it back; the desk does it for those who call."""

import icalendar
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import (
    Visitor,
    choose_first_free_time,
    choose_late_free_time,
    fill_date,
    press,
    prove,
    sign_in,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_from_the_home_page_to_the_calendar_and_back(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    page.goto("/")
    look(page, "Your hospital, from home")
    page.get_by_label("What are you looking for?").fill("maternité")
    page.keyboard.press("Enter")
    look(page, "Search")
    page.get_by_role("link", name="Take an appointment – Dre Salomé AUBERTIN").click()

    look(page, "Choose a consultation")
    page.get_by_role("link", name="Consultation de gynécologie").click()
    press(page, "Continue")
    look(page, "Choose a day and a time")
    expect(page.get_by_text("There is one thing to correct")).to_be_visible()
    choose_late_free_time(page)
    press(page, "Continue")

    look(page, "Sign in")
    sign_in(page, "franceconnect", "yacine")
    look(page, "One more step")
    prove(page, stack)
    look(page, "Your choice")
    press(page, "Keep this time and go on")
    look(page, "Confirm your appointment")
    expect(page.get_by_text("This time is kept for you")).to_be_visible()
    press(page, "Confirm the appointment")

    look(page, "Your appointment is booked")
    event = calendar_event(page)
    assert "gynécologie" not in event.to_ical().decode(), "a calendar is read by others"
    stack.work()
    assert "yacine.ouardali@exemple.test" in stack.mails()
    assert "gynécologie" not in stack.mails(), "so is a mail"

    page.get_by_role("link", name="See my appointments").click()
    look(page, "My appointments")
    page.locator("main .app-card").get_by_role("link").first.click()
    former = page.locator("h1").inner_text()
    page.get_by_role("link", name="Move this appointment").click()
    look(page, "Move this appointment")
    page.get_by_role("link", name="Month at a glance").click()
    look(page, "Move this appointment")
    page.locator(".app-month__link").last.click()
    choose_late_free_time(page)
    press(page, "Move to this time")
    look(page, "Appointment on")
    assert page.locator("h1").inner_text() != former
    page.get_by_role("link", name="Cancel this appointment").click()
    press(page, "Cancel the appointment")
    look(page, "Cancel this appointment")
    page.get_by_label("I no longer need it").check()
    press(page, "Cancel the appointment")
    expect(page.get_by_text("This appointment is cancelled")).to_be_visible()
    look(page, "Appointment on")


def test_on_a_telephone_a_time_is_kept_given_up_and_found_free_again(visitor: Visitor) -> None:
    page = visitor(viewport={"width": 390, "height": 844})
    sign_in(page, "franceconnect", "jean-marie")
    page.goto("/rendez-vous/choisir?order=soonest&q=avant opération")
    look(page, "Choose a consultation")
    page.get_by_role("link", name="Consultation avant opération").first.click()
    look(page, "Choose a day and a time")
    chosen = page.locator(".app-slots__input:visible").last.get_attribute("value")
    choose_late_free_time(page)
    press(page, "Continue")
    look(page, "Confirm your appointment")
    page.go_back()
    page.goto("/rendez-vous")
    page.get_by_role("link", name="Go on with it").click()
    press(page, "Give this time up")
    expect(page.get_by_text("Nothing was booked.")).to_be_visible()
    expect(page.locator(f".app-slots__input[value='{chosen}']")).to_be_attached()


def calendar_event(page: Page) -> icalendar.Event:
    """The one event of the file that the page offers."""
    with page.expect_download() as arriving:
        page.get_by_role("link", name="Add to my calendar").click()
    (event,) = icalendar.Calendar.from_ical(arriving.value.path().read_bytes()).walk("VEVENT")
    return event


def test_an_agent_books_for_somebody_who_calls(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "appointments-agent")
    page.goto("/admin/rendez-vous")
    look(page, "Cardiologie: list of the day")
    page.get_by_role("link", name="Phone appointment").click()
    look(page, "Who is on the phone?")
    page.get_by_label("Hospital").select_option(label="Centre hospitalier du Val d’Arceau")
    page.get_by_label("Birth name").fill("pat-trois")
    fill_date(page, "birth_on", 28, 3, 1979)
    press(page, "Search")
    # A practitioner sent somebody of the same name: the one who gave a telephone number is meant.
    page.get_by_role("row", name="06 39 98 00 01").get_by_role("link", name="DOMINIQUE PAT-TROIS").click()
    choose_reason(page, "Consultation de suivi (20 min)")
    look(page, "Appointment for DOMINIQUE PAT-TROIS")
    take_first_time(page)
    look(page, "Appointment")


def test_an_agent_registers_somebody_whom_the_hospital_does_not_know(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "proconnect", "appointments-agent")
    page.goto("/admin/rendez-vous/nouveau")
    page.get_by_label("Birth name").fill("Keraudren")
    fill_date(page, "birth_on", 2, 2, 1962)
    press(page, "Search")
    expect(page.get_by_text("0 patients found")).to_be_visible()
    page.get_by_role("link", name="Register a new patient").click()
    press(page, "Register and choose a time")
    look(page, "Register a new patient")
    page.get_by_label("Birth name").fill("Keraudren")
    page.get_by_label("First name").fill("Anne")
    fill_date(page, "birth_on", 2, 2, 1962)
    page.get_by_label("Female").check()
    page.get_by_label("Mobile").fill("06 39 98 12 12")
    press(page, "Register and choose a time")
    choose_reason(page, "Bilan de la vue (20 min)")
    take_first_time(page)


def choose_reason(page: Page, reason: str) -> None:
    page.get_by_label("Reason").select_option(label=reason)
    press(page, "Filter")


def take_first_time(page: Page) -> None:
    choose_first_free_time(page)
    page.get_by_role("button", name="Book for").click()
    expect(page.get_by_text("The appointment is booked.")).to_be_visible()
