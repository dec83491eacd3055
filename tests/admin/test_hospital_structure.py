"""Sites, units and practitioners come and go from the screen; whoever closes one sees whom that touches first."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import session
from portal.establishments import Establishment, Practitioner, Site, Unit
from services.appointments.agendas.models import Absence
from services.appointments.models import Appointment, ConsultationSession
from services.preadmission.queries import files as stays
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today

SignIn = Callable[..., FlaskClient]
BASE = "/admin/hopitaux/990000017"


@pytest.fixture
def where(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def browser(where: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        administrator = people.agent(where.establishment.id, "administration")
    return sign_in(administrator)


def _day(day: date) -> dict[str, str]:
    return {"last_on-day": str(day.day), "last_on-month": str(day.month), "last_on-year": str(day.year)}


class TestBuilding:
    def test_a_site_a_unit_and_a_practitioner_are_added_from_nothing(
        self, where: Hospital, browser: FlaskClient
    ) -> None:
        site = {"name": "Site des Pins", "finess_et": "990000058", "town": "Hautbourg", "once": str(uuid4())}
        assert browser.post(f"{BASE}/sites/ajouter", data=site).status_code == 303
        (made,) = [each for each in rows(Site) if each.finess_et == "990000058"]
        unit = {"name": "Pneumologie", "uf": "2 001", "site_id": str(made.id), "once": str(uuid4())}
        assert browser.post(f"{BASE}/unites/ajouter", data=unit).status_code == 303
        (ward,) = [each for each in rows(Unit) if each.uf == "2001"]
        assert (ward.site_id, ward.name) == (made.id, "Pneumologie")
        doctor = {
            "title": "Pr", "given_name": "Ana", "family_name": "DO", "rpps": "10000000058", "speciality": "Pneumologie",
            "unit_id": str(ward.id), "once": str(uuid4()),
        }  # fmt: skip
        assert browser.post(f"{BASE}/praticiens/ajouter", data=doctor).status_code == 303
        assert "Pr Ana DO" in browser.get(f"{BASE}/structure").text
        assert [each for each in audited() if each.endswith(".added")] == [
            "site.added", "unit.added", "practitioner.added",
        ]  # fmt: skip

    def test_a_number_is_given_once_in_a_hospital(self, where: Hospital, browser: FlaskClient) -> None:
        said = {"name": "Double", "uf": "1001", "site_id": str(where.site.id), "once": str(uuid4())}
        answer = browser.post(f"{BASE}/unites/ajouter", data=said)
        assert answer.status_code == 422
        assert "has this number already" in answer.text
        assert count(Unit) == 1

    @pytest.mark.parametrize(("rpps", "told"), [("1000000005", "eleven digits"), ("10000000057", "typing error")])
    def test_an_rpps_number_with_a_typing_error_is_told(
        self, where: Hospital, browser: FlaskClient, rpps: str, told: str
    ) -> None:
        doctor = {"given_name": "A", "family_name": "B", "speciality": "C", "unit_id": str(where.unit.id), "rpps": rpps}
        answer = browser.post(f"{BASE}/praticiens/ajouter", data=doctor | {"once": str(uuid4())})
        assert answer.status_code == 422
        assert told in answer.text

    def test_a_unit_moves_to_another_site_of_the_hospital_alone(self, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            other = hospitals.site(where.establishment, "990000066", "Annexe")
            elsewhere = hospitals.hospital("990000025", "Ailleurs")
        page = f"{BASE}/unites/{where.unit.id}"
        said = {"name": "Cardiologie", "uf": "1001", "site_id": str(other.id), "once": str(uuid4())}
        assert browser.post(page, data=said).status_code == 303
        assert {each.site_id for each in rows(Unit) if each.uf == "1001" and each.id == where.unit.id} == {other.id}
        wrong = browser.post(page, data=said | {"site_id": str(elsewhere.site.id), "once": str(uuid4())})
        assert wrong.status_code == 422
        assert browser.get(f"{BASE}/unites/{elsewhere.unit.id}").status_code == 404
        assert browser.get(f"{BASE}/unites/{elsewhere.unit.id}/fermer").status_code == 404
        assert browser.post(f"{BASE}/unites/{elsewhere.unit.id}/rouvrir").status_code == 404

    def test_a_unit_needs_a_site_first(self, app: Flask, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            session.get_one(Site, where.site.id).closes_on = today() - timedelta(days=1)
        assert "A site comes first" in browser.get(f"{BASE}/unites/ajouter").text


class TestClosing:
    @pytest.fixture
    def expected(self, where: Hospital, browser: FlaskClient) -> Appointment:
        """Somebody who comes to the unit in a week."""
        with prepared():
            person = people.patient()
            why = appointments.reason(where.unit)
            return appointments.booked(person, why, appointments.consultation(where, [why]))

    @pytest.mark.parametrize("word", ["sites", "unites", "praticiens"])
    def test_whom_it_touches_is_shown_and_confirmed_before_it_closes(
        self, where: Hospital, browser: FlaskClient, expected: Appointment, word: str
    ) -> None:
        members: dict[str, Site | Unit | Practitioner] = {
            "sites": where.site, "unites": where.unit, "praticiens": where.practitioner,
        }  # fmt: skip
        member = members[word]
        page, day = f"{BASE}/{word}/{member.id}/fermer", _day(today() + timedelta(days=1))
        shown = browser.post(page, data=day)
        assert shown.status_code == 200
        assert "Appointments booked after that day: 1" in shown.text
        assert not count(Absence)
        refused = browser.post(page, data=day | {"confirm": "yes"})
        assert refused.status_code == 422
        assert not count(Absence)
        code = {"sites": "990000017", "unites": "1001", "praticiens": "10000000009"}[word]
        assert browser.post(page, data=day | {"confirm": code}).status_code == 303
        (kept,) = rows(Appointment)
        assert kept.state == "booked"
        (opened,) = rows(ConsultationSession)
        assert opened.open == 0
        assert {"sites": "site.closed", "unites": "unit.closed", "praticiens": "practitioner.closed"}[word] in audited()

    def test_what_touches_nobody_closes_at_once_and_opens_again(self, where: Hospital, browser: FlaskClient) -> None:
        with prepared():
            ward = hospitals.unit(where.establishment, where.site, "1002", "Vide")
        page, last_on = f"{BASE}/unites/{ward.id}", today() + timedelta(days=10)
        assert browser.post(f"{page}/fermer", data=_day(last_on)).status_code == 303
        assert {each.closes_on for each in rows(Unit)} == {None, last_on}
        assert count(Absence) == 1
        assert "Nothing can be booked after it" in browser.get(page).text
        assert browser.post(f"{page}/fermer", data=_day(last_on + timedelta(days=1))).status_code == 303
        assert count(Absence) == 1
        assert browser.post(f"{page}/rouvrir").status_code == 303
        assert {each.closes_on for each in rows(Unit)} == {None}
        assert count(Absence) == 0

    def test_a_site_closes_with_its_units_and_leaves_those_that_close_sooner(
        self, where: Hospital, browser: FlaskClient
    ) -> None:
        sooner, last_on = today() + timedelta(days=2), today() + timedelta(days=9)
        with prepared():
            session.get_one(Unit, where.unit.id).closes_on = sooner
            hospitals.unit(where.establishment, where.site, "1002", "Vide")
        said = _day(last_on) | {"confirm": "990000017"}
        assert browser.post(f"{BASE}/sites/{where.site.id}/fermer", data=said).status_code == 303
        assert sorted(each.closes_on or date.min for each in rows(Unit)) == [sooner, last_on]
        assert [each.closes_on for each in rows(Site)] == [last_on]

    def test_a_day_that_is_over_is_refused(self, where: Hospital, browser: FlaskClient) -> None:
        answer = browser.post(
            f"{BASE}/praticiens/{where.practitioner.id}/fermer", data=_day(today() - timedelta(days=1))
        )
        assert answer.status_code == 422
        assert "today at the earliest" in answer.text
        assert [each.leaves_on for each in rows(Practitioner)] == [None]

    def test_what_closed_is_offered_no_more(self, where: Hospital, client: FlaskClient) -> None:
        with prepared():
            session.get_one(Unit, where.unit.id).closes_on = today() - timedelta(days=1)
            session.get_one(Practitioner, where.practitioner.id).leaves_on = today() - timedelta(days=1)
            assert not stays.units_on_offer()
        page = client.get("/recherche?q=cardio").text
        assert "MERCIER" not in page
        assert "Cardiologie" not in page


def test_pages_of_the_directory_wear_the_colour_of_their_hospital(where: Hospital, client: FlaskClient) -> None:
    with prepared():
        session.get_one(Establishment, where.establishment.id).brand_colour = "#7a3b8f"
    page = client.get("/offre-de-soins/unites/cardiologie-990000017-1001")
    assert page.status_code == 200
    assert 'href="/theme/990000017.' in page.text
    assert 'href="/theme/' not in client.get("/").text
