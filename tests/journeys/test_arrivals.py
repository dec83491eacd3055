"""In the hall: how long one waits in the emergency department, and a terminal that tells the unit that one is there."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from portal import db
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_nurse_says_how_long_one_waits_and_everybody_reads_it(visitor: Visitor) -> None:
    nurse = visitor(viewport={"width": 390, "height": 844})
    sign_in(nurse, "proconnect", "administrator")
    nurse.goto("/admin/attente-aux-urgences")
    nurse.get_by_role("link", name="Say how it stands").first.click()
    look(nurse, "Urgences adultes")
    nurse.get_by_label("Very busy").check()
    nurse.get_by_label("1 to 2 hours").check()
    nurse.fill("#waiting", "37")
    nurse.get_by_role("button", name="Publish now").click()
    look(nurse, "Waiting in the emergency departments")
    page = visitor()
    page.goto("/")
    page.get_by_role("link", name="Waiting in the emergency departments").click()
    look(page, "Waiting in the emergency departments")
    expect(page.get_by_text("37 people are waiting")).to_be_visible()
    page.get_by_role("link", name=re.compile("Arceau alone")).click()
    page.get_by_role("link", name="For a screen on a wall").click()
    look(page, "Waiting in the emergency departments")


def test_somebody_says_at_a_terminal_that_they_are_there(visitor: Visitor, stack: Stack) -> None:
    admin, screen = visitor(), visitor()
    sign_in(admin, "proconnect", "administrator")
    put_in_service(admin, screen)
    reference, unit_id, day, month = expected_now(stack)
    screen.locator("#code").fill(reference.lower())
    screen.keyboard.press("Enter")
    look(screen, "Your birthday")
    touch(screen, "day", day)
    touch(screen, "month", month)
    press(screen, "I am here")
    look(screen, "The unit knows that you are here")
    expect(screen.get_by_role("link", name="Done")).to_be_visible()
    admin.goto(f"/admin/rendez-vous/arrivees?unit={unit_id}")
    expect(admin.get_by_text("At a terminal", exact=True)).to_be_visible()
    look(admin, "Cardiologie: who is there")
    screen.get_by_role("link", name="Done").click()
    expect(screen.locator("h1")).to_be_visible()


def put_in_service(admin: Page, screen: Page) -> None:
    admin.goto("/admin/bornes")
    look(admin, "Terminals of the halls")
    admin.get_by_role("link", name="Add a terminal").click()
    look(admin, "Add a terminal")
    admin.fill("#name", "Hall du bâtiment B")
    press(admin, "Save and get its code")
    look(admin, "Code of the terminal")
    screen.goto("/borne")
    look(screen, "Put this terminal in service")
    screen.fill("#code", admin.locator(".app-receipt__reference strong").inner_text())
    press(screen, "Put it in service")
    screen.get_by_role("link", name="English").click()
    look(screen, "Say that you are here")


def expected_now(stack: Stack) -> tuple[str, UUID, int, int]:
    """Somebody of cardiology is expected within minutes of this very day, whatever the clock says."""
    now = db.now()
    ((appointment_id, reference, unit_id, tz, born),) = stack.sql(
        "select a.id, a.reference, a.unit_id, e.time_zone, p.birth_on from appointment a"
        " join establishment e on e.id = a.establishment_id join patient p on p.id = a.patient_id"
        " join unit u on u.id = a.unit_id join reason r on r.id = a.reason_id"
        " where a.state = 'booked' and a.start_at > now() + interval '1 day' and u.name = 'Cardiologie'"
        " and e.short_name = 'CH Val d’Arceau' and not r.is_remote order by a.start_at desc, a.id limit 1"
    )
    ((is_late,),) = stack.sql(
        "select (now() at time zone %s)::date <> ((now() + interval '5 minutes') at time zone %s)::date", tz, tz
    )
    at = now - timedelta(minutes=5) if is_late else now + timedelta(minutes=5)
    stack.sql(
        "update appointment set start_at = %s, end_at = %s where id = %s", at, at + timedelta(minutes=30),
        appointment_id,
    )  # fmt: skip
    return reference, unit_id, born.day, born.month


def touch(screen: Page, what: str, number: int) -> None:
    screen.locator(f"input[name={what}][value='{number}']").check()
