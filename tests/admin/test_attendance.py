"""Emergency departments on the staff's side: described by administrators, told by those who care for people there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from portal import db
from services.attendance import actions
from services.attendance.models import EmergencyDepartment, EmergencyReading
from tests import ground
from tests.english import in_english as in_english
from tests.factories import attendance, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
TELL, DESCRIBE = "/admin/attente-aux-urgences", "/admin/services-d-urgences"


@dataclass
class Ground:
    hospital: Hospital
    department: EmergencyDepartment
    nurse: FlaskClient
    admin: FlaskClient
    stranger: FlaskClient


@pytest.fixture
def here(app: Flask, sign_in: SignIn) -> Ground:
    with prepared():
        hospital, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
        department = attendance.department(hospital.unit, name="Urgences adultes")
        nurse = people.agent(hospital.establishment.id, "care", name="Nadia NURSE")
        admin = people.agent(hospital.establishment.id, "administration", name="Aude ADMIN")
        stranger = people.agent(elsewhere.establishment.id, "care", "administration", name="Sam SUD")
    return Ground(hospital, department, sign_in(nurse), sign_in(admin), sign_in(stranger))


def latest() -> EmergencyReading:
    return max(ground.rows(EmergencyReading), key=lambda each: each.measured_at)


class TestTelling:
    def test_one_screen_says_how_it_stands(self, here: Ground, client: FlaskClient) -> None:
        address = f"{TELL}/{here.department.id}"
        assert "How does it stand now?" in here.nurse.get(address).text
        told = {"state": "saturated", "minutes": "60-120", "waiting": "23", "message_fr": "Patience", "message_en": ""}
        assert here.nurse.post(address, data=told).status_code == 303
        last = latest()
        assert (last.state, last.waiting, last.minutes_from, last.minutes_to) == ("saturated", 23, 60, 120)
        assert (last.source, last.message) == ("entered", {"fr": "Patience"})
        assert "attendance.reported" in ground.audited()
        assert "23 people are waiting" in client.get("/urgences").text
        page = here.nurse.get(address).text
        assert 'value="60-120" checked' in page.replace("checked value", "value") or "checked" in page

    def test_nobody_waits_where_nobody_is_received(self, here: Ground) -> None:
        told = {"state": "diverted", "minutes": "60-120", "waiting": "23"}
        here.nurse.post(f"{TELL}/{here.department.id}", data=told)
        assert (latest().waiting, latest().minutes_from) == (None, None)

    @pytest.mark.parametrize(
        ("answers", "said"),
        [({"state": ""}, "Say how the department stands"), ({"waiting": "-1"}, "0 to 999"),
         ({"waiting": "1000"}, "0 to 999"), ({"message_fr": "x" * 301}, "300"), ({"minutes": "1-2"}, ""),
         ({"state": "unknown"}, "")],
        ids=str,
    )  # fmt: skip
    def test_what_makes_no_sense_is_said(self, here: Ground, answers: dict[str, str], said: str) -> None:
        told = {"state": "open", "minutes": "", "waiting": ""} | answers
        refused = here.nurse.post(f"{TELL}/{here.department.id}", data=told)
        assert refused.status_code == 422
        assert said in refused.text
        assert ground.count(EmergencyReading) == 0

    def test_what_was_said_is_confirmed_or_withdrawn(self, here: Ground, client: FlaskClient) -> None:
        address = f"{TELL}/{here.department.id}"
        here.nurse.post(f"{address}/toujours-vrai")
        assert ground.count(EmergencyReading) == 0
        with prepared():
            now, it = db.now(), db.session.get_one(EmergencyDepartment, here.department.id)
            actions.report(it, attendance.told(now - timedelta(minutes=40)), now)
        assert "people are waiting" not in client.get("/urgences").text
        here.nurse.post(f"{address}/toujours-vrai")
        assert "23 people are waiting" in client.get("/urgences").text
        here.nurse.post(f"{address}/retirer")
        assert latest().state == "unknown"
        assert "Not available now" in client.get("/urgences").text
        assert ground.audited().count("attendance.withdrawn") == 1

    def test_what_an_agent_says_comes_after_a_system_whose_clock_is_fast(self, here: Ground) -> None:
        with prepared():
            now = db.now()
            told = attendance.told(now + timedelta(minutes=4), "open")
            actions.receive(here.hospital.establishment.id, [("adultes", told)], now)
        here.nurse.post(f"{TELL}/{here.department.id}", data={"state": "closed", "minutes": "", "waiting": ""})
        assert latest().state == "closed"

    def test_others_have_no_business_there(self, here: Ground) -> None:
        assert here.admin.get(TELL).status_code == 403
        address = f"{TELL}/{here.department.id}"
        assert here.stranger.get(address).status_code == 404
        for post in (address, f"{address}/retirer", f"{address}/toujours-vrai"):
            assert here.stranger.post(post, data={"state": "closed"}).status_code == 404
        assert "Urgences adultes" not in here.stranger.get(TELL).text
        assert ground.count(EmergencyReading) == 0

    def test_the_list_costs_few_statements(self, here: Ground, app: Flask) -> None:
        with prepared():
            unit = here.hospital.unit
            for number in range(5):
                attendance.department(unit, f"code-{number}")
        with executed(app) as seen:
            assert here.nurse.get(TELL).status_code == 200
        assert len(seen) <= 12


def described(here: Ground, **answers: str) -> dict[str, str]:
    return {
        "once": str(uuid4()), "unit": str(here.hospital.unit.id), "kind": "paediatric", "name": "Enfants",
        "code": "enfants", "phone": "01 99 00 19 02", "access": "Porte jaune", "position": "2", "is_published": "y",
    } | answers  # fmt: skip


class TestDescribing:
    def test_an_administrator_adds_changes_and_removes_a_department(self, here: Ground, client: FlaskClient) -> None:
        assert here.admin.post(f"{DESCRIBE}/ajouter", data=described(here)).status_code == 303
        made = next(each for each in ground.rows(EmergencyDepartment) if each.code == "enfants")
        assert (made.kind, made.access, made.is_published) == ("paediatric", "Porte jaune", True)
        assert "Enfants" in client.get("/urgences").text
        changed = described(here, name="Petits et grands", is_published="")
        del changed["is_published"]
        here.admin.post(f"{DESCRIBE}/{made.id}", data=changed)
        assert "Petits et grands" in here.admin.get(DESCRIBE).text
        assert "Petits et grands" not in client.get("/urgences").text
        here.admin.post(f"{DESCRIBE}/{made.id}/supprimer")
        assert "Petits et grands" not in here.admin.get(DESCRIBE).text
        assert here.admin.get(f"{DESCRIBE}/{made.id}").status_code == 404
        assert here.admin.post(f"{DESCRIBE}/ajouter", data=described(here)).status_code == 303

    @pytest.mark.parametrize(
        ("answers", "status"),
        [({"code": "adultes"}, 409), ({"code": "Été !"}, 422), ({"code": ""}, 422), ({"unit": str(UUID(int=4))}, 422),
         ({"kind": "dragons"}, 422), ({"position": "100"}, 422)],
        ids=str,
    )  # fmt: skip
    def test_what_makes_no_sense_is_said(self, here: Ground, answers: dict[str, str], status: int) -> None:
        assert here.admin.post(f"{DESCRIBE}/ajouter", data=described(here, **answers)).status_code == status
        assert ground.count(EmergencyDepartment) == 1

    def test_others_have_no_business_there(self, here: Ground) -> None:
        assert here.nurse.get(DESCRIBE).status_code == 403
        address = f"{DESCRIBE}/{here.department.id}"
        assert here.stranger.get(address).status_code == 404
        assert here.stranger.post(f"{address}/supprimer").status_code == 404
        assert here.stranger.post(address, data=described(here)).status_code == 404
        assert here.stranger.post(f"{DESCRIBE}/ajouter", data=described(here)).status_code == 422
