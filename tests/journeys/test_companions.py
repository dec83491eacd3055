"""Those who sign with a patient, in a browser: a child with two parents, a pregnant woman, a guardian who acts."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal import db
from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.test_preadmission_patient import choose, choose_stay, fill, relative, send_document
from tests.journeys.walking import Visitor, fill_date, press, reference, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MANDATES = "/mon-compte/mandats"


def in_days(days: int) -> date:
    return db.now().date() + timedelta(days=days)


def address(page: Page) -> str:
    """Of the draft that the page is about."""
    return page.url.split("/etapes/")[0]


def go(page: Page, slug: str) -> None:
    """One page of the draft by its address: those between have journeys of their own."""
    page.goto(f"{address(page)}/etapes/{slug}")


def sign(page: Page, promise: str) -> None:
    press(page, "Sign")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Tick the box if you agree")
    page.get_by_label(promise).check()
    press(page, "Sign")


def test_a_child_with_two_parents_is_ready_once_both_have_signed(visitor: Visitor, stack: Stack) -> None:
    mother, father = visitor(), visitor()
    sign_in(mother, "franceconnect", "camille")
    mother.goto(MANDATES)
    press(mother, "Act for Zoé")
    mother.goto("/pre-admission/nouvelle")
    choose_stay(mother, "day_case")
    choose(mother, "Your situation", {"accident": "none", "authority": "both"})
    go(mother, "autorite-parentale")
    look(mother, "Parental authority")
    expect(mother.locator("#first_name")).to_have_value("Camille LORMEVAL")
    press(mother, "Save and continue")
    expect(mother.locator(".govuk-error-summary")).to_contain_text("Write the first name of the other parent.")
    fill(mother, {"second_first_name": "bernard", "second_name": "Kersaudy"})
    mother.check("input[name=signing][value=online]")
    fill(mother, {"second_email": "bernard.kersaudy@exemple.test"})
    press(mother, "Save and continue")
    look(mother, "Person to notify")

    file = address(mother)
    mother.goto(f"{file}/signatures")
    look(mother, "Signatures for this stay")
    mother.get_by_role("link", name="Read and sign").click()
    look(mother, "Authorisation to operate on a minor")
    sign(mother, "I have read this text and I authorise the operation")
    expect(mother.get_by_text("A signature is missing")).to_be_visible()
    press(mother, "Send the link")
    expect(mother.get_by_text("The link is on its way.")).to_be_visible()

    stack.work()
    link = re.findall(r"/signature/[\w-]{43}", stack.mails())[-1]
    father.goto(link)
    look(father, "A document waits for your signature")
    press(father, "Sign in to read the document")
    sign_in(father, "franceconnect", "bernard")
    father.goto(link)
    look(father, "A document waits for your signature")
    press(father, "Read the document")
    look(father, "Authorisation to operate on a minor")
    expect(father.locator("main")).to_contain_text("LORMEVAL")
    sign(father, "I have read this text and I authorise the operation")
    look(father, "Authorisation to operate on a minor")
    expect(father.get_by_role("heading", name="You have signed")).to_be_visible()
    father.goto("/signatures")
    look(father, "What I was asked to sign")

    mother.goto(f"{file}/signatures")
    expect(mother.get_by_text("Ready for the operation")).to_be_visible()
    look(mother, "Signatures for this stay")
    father.goto(link)
    look(father, "This link does not work")


def test_a_pregnant_woman_asks_for_a_place_and_names_a_person_of_trust(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "camille")
    page.goto("/pre-admission/nouvelle")
    choose_stay(page, "maternity")
    choose(page, "Your situation", {"accident": "none", "protection": "none"})
    fill(page, {"phone": "06 39 98 00 04", "street": "4 rue des Lilas", "postcode": "91990", "town": "Arceau"})
    press(page, "Save and continue")
    choose(page, "Your doctor", {"has_one": "no"})
    choose(page, "Your health cover", {"amo_kind": "none", "amc_kind": "none"})

    look(page, "The birth")
    due, period = in_days(160), in_days(-100)
    fill_date(page, "due_on", due.day, due.month, due.year)
    page.check("input[name=known][value=period]")
    fill_date(page, "other_on", period.day, period.month, period.year)
    page.check("input[name=multiple][value=yes]")
    page.check("input[name=follow_up][value=midwife]")
    press(page, "Save and continue")
    expect(page.locator(".govuk-error-summary")).to_contain_text("The two dates do not agree")
    look(page, "The birth")
    page.check("input[name=known][value='']")
    for part in ("day", "month", "year"):
        page.fill(f"#other_on-{part}", "")
    press(page, "Save and continue")

    relative(page, look)
    look(page, "Person of trust")
    page.check("input[name=wanted][value=yes]")
    fill(page, {"first_name": "Noa", "name": "Morel", "phone": "06 39 98 00 98"})
    page.check("input[name=link][value=sibling]")
    page.check("input[name=signing][value=paper]")
    page.check("input[name=is_adult]")
    look(page, "Person of trust")
    press(page, "Save and continue")
    page.check("input[name=room][value=single]")
    look(page, "Your days at the hospital")
    page.check("input[name=payer][value=self]")
    page.check("input[name=diet][value=taste]")
    fill(page, {"diet_words": "repas halal"})
    page.check("input[name=transport][value=relative]")
    press(page, "Save and continue")
    expect(page.locator(".govuk-error-summary")).to_contain_text("Write only the foods")
    fill(page, {"diet_words": "no pork"})
    press(page, "Save and continue")
    choose(page, "Advance directives", {"exist": "no"})
    choose(page, "Your choices", {"outside_team": "no"})

    look(page, "Your documents")
    send_document(page, tmp_path, "Identity document")
    page.get_by_role("link", name="Continue").click()
    look(page, "Check and send")
    expect(page.get_by_text("Twins or more")).to_be_visible()
    press(page, "Send my file")
    look(page, "Your file has been received")
    assert reference(page)

    page.get_by_role("link", name="See my file").click()
    page.get_by_role("link", name="See who signs").click()
    look(page, "Signatures for this stay")
    page.goto(f"{page.url.removesuffix('/signatures')}/choix")
    look(page, "Change your choices")
    page.get_by_label("I ask that nobody be told that I am at the hospital").check()
    press(page, "Save my choices")
    look(page, "What you chose")
    expect(page.get_by_text("Asked for")).to_be_visible()


@pytest.fixture
def guardianship(stack: Stack) -> Iterator[None]:
    """The guardian's judgement is in force for a while: another journey reads that it is over."""
    whose = "(select id from patient where birth_name = 'KERSAUDY' and first_names[1] = 'Maëlle')"
    [(mandate_id, state, ends_on)] = stack.sql(f"select id, state, ends_on from mandate where patient_id = {whose}")
    [(revoked_at, last_on)] = stack.sql(f"select revoked_at, ends_on from patient_access where patient_id = {whose}")
    mandate = "update mandate set state = %s, ends_on = %s where id = %s"
    access = f"update patient_access set revoked_at = %s, ends_on = %s where patient_id = {whose}"
    stack.sql(mandate, "active", in_days(300), mandate_id)
    stack.sql(access, None, in_days(300))
    yield
    stack.sql(mandate, state, ends_on, mandate_id)
    stack.sql(access, revoked_at, last_on)


@pytest.mark.usefixtures("guardianship")
def test_a_guardian_prepares_the_stay_and_does_not_sign_in_the_persons_place(visitor: Visitor) -> None:
    page = visitor()
    sign_in(page, "franceconnect", "bernard")
    page.goto(MANDATES)
    press(page, "Act for Maëlle")
    page.goto("/pre-admission/nouvelle")
    choose_stay(page, "inpatient")
    choose(page, "Your situation", {"accident": "none", "protection": "guardianship"})
    go(page, "protecteur")
    go(page, "personne-de-confiance")
    look(page, "Person of trust")
    expect(page.get_by_text("You need an authorisation first")).to_be_visible()
    page.check("input[name=wanted][value=yes]")
    fill(page, {"first_name": "Noa", "name": "Morel", "phone": "06 39 98 00 98"})
    page.check("input[name=link][value=friend]")
    page.check("input[name=signing][value=paper]")
    page.check("input[name=is_adult]")
    press(page, "Save and continue")
    expect(page.locator(".govuk-error-summary")).to_contain_text("You need this authorisation first")
    page.check("input[name=authorised]")
    press(page, "Save and continue")
    look(page, "Your days at the hospital")
    file = address(page)
    page.goto(f"{file}/signatures")
    look(page, "Signatures for this stay")
    expect(page.get_by_text("Only the patient can sign this")).to_be_visible()
    expect(page.get_by_role("link", name="Read and sign")).to_have_count(0)
    sheet = page.request.get(page.get_by_role("link", name="Print the sheet to sign").get_attribute("href") or "")
    assert sheet.body().startswith(b"%PDF-")
