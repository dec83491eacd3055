"""The administrator's side of how long things are kept, and of the calendar of stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db, retention
from portal.retention import LegalHold, LegalHoldLift
from services.preadmission.calendars.models import StayCalendarRule
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.factories.preadmission import preadmission
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def browser(hospital: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        agent = people.agent(hospital.establishment.id, "administration")
    return sign_in(agent)


@pytest.fixture
def reference(hospital: Hospital) -> str:
    """The number of a file refused long ago."""
    with prepared():
        made = preadmission(people.patient(), hospital.unit, "refused", days_ago=201)
        made.changed_at = db.now() - timedelta(days=200)
        return made.reference


def test_the_screen_says_what_would_go_and_in_few_statements(
    app: Flask, hospital: Hospital, browser: FlaskClient, reference: str
) -> None:
    with executed(app) as seen:
        page = browser.get("/admin/conservation?lang=en")
    assert page.status_code == 200
    assert "Files refused, cancelled or lapsed" in page.text
    rules = len(retention.rules())
    # Two a rule (its days, what is due), one for holds among them, and the page itself.
    assert len(seen) <= 3 * rules + 12


def test_a_life_is_changed_within_its_bounds_and_written_down(hospital: Hospital, browser: FlaskClient) -> None:
    address = f"/admin/conservation/{hospital.establishment.finess}/preadmission_ended"
    assert browser.post(address, data={"days": "731"}).status_code == 422
    assert browser.post(address, data={"days": "x"}).status_code == 422
    assert browser.post(address, data={"days": "90"}).status_code == 303
    with prepared():
        assert retention.life(retention.rule("preadmission_ended"), hospital.establishment.id).days == 90
    assert "retention.changed" in audited()


def test_a_file_is_protected_by_its_number_and_let_go(hospital: Hospital, browser: FlaskClient, reference: str) -> None:
    address = "/admin/conservation/proteger"
    assert browser.post(address, data={"number": "BBBB-BBBB", "reason": "Plainte"}).status_code == 422
    assert browser.post(address, data={"number": reference, "reason": ""}).status_code == 422
    assert browser.post(address, data={"number": reference.lower(), "reason": "Plainte"}).status_code == 303
    assert browser.post(address, data={"number": reference, "reason": "Plainte"}).status_code == 422, "it is already"
    (held,) = rows(LegalHold)
    lifting = f"/admin/conservation/protections/{held.id}/lever"
    assert browser.get(lifting).status_code == 200
    assert browser.post(lifting, data={"reason": "Close"}).status_code == 303
    assert len(rows(LegalHoldLift)) == 1
    assert browser.post(lifting, data={"reason": "Close"}).status_code == 303, "lifted twice is lifted once"
    assert len(rows(LegalHoldLift)) == 1


def test_another_hospitals_administrator_neither_sees_nor_protects(
    hospital: Hospital, reference: str, sign_in: SignIn
) -> None:
    with prepared():
        there = hospitals.hospital("990000025", "Hôpital d’à côté")
        agent = people.agent(there.establishment.id, "administration")
    other = sign_in(agent)
    assert other.post("/admin/conservation/proteger", data={"number": reference, "reason": "x"}).status_code == 422
    address = f"/admin/conservation/{hospital.establishment.finess}/preadmission_ended"
    assert other.post(address, data={"days": "90"}).status_code == 404
    assert other.get(f"/admin/calendrier-des-sejours/{hospital.establishment.finess}").status_code == 404


def test_an_agent_of_admissions_changes_none_of_it(hospital: Hospital, sign_in: SignIn) -> None:
    with prepared():
        agent = people.agent(hospital.establishment.id, "preadmission")
    clerk = sign_in(agent)
    for address in ("/admin/conservation", "/admin/conservation/proteger", "/admin/calendrier-des-sejours"):
        assert clerk.get(address).status_code == 403


def test_a_unit_changes_its_calendar_and_comes_back_to_the_usual_one(hospital: Hospital, browser: FlaskClient) -> None:
    address = f"/admin/calendrier-des-sejours/{hospital.establishment.finess}/{hospital.unit.id}"
    assert browser.get("/admin/calendrier-des-sejours").status_code == 200
    assert browser.get(address).status_code == 200
    assert browser.post(address, data={"opens": "400"}).status_code == 422
    assert browser.post(address, data={"reminders": "demain"}).status_code == 422
    assert browser.post(address, data={"opens": "30", "reminders": "7, 1", "cut_off_hour": "0"}).status_code == 303
    (rule,) = rows(StayCalendarRule)
    assert (rule.opens, rule.reminders, rule.cut_off_hour, rule.recommended) == (30, [7, 1], 0, None)
    assert 'value="7, 1"' in browser.get(address).text
    emptied = dict.fromkeys(("opens", "recommended", "cut_off", "cut_off_hour", "to_complete_days", "reminders"), "")
    assert browser.post(address, data=emptied).status_code == 303
    assert rows(StayCalendarRule) == []
