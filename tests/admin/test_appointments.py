"""An agent's day: the list of a unit, somebody on the phone, a cancellation."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.models import Patient, PatientRecord
from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.kpi import KpiEvent
from services.appointments import actions
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.statements import executed

MOST_STATEMENTS = 12

SignIn = Callable[..., FlaskClient]


@dataclass(frozen=True)
class Desk:
    hospital: Hospital
    reason: Reason
    opened: ConsultationSession
    patient: Patient
    agent: FlaskClient

    @property
    def times(self) -> str:
        return f"/admin/rendez-vous/nouveau/{self.patient.id}?reason={self.reason.id}"

    @property
    def day(self) -> str:
        return f"/admin/rendez-vous?unit={self.hospital.unit.id}&day={self.opened.local_date}"


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    with db.transaction(db.system("tests")):
        where = hospitals.hospital(phone="01 99 00 00 00")
        why = appointments.reason(where.unit, bookable_online=False)
        opened = appointments.consultation(where, [why])
        caller = people.patient("LE GOFF", ("Soizic",), people.date(1951, 2, 28))
        people.known_at(caller, where.establishment.id, "8000042")
        agent = people.agent(where.establishment.id, "appointments", name="Bruno Castelain")
    return Desk(where, why, opened, caller, sign_in(agent))


def _all() -> list[Appointment]:
    with db.transaction(db.system("tests")):
        return list(session.scalars(select(Appointment)))


def _book(desk: Desk, cell: int = 0) -> Appointment:
    with db.transaction(db.system("tests")):
        return actions.book_by_phone(desk.patient.id, desk.reason.id, Slot(desk.opened.id, cell))


def _once(page: TestResponse) -> dict[str, str]:
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page.text)
    assert found
    return {"once": found[1]}


def _search(desk: Desk, **typed: str) -> TestResponse:
    return desk.agent.post(
        "/admin/rendez-vous/nouveau", data={"establishment": str(desk.hospital.establishment.id)} | typed
    )


BORN = {"birth_on-day": "28", "birth_on-month": "2", "birth_on-year": "1951"}


@pytest.mark.parametrize("typed", [
    {"ipp": "8000042"}, {"birth_name": "Le Goff", **BORN}, {"birth_name": "le-goff", **BORN},
])  # fmt: skip
def test_a_known_patient_is_found_by_number_or_by_name_and_birth_date(desk: Desk, typed: dict[str, str]) -> None:
    assert f"/admin/rendez-vous/nouveau/{desk.patient.id}" in _search(desk, **typed).text


@pytest.mark.parametrize("typed", [
    {"ipp": "9"}, {"birth_name": "GOFF", **BORN}, {"birth_name": "LE GOFF", **BORN, "birth_on-year": "1952"},
    {"birth_name": "%", **BORN},
])  # fmt: skip
def test_a_stranger_is_not_found_and_may_be_registered(desk: Desk, typed: dict[str, str]) -> None:
    page = _search(desk, **typed)
    assert str(desk.patient.id) not in page.text
    assert "/admin/rendez-vous/nouveau/patient" in page.text


@pytest.mark.parametrize(
    "typed", [{}, {"birth_name": "LE GOFF"}, BORN, {"birth_name": "x", **BORN, "birth_on-day": "31"}]
)
def test_a_search_needs_a_number_or_a_name_and_a_date(desk: Desk, typed: dict[str, str]) -> None:
    assert _search(desk, **typed).status_code == 422


def test_patients_of_another_hospital_stay_unknown(desk: Desk) -> None:
    with db.transaction(db.system("tests")):
        far = hospitals.hospital("990000025", "Autre hôpital")
        theirs = people.patient("AILLEURS", birth_on=people.date(1951, 2, 28))
        people.known_at(theirs, far.establishment.id, "5000001")
    assert str(theirs.id) not in _search(desk, birth_name="AILLEURS", **BORN).text
    assert _search(desk, establishment=str(far.establishment.id), ipp="5000001").status_code == 422
    assert desk.agent.get(f"/admin/rendez-vous/nouveau/{theirs.id}").status_code == 404
    assert desk.agent.get(f"/admin/rendez-vous/nouveau/patient?establishment={far.establishment.id}").status_code == 404


def test_a_phone_appointment_keeps_its_channel(desk: Desk) -> None:
    page = desk.agent.get(desk.times)
    answer = desk.agent.post(desk.times, data=_once(page) | {"slot": f"{desk.opened.id}-0"})
    assert answer.status_code == 303
    (made,) = _all()
    assert (made.channel, made.patient_id) == ("phone", desk.patient.id)
    assert made.reference in desk.agent.get(answer.location).text
    with db.transaction(db.system("tests")):
        event = session.scalars(select(KpiEvent).where(KpiEvent.event == "appointment_booked")).one()
        assert (event.channel, event.audience, event.dimension) == ("phone", "staff", "not_open_online")


def test_the_same_post_twice_is_one_appointment(desk: Desk) -> None:
    form = _once(desk.agent.get(desk.times)) | {"slot": f"{desk.opened.id}-0"}
    first, second = (desk.agent.post(desk.times, data=form) for _ in range(2))
    assert first.location == second.location
    assert len(_all()) == 1


def test_a_slot_lost_meanwhile_shows_the_others(desk: Desk) -> None:
    form = _once(desk.agent.get(desk.times)) | {"slot": f"{desk.opened.id}-0"}
    with db.transaction(db.system("tests")):
        actions.book_by_phone(people.patient("AUTRE").id, desk.reason.id, Slot(desk.opened.id, 0))
    page = desk.agent.post(desk.times, data=form)
    assert page.status_code == 409
    assert f'value="{desk.opened.id}-2"' in page.text
    assert len(_all()) == 1


def test_a_busy_patient_is_said_to_be_busy(desk: Desk) -> None:
    with db.transaction(db.system("tests")):
        colleague = hospitals.practitioner(desk.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(desk.hospital, [desk.reason], practitioner=colleague)
    form = _once(desk.agent.get(desk.times)) | {"slot": f"{other.id}-0"}
    _book(desk)
    assert desk.agent.post(desk.times, data=form).status_code == 409
    assert len(_all()) == 1


@pytest.mark.parametrize(("slot", "status"), [("", 422), ("x", 404), ("00000000-0000-4000-8000-000000000000-0", 404)])
def test_a_forged_slot_is_refused(desk: Desk, slot: str, status: int) -> None:
    form = _once(desk.agent.get(desk.times)) | {"slot": slot}
    assert desk.agent.post(desk.times, data=form).status_code == status


NEW = {"birth_name": "de la tour", "first_name": "Ana", "birth_on-day": "1", "birth_on-month": "6",
       "birth_on-year": "1990", "sex": "F", "mobile": "06 39 98 00 01", "email": "ana@exemple.test"}  # fmt: skip


def test_a_new_patient_is_registered_then_booked(desk: Desk) -> None:
    address = f"/admin/rendez-vous/nouveau/patient?establishment={desk.hospital.establishment.id}"
    form = _once(desk.agent.get(address)) | {"establishment": str(desk.hospital.establishment.id)} | NEW
    first, second = (desk.agent.post("/admin/rendez-vous/nouveau/patient", data=form) for _ in range(2))
    assert first.location == second.location, "registered once"
    with db.transaction(db.system("tests")):
        made = session.scalars(select(Patient).where(Patient.birth_name == "DE LA TOUR")).one()
        assert (made.identity_status, made.first_names, made.sex) == ("PROV", ["Ana"], "F")
        assert session.get(PatientRecord, (made.id, desk.hospital.establishment.id)) is not None
    assert desk.agent.get(first.location).status_code == 200


@pytest.mark.parametrize("wrong", [
    {"birth_name": " "}, {"first_name": ""}, {"birth_on-year": "1690"}, {"birth_on-year": "2390"},
    {"birth_on-day": "31"}, {"sex": "X"}, {"email": "ana"}, {"mobile": "call me"},
])  # fmt: skip
def test_traits_that_make_no_sense_are_refused(desk: Desk, wrong: dict[str, str]) -> None:
    address = f"/admin/rendez-vous/nouveau/patient?establishment={desk.hospital.establishment.id}"
    form = _once(desk.agent.get(address)) | {"establishment": str(desk.hospital.establishment.id)} | NEW | wrong
    assert desk.agent.post("/admin/rendez-vous/nouveau/patient", data=form).status_code == 422


def test_the_list_of_the_day_shows_who_is_expected_and_is_audited(desk: Desk) -> None:
    made = _book(desk)
    page = desk.agent.get(desk.day)
    for shown in ("Soizic LE GOFF", "8000042", str(made.id)):
        assert shown in page.text
    with db.transaction(db.system("tests")):
        line = session.scalars(select(AuditEvent).where(AuditEvent.action == "appointment_list.opened")).one()
        assert (line.object_id, line.details) == (desk.hospital.unit.id, {"day": desk.opened.local_date.isoformat()})


@pytest.mark.parametrize("day", ["", "2026-02-30", "x", "0001-01-01", "9999-12-31"])
def test_odd_days_are_forgiven(desk: Desk, day: str) -> None:
    assert desk.agent.get(f"/admin/rendez-vous?day={day}").status_code == 200


def test_a_unit_of_another_hospital_does_not_exist(desk: Desk) -> None:
    with db.transaction(db.system("tests")):
        far = hospitals.hospital("990000025", "Autre hôpital")
        appointments.reason(far.unit)
    assert desk.agent.get(f"/admin/rendez-vous?unit={far.unit.id}").status_code == 404


def test_opening_an_appointment_is_audited_for_the_patient(desk: Desk) -> None:
    made = _book(desk)
    assert desk.agent.get(f"/admin/rendez-vous/{made.id}").status_code == 200
    with db.transaction(db.system("tests")):
        line = session.scalars(select(AuditEvent).where(AuditEvent.action == "appointment.opened")).one()
        assert (line.patient_id, line.actor_name) == (desk.patient.id, "Bruno Castelain")


def test_an_agent_cancels_for_the_patient(desk: Desk) -> None:
    made = _book(desk)
    address = f"/admin/rendez-vous/{made.id}/annuler"
    assert desk.agent.post(address, data={"why": "not_needed"}).status_code == 422
    assert desk.agent.post(address, data={"why": "unit_closed"}).status_code == 303
    assert [(one.state, one.cancel_reason) for one in _all()] == [("cancelled", "unit_closed")]
    assert desk.agent.post(address, data={"why": "unit_closed"}).status_code == 303, "again is harmless"


@pytest.mark.parametrize("path", ["", "/annuler"])
def test_another_hospital_s_agent_does_not_see_it(desk: Desk, sign_in: SignIn, path: str) -> None:
    made = _book(desk)
    with db.transaction(db.system("tests")):
        far = hospitals.hospital("990000025", "Autre hôpital")
        agent = people.agent(far.establishment.id, "appointments")
    browser = sign_in(agent)
    ask = browser.post if path else browser.get
    assert ask(f"/admin/rendez-vous/{made.id}{path}").status_code == 404


@pytest.mark.parametrize("rights", [("billing", "preadmission", "documents", "administration", "audit")])
def test_other_rights_do_not_open_the_agenda(desk: Desk, sign_in: SignIn, rights: tuple[str, ...]) -> None:
    with db.transaction(db.system("tests")):
        clerk = people.agent(desk.hospital.establishment.id, *rights)
    assert sign_in(clerk).get("/admin/rendez-vous").status_code == 403


def test_a_hospital_without_reasons_says_so(app: Flask, sign_in: SignIn) -> None:
    with db.transaction(db.system("tests")):
        bare = hospitals.hospital()
        agent = people.agent(bare.establishment.id, "appointments")
    assert sign_in(agent).get("/admin/rendez-vous").status_code == 200


def test_pages_are_thrifty_however_many_appointments(app: Flask, desk: Desk) -> None:
    made = [_book(desk, cell) for cell in (0, 2, 4, 6, 8)]
    for page in (desk.day, desk.times, f"/admin/rendez-vous/{made[0].id}"):
        with executed(app) as statements:
            assert desk.agent.get(page).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
