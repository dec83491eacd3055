"""A page about an object wears its hospital's colour and logo; common pages wear the group's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from auth.models import Account, Patient
from portal import db
from portal.db import session
from portal.establishments import Establishment, EstablishmentLogo
from portal.web import branding
from tests.factories import appointments, billing, documents, hospitals, people, preadmission
from tests.factories.hospitals import Hospital

SignIn = Callable[[Account | UUID], FlaskClient]
PINK, BLUE = "990000017", "990000025"


@dataclass(frozen=True)
class Things:
    """Somebody's pages at a hospital, by what they are about."""

    pages: dict[str, str]
    hospital_id: UUID


Person = tuple[Account, Patient]


@pytest.fixture
def person() -> Person:
    with db.transaction(db.system("tests")):
        own, patient = people.patient_with_account()
        documents.qualified(patient)
        return own, patient


@pytest.fixture
def browser(person: Person, sign_in: SignIn) -> FlaskClient:
    return sign_in(person[0])


@pytest.fixture
def pink(person: Person) -> Things:
    return _at(PINK, "Hôpital rose", "#b3246b", person[1])


@pytest.fixture
def blue(person: Person) -> Things:
    return _at(BLUE, "Hôpital bleu", "#1d5fa8", person[1])


def _at(finess: str, name: str, colour: str, patient: Patient) -> Things:
    with db.transaction(db.system("tests")):
        return _things(hospitals.hospital(finess, name, brand_colour=colour), patient)


def _things(where: Hospital, patient: Patient) -> Things:
    place, why = where.establishment, appointments.reason(where.unit)
    logo = EstablishmentLogo(establishment_id=place.id, picture=b"", width=320, height=80, digest="d1")
    session.add(logo)
    first_cell = 0 if place.finess == PINK else 4  # nobody is in two places at once
    visit = appointments.booked(patient, why, appointments.consultation(where, [why]), first_cell)
    bill = billing.bill(place, patient)
    stay = preadmission.preadmission(patient, where.unit, "submitted")
    letter = documents.received(place, documents.letter(documents.traits(patient)))
    pages = {
        "appointment": f"/rendez-vous/{visit.id}",
        "stay": f"/pre-admission/{stay.id}",
        "bill": f"/factures/{bill.id}",
        "letter": f"/documents/{letter.id}",
    }
    return Things(pages, place.id)


def worn(page: Any) -> set[str]:
    """The FINESS numbers of the hospitals whose colours or logo the page wears."""
    assert page.status_code == 200
    head = page.text.split("</header>")[0]
    return {finess for finess in (PINK, BLUE) if f"/theme/{finess}." in head or f"/logo/{finess}." in head}


@pytest.mark.parametrize("what", ["appointment", "stay", "bill", "letter"])
def test_a_page_wears_the_hospital_of_what_it_is_about(
    pink: Things, blue: Things, browser: FlaskClient, what: str
) -> None:
    assert worn(browser.get(pink.pages[what])) == {PINK}
    assert worn(browser.get(blue.pages[what])) == {BLUE}


def test_common_pages_wear_the_group_s(pink: Things, browser: FlaskClient) -> None:
    browser.get(pink.pages["bill"])
    for page in ("/", "/rendez-vous", "/factures", "/documents", "/mon-compte"):
        assert worn(browser.get(page, follow_redirects=True)) == set()


def test_a_page_about_things_of_several_hospitals_wears_the_group_s(pink: Things, blue: Things, app: Flask) -> None:
    with app.test_request_context(), db.transaction(db.system("tests")):
        branding.wear_of_all([pink.hospital_id, blue.hospital_id])
        assert "theme_href" not in g
        branding.wear_of_all([pink.hospital_id, pink.hospital_id])
        assert f"/theme/{PINK}." in g.theme_href


def test_wearing_costs_no_statement_but_once_in_a_while(pink: Things, browser: FlaskClient, statements: Any) -> None:
    browser.get(pink.pages["bill"])
    with statements() as seen:
        browser.get(pink.pages["bill"])
        browser.get(pink.pages["appointment"])
    assert not [each for each in seen if "establishment_logo" in each]


def test_the_colour_that_was_changed_is_worn_after_it_is_read_again(pink: Things, browser: FlaskClient) -> None:
    before = browser.get(pink.pages["bill"]).text
    with db.transaction(db.system("tests")):
        session.query(Establishment).filter_by(finess=PINK).one().brand_colour = "#006644"
    branding.forget()
    after = browser.get(pink.pages["bill"]).text
    address = after.split("/theme/")[1].split('"')[0]
    assert address not in before
    assert "--app-brand:#006644" in browser.get(f"/theme/{address}").text
