"""What everybody reads of the emergency departments: figures while they are fresh, numbers to call always."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from portal import db, establishments
from portal.kpi import KpiEvent
from services.attendance import actions, queries
from services.attendance.models import EmergencyDepartment, EmergencyReading
from services.offer.models import OpeningHours
from tests import ground
from tests.english import in_english as in_english
from tests.factories import attendance, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared
from tests.statements import executed

PAGE, JSON = "/urgences", "/urgences.json"


@pytest.fixture
def hospital(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital(phone="01 99 00 10 00", address="12 avenue des Tilleuls")


@pytest.fixture
def department(hospital: Hospital) -> EmergencyDepartment:
    with prepared():
        return attendance.department(hospital.unit, name="Urgences adultes", phone="01 99 00 19 01")


def say(department: EmergencyDepartment, ago: timedelta = timedelta(0), **facts: Any) -> None:
    with prepared():
        now = db.now()
        actions.report(db.session.get_one(EmergencyDepartment, department.id), attendance.told(now - ago, **facts), now)


class TestThePublicPage:
    def test_it_says_how_long_one_waits_and_that_it_is_no_promise(
        self, client: FlaskClient, department: EmergencyDepartment
    ) -> None:
        say(department, state="saturated", waiting=23, minutes=(70, 115), fr="Merci de votre patience", en="Thank you")
        page = client.get(PAGE).text
        for words in ("Urgences adultes", "Very busy", "between 1 h and 2 h", "23 people are waiting", "Thank you",
                      "not promises", "01 99 00 19 01", "tel:15", "tel:112", "sms:114"):  # fmt: skip
            assert words in page
        assert "Merci de votre patience" not in page
        assert page.index("tel:15") < page.index("Very busy")

    def test_what_is_old_is_withdrawn_and_the_telephone_stays(
        self, client: FlaskClient, department: EmergencyDepartment
    ) -> None:
        say(department, timedelta(minutes=31), fr="Forte affluence")
        page = client.get(PAGE).text
        assert "Not available now" in page
        assert "01 99 00 19 01" in page
        for stale in ("people are waiting", "between", "Forte affluence", "Measured at"):
            assert stale not in page

    def test_a_hospital_chooses_how_long(
        self, client: FlaskClient, hospital: Hospital, department: EmergencyDepartment
    ) -> None:
        with prepared():
            establishments.change_setting(hospital.establishment.id, queries.SETTING, "60")
        say(department, timedelta(minutes=31))
        assert "23 people are waiting" in client.get(PAGE).text

    def test_few_people_are_few(self, client: FlaskClient, department: EmergencyDepartment) -> None:
        say(department, waiting=2, minutes=(0, 10))
        page = client.get(PAGE).text
        assert "Fewer than 11 people are waiting" in page
        assert "less than 15 minutes" in page
        told = client.get(JSON).get_json()["departments"][0]
        assert (told["waiting"], told["waiting_is_few"]) == (None, True)

    @pytest.mark.parametrize(
        ("state", "words"), [("diverted", "Call 15 before you come"), ("closed", "Nobody is received")]
    )
    def test_no_wait_is_told_where_nobody_is_received(
        self, client: FlaskClient, department: EmergencyDepartment, state: str, words: str
    ) -> None:
        say(department, state=state)
        page = client.get(PAGE).text
        assert words in page
        assert "people are waiting" not in page
        assert client.get(JSON).get_json()["departments"][0]["minutes"] is None

    def test_the_hours_of_the_unit_close_it_whatever_was_said(
        self, client: FlaskClient, hospital: Hospital, department: EmergencyDepartment
    ) -> None:
        now = db.now().astimezone(hospital.establishment.tz)
        opens = (now + timedelta(hours=3)).time().replace(microsecond=0)
        closes = (now + timedelta(hours=4)).time().replace(microsecond=0)
        with prepared():
            db.session.add_all(
                OpeningHours(establishment_id=hospital.establishment.id, unit_id=hospital.unit.id, weekday=day,
                             opens=opens, closes=closes, on_holidays=True)
                for day in range(7)
            )  # fmt: skip
        say(department)
        page = client.get(PAGE).text
        assert "Nobody is received here now" in page
        assert "23 people" not in page

    def test_what_is_not_published_is_nobodys(self, client: FlaskClient, hospital: Hospital) -> None:
        with prepared():
            hidden = attendance.department(hospital.unit, name="Urgences secrètes", is_published=False)
        say(hidden)
        for address in (PAGE, JSON, f"{PAGE}/{hospital.establishment.finess}"):
            assert "secrètes" not in client.get(address).text
        with db.transaction(db.ANONYMOUS) as current:
            assert current.query(EmergencyDepartment).all() == []
            assert current.query(EmergencyReading).all() == []

    def test_a_removed_department_is_shown_nowhere(self, client: FlaskClient, department: EmergencyDepartment) -> None:
        say(department)
        with prepared():
            actions.remove_department(db.session.get_one(EmergencyDepartment, department.id))
        assert "No hospital shows its waiting times" in client.get(PAGE).text

    def test_a_hospital_has_a_page_and_a_screen_of_its_own(
        self, client: FlaskClient, hospital: Hospital, department: EmergencyDepartment
    ) -> None:
        with prepared():
            other = hospitals.hospital("990000025", "Autre hôpital")
            attendance.department(other.unit, name="Ailleurs")
        say(department)
        for address in (f"{PAGE}/{hospital.establishment.finess}", f"{PAGE}/{hospital.establishment.finess}/ecran"):
            answer = client.get(address)
            page = answer.text
            assert "Urgences adultes" in page
            assert "Ailleurs" not in page
            assert int(answer.headers["Refresh"]) <= 60
            assert "<script" not in page
        assert client.get(f"{PAGE}/000000000").status_code == 404

    def test_the_home_page_leads_there_when_a_hospital_publishes(self, client: FlaskClient, hospital: Hospital) -> None:
        assert PAGE not in client.get("/").text
        with prepared():
            attendance.department(hospital.unit)
        assert f'href="{PAGE}"' in client.get("/").text


class TestTheDatabase:
    def test_whoever_cares_for_people_says_how_many_wait_and_changes_no_department(
        self, hospital: Hospital, department: EmergencyDepartment
    ) -> None:
        with prepared():
            nurse = people.agent(hospital.establishment.id, "care")
        with db.transaction(people.as_agent(nurse, hospital.establishment.id, "care")):
            changed = db.session.execute(update(EmergencyDepartment).values(name="À moi"))
            assert changed.rowcount == 0  # type: ignore[attr-defined]  # a cursor's result

    def test_nobody_speaks_for_the_department_of_another_hospital(self, department: EmergencyDepartment) -> None:
        with prepared():
            other = hospitals.hospital("990000025", "Autre hôpital").establishment.id
            nurse = people.agent(other, "care")
        for claimed in (other, department.establishment_id):
            reading = EmergencyReading(establishment_id=claimed, department_id=department.id,
                                       measured_at=db.now(), source="entered", state="closed")  # fmt: skip
            with pytest.raises(DBAPIError), db.transaction(people.as_agent(nurse, other, "care")):
                db.session.add(reading)
        say(department)
        with db.transaction(people.as_agent(nurse, other, "care")):
            changed = db.session.execute(update(EmergencyReading).values(establishment_id=other))
            assert changed.rowcount == 0  # type: ignore[attr-defined]  # a cursor's result


class TestKeeping:
    def test_an_answer_may_be_kept_for_seconds_and_is_not_sent_twice(
        self, client: FlaskClient, department: EmergencyDepartment
    ) -> None:
        say(department)
        for address in (PAGE, JSON):
            first = client.get(address)
            assert first.headers["Cache-Control"] == "public, max-age=20"
            again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
            assert (again.status_code, again.data) == (304, b"")
            assert "Set-Cookie" not in first.headers
        etag = client.get(PAGE).headers["ETag"]
        say(department, state="closed")
        assert client.get(PAGE, headers={"If-None-Match": etag}).status_code == 200

    def test_whoever_chooses_a_language_is_answered_alone(self, client: FlaskClient) -> None:
        assert client.get(f"{PAGE}?lang=fr").headers["Cache-Control"] == "no-store"
        assert {"Cookie", "Accept-Language"} <= set(client.get(PAGE).vary)

    def test_other_sites_may_read_the_json(self, client: FlaskClient, department: EmergencyDepartment) -> None:
        say(department, minutes=(70, 100))
        answer = client.get(JSON)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        told = answer.get_json()["departments"][0]
        assert (told["code"], told["state"], told["minutes"]) == ("adultes", "open", {"from": 60, "to": 105})
        assert told["url"].endswith("/urgences/990000017")

    def test_a_page_costs_few_statements_however_many_departments(
        self, app: Flask, client: FlaskClient, hospital: Hospital
    ) -> None:
        with prepared():
            for number in range(6):
                made = attendance.department(hospital.unit, f"code-{number}", name=f"Service {number}")
                actions.report(made, attendance.told(), db.now())
        with executed(app) as seen:
            assert "Service 5" in client.get(PAGE).text
        assert len(seen) <= 9


def test_each_quarter_of_an_hour_counts_who_shows_a_figure(department: EmergencyDepartment, hospital: Hospital) -> None:
    say(department)
    with prepared():
        attendance.department(hospital.unit, "muet")
    with prepared():
        actions.count_quarter(db.now())
    counted = [each.dimension for each in ground.rows(KpiEvent) if each.event == "attendance_quarter"]
    assert sorted(counted) == ["not_shown", "shown"]
