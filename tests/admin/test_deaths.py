"""The identity unit's screens about deaths: recorded with a proof, what is left open, undone by two."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.death.models import Death
from auth.models import Account, Patient
from portal.audit import AuditEvent
from services.appointments.models import Appointment
from services.billing.models import Bill
from services.preadmission.models import Preadmission
from tests.english import in_english as in_english
from tests.factories import appointments, billing, people, preadmission
from tests.factories.hospitals import Hospital, hospital
from tests.ground import audited, count, prepared, rows, today
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]


@dataclass(frozen=True)
class Ground:
    place: Hospital
    patient: Patient
    appointment: Appointment
    bill: Bill
    file: Preadmission
    agent: Account
    colleague: Account

    @property
    def here(self) -> UUID:
        return self.place.establishment.id


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        place = hospital()
        here = place.establishment.id
        patient = people.patient("VALMORIN", ("Suzanne",), date(1944, 5, 17))
        people.known_at(patient, here, "800")
        why = appointments.reason(place.unit, name="Suivi de chimiothérapie")
        return Ground(
            place,
            patient,
            appointments.booked(patient, why, appointments.consultation(place, [why])),
            billing.bill(place.establishment, patient),
            preadmission.preadmission(patient, place.unit, "submitted", planned_on=today() + timedelta(days=9)),
            people.agent(here, "identity", name="Odile Maresquier"),
            people.agent(here, "identity", "appointments", name="Bruno Castelain"),
        )


def on(day: date) -> dict[str, str]:
    return {"died_on-day": str(day.day), "died_on-month": str(day.month), "died_on-year": str(day.year)}


def record(browser: FlaskClient, ground: Ground, day: date | None = None, **changes: Any) -> TestResponse:
    data = {"once": str(uuid4()), "seen": "y", **on(day or today()), **changes}
    return browser.post(f"/admin/identites/deces/nouveau/{ground.here}/{ground.patient.id}", data=data)


def address() -> str:
    (death,) = rows(Death)
    return f"/admin/identites/deces/{death.id}"


class TestRecording:
    def test_finds_the_person_and_records(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        found = browser.post(
            "/admin/identites/deces/nouveau", data={"establishment": str(ground.here), "ipp": "800"}
        ).text
        assert f"/admin/identites/deces/nouveau/{ground.here}/{ground.patient.id}" in found
        answer = record(browser, ground)
        assert (answer.status_code, answer.headers["Location"]) == (303, address())
        assert "Suzanne VALMORIN" in browser.get("/admin/identites/deces").text

    def test_asks_for_a_proof_and_a_day_that_can_be(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        for answer, words in (
            (record(browser, ground, seen=""), "Record a death only with a proof"),
            (record(browser, ground, today() + timedelta(days=2)), "still to come"),
            (record(browser, ground, date(1944, 5, 16)), "before the birth"),
        ):
            assert answer.status_code == 422
            assert words in answer.text
        assert count(Death) == 0

    def test_twice_leads_to_the_same_one(self, ground: Ground, sign_in: SignIn) -> None:
        record(sign_in(ground.agent), ground)
        assert record(sign_in(ground.colleague), ground).headers["Location"] == address()
        assert count(Death) == 1

    def test_is_for_the_identity_unit_of_a_hospital_that_knows_the_person(
        self, ground: Ground, sign_in: SignIn
    ) -> None:
        with prepared():
            elsewhere = hospital("990000025", "Ailleurs")
            far = people.agent(elsewhere.establishment.id, "identity")
            near = people.agent(ground.here, "billing", "administration")
        assert record(sign_in(near), ground).status_code == 403
        assert record(sign_in(far), ground).status_code == 404
        record(sign_in(ground.agent), ground)
        assert sign_in(far).get(address()).status_code == 404
        assert "VALMORIN" not in sign_in(far).get("/admin/identites/deces").text


class TestWhatIsLeftOpen:
    def test_is_listed_without_a_word_of_health(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        record(browser, ground)
        page = browser.get(address()).text
        for reference in (ground.appointment.reference, ground.bill.reference, ground.file.reference):
            assert reference in page
        assert "chimio" not in page

    def test_is_a_link_for_whoever_may_open_it(self, ground: Ground, sign_in: SignIn) -> None:
        record(sign_in(ground.agent), ground)
        link = f"/admin/rendez-vous/{ground.appointment.id}"
        assert link not in sign_in(ground.agent).get(address()).text
        assert link in sign_in(ground.colleague).get(address()).text

    def test_is_not_cancelled(self, ground: Ground, sign_in: SignIn) -> None:
        record(sign_in(ground.agent), ground)
        assert [each.state for each in rows(Appointment)] == ["booked"]
        assert [each.state for each in rows(Preadmission)] == ["submitted"]

    def test_looked_at_leaves_a_line(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        record(browser, ground)
        browser.get(address())
        (line,) = [each for each in rows(AuditEvent) if each.action == "death.opened"]
        assert (line.patient_id, line.actor_name) == (ground.patient.id, "Odile Maresquier")


class TestUndoing:
    def test_takes_two_agents(self, ground: Ground, sign_in: SignIn) -> None:
        first, second = sign_in(ground.agent), sign_in(ground.colleague)
        record(first, ground)
        asked = first.post(f"{address()}/demander-annulation", data={"once": str(uuid4()), "reason": "At the desk"})
        assert asked.status_code == 303
        assert "Confirm: this person is alive" not in first.get(address()).text
        first.post(f"{address()}/annuler")
        assert "another agent must confirm" in first.get(address()).text
        assert rows(Death)[0].undone_at is None
        page = second.get(address()).text
        assert "At the desk" in page
        assert "Odile Maresquier" in page
        second.post(f"{address()}/annuler")
        assert "Undone" in second.get("/admin/identites/deces").text
        assert rows(Patient)[0].deceased_on is None
        assert "death.undone" in audited()

    def test_needs_a_reason(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        record(browser, ground)
        answer = browser.post(f"{address()}/demander-annulation", data={"once": str(uuid4()), "reason": " "})
        assert answer.status_code == 422
        assert "Say what shows that it is a mistake" in answer.text

    def test_waits_at_the_top_of_the_list(self, ground: Ground, sign_in: SignIn) -> None:
        browser = sign_in(ground.agent)
        record(browser, ground)
        browser.post(f"{address()}/demander-annulation", data={"once": str(uuid4()), "reason": "x"})
        with prepared():
            other = people.patient("RÉCENT", ("Luc",), date(1950, 1, 1))
            people.known_at(other, ground.here)
        browser.post(
            f"/admin/identites/deces/nouveau/{ground.here}/{other.id}",
            data={"once": str(uuid4()), "seen": "y", **on(today())},
        )
        page = browser.get("/admin/identites/deces").text
        assert page.index("VALMORIN") < page.index("RÉCENT")
        assert "Waits for a second agent" in page


def test_the_pages_cost_few_statements(app: Flask, ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.colleague)
    record(browser, ground)
    for path, most in (("/admin/identites/deces", 12), (address(), 24)):
        with executed(app) as said:
            browser.get(path)
        reading = [each for each in said if "set_config" not in each]
        assert len(reading) <= most, reading


def test_nobody_is_dead_yet(ground: Ground, sign_in: SignIn) -> None:
    assert "No death is recorded" in sign_in(ground.agent).get("/admin/identites/deces").text
