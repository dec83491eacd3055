"""Terminals of the halls, for those who administer a hospital: a code shown once, a service that may be ended."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from admin import kiosk_stays
from auth.models import Account
from portal import db
from services.appointments.kiosk import actions
from services.appointments.kiosk.actions import Described
from services.appointments.kiosk.models import Kiosk
from tests import ground
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories import kiosk as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
PAGE = "/admin/bornes"


@dataclass
class Ground:
    hospital: Hospital
    elsewhere: Hospital
    admin: FlaskClient
    stranger: FlaskClient
    agent: FlaskClient


@pytest.fixture
def here(app: Flask, sign_in: SignIn) -> Ground:
    with prepared():
        hospital, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
        admin = people.agent(hospital.establishment.id, "administration", name="Aude ADMIN")
        stranger = people.agent(elsewhere.establishment.id, "administration", name="Sam SUD")
        agent = people.agent(hospital.establishment.id, "appointments", name="Alix AGENDA")
    return Ground(hospital, elsewhere, sign_in(admin), sign_in(stranger), sign_in(agent))


def told(here: Ground, **answers: object) -> dict[str, object]:
    usual = {"once": str(uuid4()), "establishment": str(here.hospital.establishment.id), "name": "Grand hall",
             "place": "À gauche", "early_min": "90", "late_min": "15"}  # fmt: skip
    return usual | answers


def test_a_terminal_is_added_put_in_service_changed_and_shut_out(here: Ground, client: FlaskClient) -> None:
    answer = here.admin.post(f"{PAGE}/ajouter", data=told(here, units=[str(here.hospital.unit.id)]))
    assert answer.status_code == 200
    shown = re.search(r"<strong>([0-9A-Z]{4} [0-9A-Z]{4})</strong>", answer.text)
    assert shown is not None
    made = ground.rows(Kiosk)[0]
    assert (made.unit_ids, made.early_min, made.late_min) == ([here.hospital.unit.id], 90, 15)
    assert "Waits for its code" in here.admin.get(PAGE).text
    assert client.post("/borne/activer", data={"code": shown[1]}).status_code == 303
    assert "In service" in here.admin.get(PAGE).text
    here.admin.post(f"{PAGE}/{made.id}", data=told(here, name="Petit hall"))
    assert "Petit hall" in here.admin.get(PAGE).text
    assert ground.rows(Kiosk)[0].unit_ids == []
    with prepared():
        db.session.get_one(Kiosk, made.id).seen_at = db.now() - timedelta(hours=1)
    assert "Silent" in here.admin.get(PAGE).text
    assert here.admin.post(f"{PAGE}/{made.id}/code").status_code == 200
    here.admin.post(f"{PAGE}/{made.id}/retirer")
    assert "Shut out" in here.admin.get(PAGE).text
    assert here.admin.post(f"{PAGE}/{made.id}/code").status_code == 404
    assert {"kiosk.added", "kiosk.activated", "kiosk.changed", "kiosk.code_given", "kiosk.revoked"} <= set(
        ground.audited()
    )


def test_a_button_touched_twice_makes_one_terminal_and_one_code(here: Ground, client: FlaskClient) -> None:
    asked = told(here)
    pages = [here.admin.post(f"{PAGE}/ajouter", data=asked).text for _time in range(2)]
    codes = {re.search(r"<strong>([0-9A-Z]{4} [0-9A-Z]{4})</strong>", page)[1] for page in pages}  # type: ignore[index]  # it is on each
    made = ground.rows(Kiosk)
    assert (len(made), len(codes)) == (1, 1)
    assert ground.audited().count("kiosk.added") == 1
    for _time in range(2):
        codes |= set(re.findall(r"<strong>([0-9A-Z]{4} [0-9A-Z]{4})</strong>",
                                here.admin.post(f"{PAGE}/{made[0].id}/code").text))  # fmt: skip
    assert len(codes) == 1
    assert client.post("/borne/activer", data={"code": codes.pop()}).status_code == 303
    again = here.admin.post(f"{PAGE}/ajouter", data=asked)
    assert (again.status_code, again.location) == (303, f"{PAGE}/{made[0].id}"), "typed, it serves no more"
    assert here.admin.post(f"{PAGE}/ajouter", data=told(here, once="x")).status_code == 400
    here.admin.post(f"{PAGE}/ajouter", data=told(here))
    assert ground.count(Kiosk) == 2


def test_a_code_is_of_one_terminal_and_one_half_hour(here: Ground) -> None:
    with prepared():
        place, now = here.hospital.establishment.id, db.now()
        kiosk, first = actions.add(place, Described("Hall"), now)
        other = actions.add(place, Described("Hall"), now)[1]
        later = actions.renew(kiosk, now + timedelta(minutes=1))
        assert len({first, other, later}) == 3
        assert actions.renew(kiosk, now + timedelta(seconds=65)) == later
        actions.activate(later, now + timedelta(minutes=2))
        assert actions.renew(kiosk, now + timedelta(minutes=2, seconds=1)) not in (first, later)


@pytest.mark.parametrize(
    ("answers", "said"),
    [({"name": ""}, "Name the terminal"), ({"early_min": "721"}, "0 to 720"), ({"late_min": ""}, "0 to 720"),
     ({"units": [str(UUID(int=7))]}, "")],
    ids=str,
)  # fmt: skip
def test_what_makes_no_sense_is_said(here: Ground, answers: dict[str, object], said: str) -> None:
    refused = here.admin.post(f"{PAGE}/ajouter", data=told(here, **answers))
    assert refused.status_code == 422
    assert said in refused.text
    assert ground.count(Kiosk) == 0


def test_others_have_no_business_there(here: Ground) -> None:
    with prepared():
        kiosk, _code = factory.waiting(here.hospital.establishment.id)
    assert here.agent.get(PAGE).status_code == 403
    assert "Grand hall" not in here.stranger.get(PAGE).text
    for path in (f"{PAGE}/{kiosk.id}", f"{PAGE}/{kiosk.id}/code", f"{PAGE}/{kiosk.id}/retirer"):
        assert here.stranger.post(path, data=told(here)).status_code == 404
    assert here.stranger.get(f"{PAGE}/{kiosk.id}").status_code == 404
    refused = here.stranger.post(f"{PAGE}/ajouter", data=told(here))
    assert refused.status_code == 422
    assert ground.count(Kiosk) == 1


def test_the_list_costs_few_statements(here: Ground, app: Flask) -> None:
    with prepared():
        for number in range(6):
            factory.in_service(here.hospital.establishment.id, f"Borne {number}", [here.hospital.unit.id])
    with executed(app) as seen:
        assert "Borne 5" in here.admin.get(PAGE).text
    assert len(seen) <= 12


def test_a_code_is_kept_as_a_digest_alone(here: Ground) -> None:
    with prepared():
        kiosk, code = factory.waiting(here.hospital.establishment.id)
        token = actions.activate(code, db.now())
    row = ground.rows(Kiosk)[0]
    assert row.code_digest is None
    assert row.token_digest == actions.digest(token) != token.encode()
    assert kiosk.id == row.id


def test_no_stay_to_prepare_is_nothing_to_say(here: Ground) -> None:
    with prepared():
        person = people.patient()
        assert kiosk_stays.is_unfinished(person.id, here.hospital.establishment.id, ground.today()) is False
