"""The admissions office's side of invitations: invite, find, print, send again, take back, cancel."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from services.preadmission.invitations.models import StayInvitation
from tests.factories import hospitals, people
from tests.factories import preadmission as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared, rows, today
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
HERE = "/admin/invitations-aux-sejours"


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def browser(hospital: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        agent = people.agent(hospital.establishment.id, "preadmission")
    return sign_in(agent)


def _typed(hospital: Hospital, **more: str) -> dict[str, str]:
    day = today() + timedelta(days=12)
    return {
        "unit_id": str(hospital.unit.id), "stay_kind": "inpatient", "visit_number": "V-77", "ipp": "",
        "planned_on-day": str(day.day), "planned_on-month": str(day.month), "planned_on-year": str(day.year),
        "birth_name": "O’CONNOR-LEFÈVRE", "first_name": "Zoé", "birth_on-day": "29", "birth_on-month": "2",
        "birth_on-year": "1980", "email": "", **more,
    }  # fmt: skip


def _invite(browser: FlaskClient, hospital: Hospital, **more: str) -> StayInvitation:
    import re

    page = browser.get(f"{HERE}/inviter").text
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page)
    assert found is not None
    answer = browser.post(f"{HERE}/inviter", data={"once": found[1], **_typed(hospital, **more)})
    assert answer.status_code == 303, answer.text[:3000]
    return rows(StayInvitation)[0]


def test_whoever_asked_that_nobody_be_told_is_neither_named_nor_found_by_name(
    hospital: Hospital, browser: FlaskClient
) -> None:
    made = _invite(browser, hospital)
    with prepared():
        _account, patient = people.patient_with_account()
        file = factory.preadmission(patient, hospital.unit, "submitted")
        file.origin, file.confidential = "invitation", True
        invitation = db.session.get_one(StayInvitation, made.id)
        invitation.preadmission_id, invitation.patient_id, invitation.state = file.id, patient.id, "told"
    for page in (
        browser.get(f"{HERE}?groupe=reached").text,
        browser.post(f"{HERE}/recherche", data={"q": "V-77"}).text,
    ):
        assert f"{HERE}/{made.id}" in page
        assert made.birth_name not in page
    assert f"{HERE}/{made.id}" not in browser.post(f"{HERE}/recherche", data={"q": "o’con"}).text


def test_an_agent_invites_finds_prints_and_takes_back(app: Flask, hospital: Hospital, browser: FlaskClient) -> None:
    made = _invite(browser, hospital)
    with executed(app) as seen:
        listed = browser.post(f"{HERE}/recherche", data={"q": "o’con"})
    assert "O’CONNOR-LEFÈVRE" in listed.text
    assert "O’CONNOR-LEFÈVRE" not in browser.post(f"{HERE}/recherche", data={"q": "dup"}).text
    assert f'action="{HERE}/recherche" method="post"' in browser.get(HERE).text, "no name stands in an address"
    assert browser.get(f"{HERE}?q=dup").text.count(made.birth_name), "what stands in one is not looked for"
    assert len(seen) <= 14
    assert browser.get(f"{HERE}/{made.id}").status_code == 200
    letter = browser.post(f"{HERE}/{made.id}/lettre")
    assert letter.status_code == 200
    assert "<svg" in letter.text
    assert browser.post(f"{HERE}/{made.id}/retirer").status_code == 303
    assert rows(StayInvitation)[0].state == "withdrawn"
    assert browser.post(f"{HERE}/{made.id}/lettre").status_code == 303


def test_a_letter_says_neither_the_unit_nor_the_day(hospital: Hospital, browser: FlaskClient) -> None:
    made = _invite(browser, hospital)
    import re

    page = browser.post(f"{HERE}/{made.id}/lettre").text
    letter = re.search(r'<section class="app-letter.*?</section>', page, re.DOTALL)
    assert letter is not None
    assert hospital.unit.name not in letter[0]
    assert str((today() + timedelta(days=12)).year) not in letter[0]


def test_all_the_letters_that_wait_are_printed_at_once(hospital: Hospital, browser: FlaskClient) -> None:
    _invite(browser, hospital)
    _invite(browser, hospital, visit_number="V-78", birth_name="MARTIN")
    assert browser.post(f"{HERE}/lettres").text.count('class="app-letter') == 2
    assert {each.state for each in rows(StayInvitation)} == {"sent"}
    assert browser.post(f"{HERE}/lettres").text.count('class="app-letter') == 0


def test_what_is_wrong_is_said_at_its_field(hospital: Hospital, browser: FlaskClient) -> None:
    import re

    page = browser.get(f"{HERE}/inviter").text
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page)
    assert found is not None
    for wrong in ({"planned_on-year": "2020"}, {"birth_name": ""}, {"email": "x"}, {"unit_id": "x"}):
        answer = browser.post(f"{HERE}/inviter", data={"once": found[1], **_typed(hospital, **wrong)})
        assert answer.status_code == 422, wrong
    assert rows(StayInvitation) == []


def test_another_hospital_sees_nothing(hospital: Hospital, browser: FlaskClient, sign_in: SignIn) -> None:
    made = _invite(browser, hospital)
    with prepared():
        there = hospitals.hospital("990000025", "Hôpital d’à côté")
        agent = people.agent(there.establishment.id, "preadmission")
    other = sign_in(agent)
    assert "CONNOR" not in other.get(HERE).text
    assert other.get(f"{HERE}/{made.id}").status_code == 404
    for deed in ("lettre", "renvoyer", "retirer", "annuler"):
        assert other.post(f"{HERE}/{made.id}/{deed}").status_code == 404
