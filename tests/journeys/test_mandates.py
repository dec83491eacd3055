"""Acting for somebody, in a browser: a parent, a carer, a guardian whose judgement is over, and what is kept from
them."""

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from portal import db
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, eventually, fill_date, photo, press, prove, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MANDATES = "/mon-compte/mandats"


def in_days(days: int) -> date:
    return db.now().date() + timedelta(days=days)


def test_a_father_asks_and_the_identity_unit_lets_him_act(visitor: Visitor, stack: Stack) -> None:
    father, agent = visitor(), visitor()
    sign_in(father, "franceconnect", "jean-marie")
    father.goto(f"{MANDATES}/enfant")
    look(father, "Act for my child")
    press(father, "Send my request")
    look(father, "Act for my child")
    expect(father.locator(".govuk-error-summary")).to_contain_text("Write the birth name.")
    father.fill("#birth_name", "Vanterre")
    father.fill("#first_names", "Aubin")
    fill_date(father, "birth_on", 2, 4, db.now().year - 6)
    father.get_by_label("Family record book").check()
    father.get_by_label("Centre hospitalier du Val d’Arceau").check()
    father.set_input_files("#file", {"name": "livret.png", "mimeType": "image/png", "buffer": photo()})
    press(father, "Send my request")
    look(father, "Acting for somebody")
    expect(father.locator("main")).to_contain_text("Waiting for the hospital")

    sign_in(agent, "proconnect", "administrator")
    agent.goto("/admin/identites/mandats")
    look(agent, "Mandates")
    agent.get_by_role("link", name="Aubin Vanterre").click()
    look(agent, "Aubin Vanterre")
    agent.get_by_text("This patient is new here").click()
    press(agent, "Create the record")
    agent.get_by_role("radio", name="Aubin VANTERRE").check()
    press(agent, "Accept")
    expect(agent.locator("main")).to_contain_text("Both people have been told")
    look(agent, "Aubin VANTERRE")

    father.goto(MANDATES)
    press(father, "Act for Aubin")
    band = father.get_by_role("region", name="You are acting for Aubin VANTERRE")
    for page in ("/", "/rendez-vous", "/factures", "/documents", "/pre-admission", "/mon-compte"):
        father.goto(page)
        expect(band).to_be_visible()
    father.goto(MANDATES)
    look(father, "Acting for somebody")
    press(father, "Back to myself")
    expect(band).to_have_count(0)


def test_an_adult_designates_a_carer_keeps_something_and_stops_it(visitor: Visitor, stack: Stack) -> None:
    adult, carer = visitor(), visitor()
    sign_in(adult, "franceconnect", "dominique")
    adult.goto(f"{MANDATES}/designer")
    look(adult, "Let a relative act for you")
    adult.fill("#carer_name", "Basterac")
    adult.get_by_label("Medical documents").check()
    last = in_days(200)
    fill_date(adult, "ends_on", last.day, last.month, last.year)
    press(adult, "Make the code")
    look(adult, "Code for your carer")
    code = adult.locator(".app-receipt__reference strong").inner_text()

    sign_in(carer, "franceconnect", "helene")
    carer.goto(f"{MANDATES}/code")
    look(carer, "I was given a code")
    carer.fill("#code", code)
    press(carer, "Continue")
    look(carer, "Act for DOMINIQUE PAT-TROIS?")
    press(carer, "Accept")
    look(carer, "Your mandate for DOMINIQUE PAT-TROIS")
    press(carer, "Act for this person")
    carer.goto("/factures")
    look(carer, "Your mandate does not cover this")
    carer.goto("/documents")
    letters = carer.locator("main a.app-files__link[href^='/documents/']:not([href*='/envois/'])")
    before = letters.count()
    href = letters.first.get_attribute("href") or ""

    adult.goto(href)
    press(adult, "Keep this to myself")
    expect(adult.locator("main")).to_contain_text("those who act for you do not see it")
    carer.reload()
    expect(letters).to_have_count(before - 1)
    carer.goto(href)
    look(carer, "This page does not exist")

    adult.goto(MANDATES)
    look(adult, "Acting for somebody")
    adult.locator(".app-people__one", has_text="Hélène BASTERAC").get_by_role("button", name="Stop").or_(
        adult.locator(".app-people__one", has_text="Hélène BASTERAC").get_by_role("link", name="Stop")
    ).first.click()
    look(adult, "Stop Hélène BASTERAC from acting for you?")
    press(adult, "Yes, stop")
    carer.goto("/documents")
    look(carer, "You no longer act for this person")
    expect(carer.locator("main")).to_contain_text("was taken back")
    press(carer, "Go on for myself")
    carer.goto("/documents")
    look(carer, "My documents")
    eventually(adult, lambda: "helene.basterac@exemple.test" in stack.mails())


def test_a_guardian_whose_judgement_is_over_reads_what_to_bring(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "bernard")
    page.goto(MANDATES)
    look(page, "Acting for somebody")
    expect(page.locator("main")).to_contain_text(re.compile("Your mandate for Maëlle KERSAUDY ended on"))
    expect(page.get_by_role("button", name="Act for Maëlle")).to_have_count(0)
    page.get_by_role("link", name="Send the renewed judgement").click()
    look(page, "Act for a protected adult")
    page.get_by_label("guardian (tutelle)").check()
    page.fill("#birth_name", "Kersaudy")
    page.fill("#first_names", "Maëlle")
    fill_date(page, "birth_on", 11, 2, 1998)
    page.set_input_files("#file", {"name": "jugement.png", "mimeType": "image/png", "buffer": photo()})
    page.get_by_label("Centre hospitalier du Val d’Arceau").check()
    press(page, "Send my request")
    expect(page.locator(".govuk-error-summary")).to_contain_text("a measure always has one")
    expect(page.locator("main")).to_contain_text("Your document has arrived")
    judged, last = in_days(-10), in_days(1800)
    fill_date(page, "judged_on", judged.day, judged.month, judged.year)
    fill_date(page, "ends_on", last.day, last.month, last.year)
    press(page, "Send my request")
    expect(page.locator("main")).to_contain_text("Your request is sent")


def test_a_judgement_that_ends_while_one_works_stops_at_once(visitor: Visitor, stack: Stack) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "helene")
    page.goto(MANDATES)
    press(page, "Act for Suzanne")
    page.goto("/pre-admission/nouvelle")
    look(page, "Your stay")
    stack.sql(
        "update patient_access set ends_on = ends_on - 400 where relation = 'carer' and revoked_at is null"
        " and account_id = (select id from account where email = 'helene.basterac@exemple.test')"
    )
    page.locator("main form button[type=submit]").last.click()
    look(page, "You no longer act for this person")
    expect(page.locator("main")).to_contain_text("nothing was sent")


def test_a_password_alone_designates_nobody(visitor: Visitor, stack: Stack) -> None:
    """Whoever stole a password would otherwise let themselves in by the next door."""
    page = visitor()
    sign_in(page, "franceconnect", "suzanne")
    page.goto(f"{MANDATES}/designer")
    expect(page).to_have_url(re.compile("/mon-compte/verification"))
    prove(page, stack)
    page.goto(f"{MANDATES}/designer")
    look(page, "Let a relative act for you")
