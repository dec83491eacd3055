"""What other systems of a hospital read and write in FHIR, and what nobody else can."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from auth.models import Patient
from portal import db, establishments
from portal.audit import AuditEvent
from services.appointments import actions, states
from services.appointments.fhir import naming
from services.appointments.fhir.models import AppointmentIdentifier
from services.appointments.models import Appointment, Claim, ConsultationSession
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.ground import count, prepared, rows
from tests.services.appointments.conftest import Ground
from tests.statements import executed

BASE = "http://127.0.0.1/fhir"
IPP = f"{BASE}/identifiers/ipp/990000017"
OTHERS = "urn:oid:1.2.250.1.999.7"
EVERYTHING = ["system/Slot.read", "system/Appointment.read", "system/Appointment.write", "system/Patient.read"]


@dataclass(frozen=True)
class Machine:
    """Another system, with its pass."""

    browser: FlaskClient
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {
            "Authorization": f"Bearer {self.token}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.browser.open(
            f"/fhir{path}", method=method, json=body, headers=given,
            content_type="application/fhir+json" if body is not None else None,
        )  # fmt: skip


class Caller(FlaskClient):
    """A program: it carries no cookie and no token of forms, and nothing of a call is left for the next one."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return Caller(app)


@pytest.fixture
def machine(client: FlaskClient) -> Callable[..., Machine]:
    def made(establishment_id: UUID, *scopes: str) -> Machine:
        with prepared():
            known, secret = machines.add(Draft(establishment_id, "Agenda", list(scopes) or EVERYTHING))
            client_id = known.client_id
        with prepared():
            token, _given = machines.issue(Credentials(client_id, secret), "")
        return Machine(client, token)

    return made


@pytest.fixture
def his(machine: Callable[..., Machine], ground: Ground) -> Machine:
    with prepared():
        people.known_at(ground.patient, ground.hospital.establishment.id, "800123")
    return machine(ground.hospital.establishment.id)


def open_to_all(ground: Ground) -> None:
    with prepared():
        establishments.change_setting(ground.hospital.establishment.id, "fhir_open_slots", "yes")


def around(ground: Ground) -> str:
    day = ground.opened.start_at
    return f"start=ge{day.date().isoformat()}&start=le{(day + timedelta(days=1)).date().isoformat()}"


def entries(answer: TestResponse, kind: str) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found = (each["resource"] for each in answer.get_json().get("entry", []))
    return [each for each in found if each["resourceType"] == kind]


def issue(answer: TestResponse, status: int, code: str) -> str:
    """The diagnostics of an OperationOutcome."""
    assert answer.status_code == status, answer.text
    assert answer.content_type.startswith("application/fhir+json")
    told = answer.get_json()
    assert told["resourceType"] == "OperationOutcome"
    assert told["issue"][0]["code"] == code, told
    return " ".join(each["diagnostics"] for each in told["issue"])


def booking(ground: Ground, cell: int = 0, ipp: str = "800123", **facts: Any) -> dict[str, Any]:
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{naming.slot_id(ground.slot(cell), ground.reason.id)}"}],
        "participant": [
            {"actor": {"type": "Patient", "identifier": {"system": IPP, "value": ipp}}, "status": "accepted"}
        ],
    } | facts


def state_of(appointment_id: str) -> str:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(Appointment, UUID(appointment_id)).state


class TestEverybody:
    def test_reads_what_the_service_can_do(self, client: FlaskClient, app: Flask) -> None:
        told = client.get("/fhir/metadata").get_json()
        assert (told["resourceType"], told["fhirVersion"], told["kind"]) == ("CapabilityStatement", "4.0.1", "instance")
        kinds = {each["type"]: each for each in told["rest"][0]["resource"]}
        assert {"Slot", "Schedule", "Practitioner", "PractitionerRole", "Appointment"} <= set(kinds)
        assert kinds["Appointment"]["conditionalUpdate"] is True

    def test_reads_no_free_time_of_a_hospital_that_did_not_open_them(self, client: FlaskClient, ground: Ground) -> None:
        assert entries(client.get(f"/fhir/Slot?status=free&{around(ground)}"), "Slot") == []

    def test_reads_free_times_where_they_are_open(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        found = entries(client.get(f"/fhir/Slot?status=free&{around(ground)}"), "Slot")
        assert len(found) == 6
        assert {each["status"] for each in found} == {"free"}
        assert ground.patient.birth_name not in str(found)

    def test_never_reads_what_is_taken(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())
        assert len(entries(client.get(f"/fhir/Slot?{around(ground)}"), "Slot")) == 5
        issue(client.get(f"/fhir/Slot?status=busy&{around(ground)}"), 401, "login")

    def test_is_offered_only_what_anybody_may_take(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        for facts in ({"by_referral_only": True}, {"open_to_new_patients": False}, {"bookable_online": False}):
            with prepared():
                why = appointments.reason(ground.hospital.unit, f"Motif {facts}", **facts)
                appointments.consultation(ground.hospital, [why], ground.opened.local_date + timedelta(days=3))
        with prepared():
            web = db.session.get_one(ConsultationSession, ground.opened.id)
            web.for_web = 0b11
        begins = ground.opened.start_at.date().isoformat()
        until = (ground.opened.start_at + timedelta(days=9)).date().isoformat()
        found = entries(client.get(f"/fhir/Slot?status=free&start=ge{begins}&start=le{until}"), "Slot")
        assert len(found) == 1

    def test_finds_no_appointment(self, client: FlaskClient, ground: Ground) -> None:
        for method, path in (("GET", "/Appointment"), ("GET", f"/Appointment/{uuid4()}"), ("POST", "/Appointment"),
                             ("PUT", "/Appointment?identifier=a|b")):  # fmt: skip
            answer = client.open(f"/fhir{path}", method=method)
            issue(answer, 401, "login")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_follows_each_reference_of_a_slot(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        slot = entries(client.get(f"/fhir/Slot?{around(ground)}"), "Slot")[0]
        assert client.get(f"/fhir/Slot/{slot['id']}").get_json()["status"] == "free"
        schedule = client.get(f"/fhir/{slot['schedule']['reference']}").get_json()
        for actor in schedule["actor"]:
            assert client.get(f"/fhir/{actor['reference']}").status_code == 200
        assert client.get(f"/fhir/Location/{ground.hospital.site.id}").get_json()["resourceType"] == "Location"
        reason = client.get(f"/fhir/HealthcareService/{ground.reason.id}").get_json()
        assert reason["name"] == ground.reason.name


class TestTheSasView:
    def sas(self, ground: Ground, rpps: str = "10000000009") -> str:
        who = quote(f"urn:oid:1.2.250.1.71.4.2.1|8{rpps}", safe=":,")
        return (
            "_include=Slot:schedule&_include:iterate=Schedule:actor"
            f"&schedule.actor:Practitioner.identifier={who}&{around(ground)}&status=free"
        )

    def test_gives_slots_with_their_schedule_practitioner_and_role(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        answer = client.get(f"/fhir/Slot?{self.sas(ground)}")
        bundle = answer.get_json()
        assert (bundle["type"], bundle["total"]) == ("searchset", 6)
        assert bundle["link"][0] == {"relation": "self", "url": f"{BASE}/Slot?{self.sas(ground)}"}
        kinds = [each["resource"]["resourceType"] for each in bundle["entry"]]
        assert kinds == ["Slot"] * 6 + ["Schedule", "Practitioner", "PractitionerRole"]
        assert all(each["resource"]["meta"]["profile"] for each in bundle["entry"])
        assert all(
            each["fullUrl"].startswith(f"{BASE}/{each['resource']['resourceType']}/") for each in bundle["entry"]
        )

    def test_gives_nothing_of_another_practitioner(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        bundle = client.get(f"/fhir/Slot?{self.sas(ground, '10000000017')}").get_json()
        assert (bundle["total"], "entry" in bundle) == (0, False)

    def test_says_where_to_book_and_at_what_moment(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        slot = entries(client.get(f"/fhir/Slot?{self.sas(ground)}"), "Slot")[0]
        assert slot["comment"].startswith("http://127.0.0.1/rendez-vous/")
        assert str(ground.slot()) in slot["comment"]
        assert str(ground.reason.id) in slot["comment"]
        assert slot["appointmentType"]["coding"][0]["code"] == "ROUTINE"
        assert slot["meta"]["security"][0]["code"] == "PUBLIC"
        assert len(slot["start"]) == len("2021-11-05T09:00:00.000+00:00")
        assert datetime.fromisoformat(slot["start"]) == ground.opened.start_at
        assert datetime.fromisoformat(slot["end"]) == ground.opened.start_at + timedelta(minutes=30)

    def test_names_the_place_with_its_postal_code(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        with prepared():
            db.session.merge(ground.hospital.site).address = "12 avenue des Tilleuls, 91990 Arceau"
        role = entries(client.get(f"/fhir/Slot?{self.sas(ground)}"), "PractitionerRole")[0]
        place = role["contained"][0]
        assert role["location"] == [{"reference": "#place", "display": "Site principal, Cardiologie"}]
        assert place["address"] == {
            "line": ["12 avenue des Tilleuls"], "city": "Arceau", "postalCode": "91990", "country": "FR",
        }  # fmt: skip
        assert role["organization"]["identifier"]["value"] == "1990000017"

    def test_answers_in_so_many_statements_however_many_slots(
        self, app: Flask, client: FlaskClient, ground: Ground
    ) -> None:
        open_to_all(ground)
        with executed(app) as few:
            client.get(f"/fhir/Slot?{self.sas(ground)}")
        with prepared():
            for ahead in range(1, 6):
                day = ground.opened.local_date + timedelta(days=ahead)
                doctor = hospitals.practitioner(ground.hospital.unit, f"2000000000{ahead}")
                appointments.consultation(ground.hospital, [ground.reason], day, practitioner=doctor)
        begins = ground.opened.start_at.date().isoformat()
        with executed(app) as many:
            found = client.get(f"/fhir/Slot?start=ge{begins}&_include=Slot:schedule&_include=Schedule:actor")
        assert found.get_json()["total"] == 36
        assert len(many) == len(few) <= 12


class TestASearch:
    def test_is_given_by_pages(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        path, seen = f"/fhir/Slot?{around(ground)}&_count=4", []
        while path:
            bundle = client.get(path).get_json()
            seen += [each["resource"]["start"] for each in bundle["entry"]]
            links = {each["relation"]: each["url"] for each in bundle["link"]}
            path = links.get("next", "").removeprefix("http://127.0.0.1")
        assert seen == sorted(seen)
        assert len(set(seen)) == 6
        assert links["previous"].endswith("_count=4")

    def test_counts_alone_when_asked_for_none(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        bundle = client.get(f"/fhir/Slot?{around(ground)}&_count=0").get_json()
        assert (bundle["total"], "entry" in bundle) == (6, False)

    def test_may_be_posted(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        answer = client.post("/fhir/Slot/_search", data={"status": "free", "_count": "2", "start": "ge2020-01-01"})
        assert len(entries(answer, "Slot")) == 2

    def test_says_what_it_left_aside(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        answer = client.get(f"/fhir/Slot?{around(ground)}&colour=red&_include=Slot:moon")
        told = entries(answer, "OperationOutcome")[0]
        assert [each["severity"] for each in told["issue"]] == ["warning", "warning"]
        assert "colour" not in answer.get_json()["link"][0]["url"]

    def test_is_refused_to_the_strict_when_it_is_not_understood(self, client: FlaskClient, ground: Ground) -> None:
        answer = client.get("/fhir/Slot?colour=red", headers={"Prefer": "handling=strict"})
        issue(answer, 400, "not-supported")

    def test_names_the_bound_it_added(self, client: FlaskClient, ground: Ground) -> None:
        link = client.get("/fhir/Slot").get_json()["link"][0]["url"]
        assert "start=lt" in link

    @pytest.mark.parametrize(
        "query",
        [
            "start=yesterday", "start=ge2026-02-30", "start=ge9999-01-01", "start=ne2026-01-01", "start=ap2026-01-01",
            "start=ge2026-01-01T25:00:00Z", "start=ge2026-01-01T10:00:00%2B99:99", "status=open", "_count=-1",
            "_count=1;drop", "_count=1&_count=2", "_offset=x", "status=%00", "status=%ff", "start=ge2020&start=le2100",
            "service-type=" + ",".join("x" * 101), "start=" + "9" * 9000,
        ],
    )  # fmt: skip
    def test_that_is_hostile_is_refused(self, client: FlaskClient, ground: Ground, query: str) -> None:
        answer = client.get(f"/fhir/Slot?{query}")
        assert answer.status_code == 400, answer.text
        assert answer.get_json()["resourceType"] == "OperationOutcome"

    @pytest.mark.parametrize(
        "query",
        [
            "schedule=Schedule/x", "schedule=x.y", "service-type=x", "service-type=urn:x|y", "schedule.actor=Device/1",
            "schedule.actor=x", "specialty=SM99", "schedule.actor:Practitioner.identifier=urn:x|1", "_offset=9999999",
        ],
    )  # fmt: skip
    def test_for_what_does_not_exist_finds_nothing(self, client: FlaskClient, ground: Ground, query: str) -> None:
        open_to_all(ground)
        assert entries(client.get(f"/fhir/Slot?{query}&{around(ground)}"), "Slot") == []

    def test_by_speciality_knows_the_national_codes(self, client: FlaskClient, ground: Ground) -> None:
        open_to_all(ground)
        asked = f"/fhir/Slot?{around(ground)}&schedule.actor:PractitionerRole.specialty="
        assert len(entries(client.get(asked + quote("TRE_R38|SM04")), "Slot")) == 6
        assert entries(client.get(asked + quote("TRE_R38|SM54")), "Slot") == []


class TestEveryRefusal:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/fhir", 405), ("GET", "/fhir/", 404), ("GET", "/fhir/Moon", 404), ("DELETE", "/fhir/Slot", 405),
            ("GET", "/fhir/Slot/x", 404), ("GET", "/fhir/Slot/x.taken.1", 404), ("GET", "/fhir/Slot/x.taken.", 404),
            ("GET", f"/fhir/Slot/{'a' * 26}.{'a' * 26}.3", 404),
            ("GET", "/fhir/Practitioner/00000000-0000-4000-8000-000000000001", 404),
            ("GET", "/fhir/Schedule/x.y", 404), ("POST", "/fhir/metadata", 405), ("GET", "/fhir/Practitioner/x", 404),
        ],
    )  # fmt: skip
    def test_is_an_operation_outcome(
        self, client: FlaskClient, app: Flask, method: str, path: str, status: int
    ) -> None:
        answer = client.open(path, method=method)
        assert (answer.status_code, answer.get_json()["resourceType"]) == (status, "OperationOutcome")
        assert answer.content_type.startswith("application/fhir+json")

    @pytest.mark.parametrize("accept", ["application/fhir+xml", "text/html", "application/fhir+json; fhirVersion=5.0"])
    def test_to_whoever_wants_something_else_than_json(self, client: FlaskClient, app: Flask, accept: str) -> None:
        issue(client.get("/fhir/metadata", headers={"Accept": accept}), 406, "not-supported")

    @pytest.mark.parametrize("accept", ["*/*", "text/html,*/*;q=0.8", "application/json", "application/fhir+json"])
    def test_is_not_for_whoever_takes_json(self, client: FlaskClient, app: Flask, accept: str) -> None:
        assert client.get("/fhir/metadata", headers={"Accept": accept}).status_code == 200

    def test_by_format_decides_over_the_header(self, client: FlaskClient, app: Flask) -> None:
        assert client.get("/fhir/metadata?_format=xml").status_code == 406
        assert client.get("/fhir/metadata?_format=json", headers={"Accept": "text/html"}).status_code == 200

    def test_of_a_bad_pass_even_where_none_is_needed(self, client: FlaskClient, app: Flask) -> None:
        issue(client.get("/fhir/metadata", headers={"Authorization": "Bearer x"}), 401, "login")

    def test_over_its_quota(self, client: FlaskClient, ground: Ground) -> None:
        with prepared():
            known, secret = machines.add(
                Draft(ground.hospital.establishment.id, "Agenda", EVERYTHING, quota_per_hour=1)
            )
            client_id = known.client_id
        with prepared():
            token, _given = machines.issue(Credentials(client_id, secret), "")
        eager = Machine(client, token)
        assert eager.ask("GET", "/Appointment").status_code == 200
        answer = eager.ask("GET", "/Appointment")
        issue(answer, 429, "throttled")
        assert int(answer.headers["Retry-After"]) > 0

    def test_beyond_its_scopes(self, machine: Callable[..., Machine], ground: Ground) -> None:
        reader = machine(ground.hospital.establishment.id, "system/Slot.read")
        issue(reader.ask("GET", "/Appointment"), 403, "forbidden")
        issue(reader.ask("POST", "/Appointment", booking(ground)), 403, "forbidden")


class TestAMachine:
    def test_books_a_free_slot_for_a_patient_it_knows(self, his: Machine, ground: Ground) -> None:
        answer = his.ask("POST", "/Appointment", booking(ground, identifier=[{"system": OTHERS, "value": "42"}]))
        made = answer.get_json()
        assert (answer.status_code, made["status"], made["meta"]["versionId"]) == (201, "booked", "1")
        assert answer.headers["ETag"] == 'W/"1"'
        assert answer.headers["Location"] == f"{BASE}/Appointment/{made['id']}"
        assert {"system": OTHERS, "value": "42"} in made["identifier"]
        assert made["participant"][0]["actor"]["identifier"] == {"system": IPP, "value": "800123"}
        assert count(Appointment) == 1
        assert his.ask("GET", f"/Appointment/{made['id']}").get_json() == made

    def test_books_by_moment_practitioner_and_reason(self, his: Machine, ground: Ground) -> None:
        sent = booking(ground) | {
            "start": ground.opened.at(2).isoformat(),
            "serviceType": [{"coding": [{"system": f"{BASE}/identifiers/reason", "code": str(ground.reason.id)}]}],
        }
        del sent["slot"]
        sent["participant"].append(
            {"actor": {"identifier": {"system": naming.RPPS, "value": "810000000009"}}, "status": "accepted"}
        )
        made = his.ask("POST", "/Appointment", sent).get_json()
        assert datetime.fromisoformat(made["start"]) == ground.opened.at(2)

    def test_that_loses_a_slot_is_told_the_nearest_ones(self, his: Machine, ground: Ground) -> None:
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())
        with prepared():
            other = people.patient("AUTRE")
            people.known_at(other, ground.hospital.establishment.id, "800999")
        told = issue(his.ask("POST", "/Appointment", booking(ground, ipp="800999")), 409, "conflict")
        assert naming.slot_id(ground.slot(2), ground.reason.id) in told
        assert count(Appointment) == 1

    def test_does_not_put_a_patient_in_two_places(self, his: Machine, ground: Ground) -> None:
        his.ask("POST", "/Appointment", booking(ground))
        with prepared():
            doctor = hospitals.practitioner(ground.hospital.unit, "20000000001")
            other = appointments.consultation(
                ground.hospital, [ground.reason], ground.opened.local_date, practitioner=doctor
            )
        sent = booking(ground, slot=[{"reference": f"Slot/{naming.slot_id(Slot(other.id, 0), ground.reason.id)}"}])
        issue(his.ask("POST", "/Appointment", sent), 409, "conflict")

    @pytest.mark.parametrize("ipp", ["nobody", "", "%"])
    def test_books_for_nobody_it_cannot_name(self, his: Machine, ground: Ground, ipp: str) -> None:
        assert his.ask("POST", "/Appointment", booking(ground, ipp=ipp)).status_code == 422
        assert count(Appointment) == 0

    def test_knows_the_patients_of_its_hospital_alone(
        self, his: Machine, machine: Callable[..., Machine], ground: Ground
    ) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre").establishment
        other = machine(elsewhere.id)
        sent = booking(ground)
        sent["participant"][0]["actor"]["identifier"]["system"] = f"{BASE}/identifiers/ipp/990000025"
        issue(other.ask("POST", "/Appointment", sent), 422, "not-found")

    def test_books_in_its_hospital_alone(self, machine: Callable[..., Machine], ground: Ground) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre").establishment
            people.known_at(ground.patient, elsewhere.id, "7")
        sent = booking(ground, ipp="7")
        sent["participant"][0]["actor"]["identifier"]["system"] = f"{BASE}/identifiers/ipp/990000025"
        issue(machine(elsewhere.id).ask("POST", "/Appointment", sent), 422, "required")
        assert count(Claim) == 0

    def test_knows_a_qualified_national_identity(self, his: Machine, ground: Ground) -> None:
        with prepared():
            person = db.session.get_one(Patient, ground.patient.id)
            person.ins, person.ins_oid = "279035121518989", "1.2.250.1.213.1.4.10"
        sent = booking(ground)
        actor = sent["participant"][0]["actor"]
        actor["identifier"] = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "279035121518989"}
        issue(his.ask("POST", "/Appointment", sent), 422, "not-found")
        with prepared():
            db.session.get_one(Patient, ground.patient.id).identity_status = "QUAL"
        assert his.ask("POST", "/Appointment", sent).status_code == 201

    def test_that_repeats_itself_books_once(self, his: Machine, ground: Ground) -> None:
        sent = booking(ground, identifier=[{"system": OTHERS, "value": "42"}])
        condition = {"If_None_Exist": f"identifier={OTHERS}|42"}
        first = his.ask("POST", "/Appointment", sent, **condition)
        again = his.ask("POST", "/Appointment", sent, **condition)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.get_json() == again.get_json()
        assert count(Appointment) == 1

    @pytest.mark.parametrize(
        "facts",
        [
            {"status": "free"}, {"status": None}, {"status": ["booked"]}, {"slot": "Slot/1"}, {"slot": [{}]},
            {"slot": [{"reference": "Slot/../../etc"}]}, {"slot": [{"reference": 3}]}, {"participant": None},
            {"participant": [None]}, {"participant": [{"actor": {"identifier": {"value": "x"}}}]},
            {"identifier": [{"system": "x"}]}, {"identifier": [{"system": "x", "value": "y" * 2000}]},
            {"start": "2026-01-01", "slot": []}, {"start": "now"}, {"start": "0001-01-01T00:00:00+00:00"},
            {"serviceType": [{"coding": [{"system": f"{BASE}/identifiers/reason", "code": "x"}]}], "slot": []},
        ],
    )  # fmt: skip
    def test_that_is_hostile_is_refused(self, his: Machine, ground: Ground, facts: dict[str, Any]) -> None:
        answer = his.ask("POST", "/Appointment", booking(ground) | facts)
        assert (answer.status_code, answer.get_json()["resourceType"]) == (422, "OperationOutcome")

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"resourceType":"Patient"}',
            b'{"resourceType":"Appointment","status":"\\ud800"}', b'{"resourceType":"Appointment","status":"\\u0000"}',
        ],
    )  # fmt: skip
    def test_that_sends_no_resource_is_refused(self, his: Machine, body: bytes) -> None:
        answer = his.browser.post(
            "/fhir/Appointment", data=body, content_type="application/fhir+json",
            headers={"Authorization": f"Bearer {his.token}"},
        )  # fmt: skip
        assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome")

    def test_speaks_json(self, his: Machine) -> None:
        answer = his.browser.post(
            "/fhir/Appointment", data="<Appointment/>", content_type="application/fhir+xml",
            headers={"Authorization": f"Bearer {his.token}"},
        )  # fmt: skip
        issue(answer, 415, "not-supported")

    def test_sees_what_is_taken_and_not_by_whom(self, his: Machine, ground: Ground) -> None:
        his.ask("POST", "/Appointment", booking(ground))
        with db.transaction(ground.actor):
            actions.hold(ground.reason.id, ground.slot(4))
        found = entries(his.ask("GET", f"/Slot?status=busy,busy-tentative&{around(ground)}"), "Slot")
        assert [each["status"] for each in found] == ["busy", "busy-tentative"]
        assert "800123" not in str(found)
        assert ground.patient.birth_name not in str(found)
        for each in found:
            assert his.ask("GET", f"/Slot/{each['id']}").get_json() == each
            issue(his.browser.get(f"/fhir/Slot/{each['id']}"), 401, "login")
        with_all = entries(his.ask("GET", f"/Slot?{around(ground)}"), "Slot")
        assert len(with_all) == 6

    def test_of_another_hospital_sees_nothing_of_it(
        self, his: Machine, machine: Callable[..., Machine], ground: Ground
    ) -> None:
        made = his.ask("POST", "/Appointment", booking(ground)).get_json()
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre").establishment
        other = machine(elsewhere.id)
        assert entries(other.ask("GET", "/Appointment"), "Appointment") == []
        assert entries(other.ask("GET", f"/Slot?status=busy&{around(ground)}"), "Slot") == []
        issue(other.ask("GET", f"/Appointment/{made['id']}"), 404, "not-found")
        issue(other.ask("PUT", f"/Appointment/{made['id']}", booking(ground, status="cancelled")), 404, "not-found")

    def test_reads_traits_only_when_it_may_read_identities(
        self, his: Machine, machine: Callable[..., Machine], ground: Ground
    ) -> None:
        made = his.ask("POST", "/Appointment", booking(ground)).get_json()
        assert made["contained"][0]["name"][0]["family"] == ground.patient.birth_name
        reader = machine(ground.hospital.establishment.id, "system/Appointment.read")
        read = reader.ask("GET", f"/Appointment/{made['id']}")
        assert ground.patient.birth_name not in read.text

    def test_leaves_a_line_in_the_audit_when_it_reads(self, his: Machine, ground: Ground) -> None:
        made = his.ask("POST", "/Appointment", booking(ground)).get_json()
        his.ask("GET", f"/Appointment/{made['id']}")
        his.ask("GET", "/Appointment")
        lines = [(each.action, each.actor.partition(":")[0]) for each in rows(AuditEvent)]
        assert ("appointment.opened", "machine") in lines
        assert ("appointment_list.read", "machine") in lines


class TestAMachineThatMayOnlyWrite:
    NAMED = {"identifier": [{"system": OTHERS, "value": "42"}]}
    CONDITION = {"If_None_Exist": f"identifier={OTHERS}|42"}

    @pytest.fixture
    def writer(self, his: Machine, machine: Callable[..., Machine], ground: Ground) -> Machine:
        """Beside another that may read, and has booked a visit."""
        his.ask("POST", "/Appointment", booking(ground, **self.NAMED))
        return machine(ground.hospital.establishment.id, "system/Appointment.write")

    def test_sees_what_it_makes(self, writer: Machine, ground: Ground) -> None:
        made = writer.ask("POST", "/Appointment", booking(ground, 4))
        assert (made.status_code, made.get_json()["status"]) == (201, "booked")

    def test_reads_nothing_of_what_was_there(self, writer: Machine, ground: Ground) -> None:
        known = rows(Appointment)[0].id
        answers = [
            writer.ask("POST", "/Appointment", booking(ground, **self.NAMED), **self.CONDITION),
            writer.ask("PUT", f"/Appointment?identifier={quote(OTHERS + '|42')}", {**booking(ground), "slot": None}),
            writer.ask("PUT", f"/Appointment/{known}", {"resourceType": "Appointment", "status": "booked"}),
        ]
        for answer in answers:
            assert (answer.status_code, answer.text, answer.headers["ETag"]) == (200, "", 'W/"1"')
            assert answer.headers["Location"] == f"{BASE}/Appointment/{known}"

    def test_changes_what_was_there_unseen(self, writer: Machine, ground: Ground) -> None:
        known = rows(Appointment)[0].id
        told = {"resourceType": "Appointment", "status": "cancelled"}
        for preference in ("return=representation", "return=minimal"):
            answer = writer.ask("PUT", f"/Appointment/{known}", told, Prefer=preference)
            assert (answer.status_code, answer.text, answer.headers["ETag"]) == (200, "", 'W/"2"')
        assert state_of(str(known)) == states.CANCELLED

    def test_leaves_no_line_of_a_reading_where_the_other_leaves_one(
        self, writer: Machine, his: Machine, ground: Ground
    ) -> None:
        def opened() -> int:
            return [each.action for each in rows(AuditEvent)].count("appointment.opened")

        writer.ask("POST", "/Appointment", booking(ground, **self.NAMED), **self.CONDITION)
        assert opened() == 0
        his.ask("POST", "/Appointment", booking(ground, **self.NAMED), **self.CONDITION)
        assert opened() == 1


class TestAPutByIdentifier:
    PATH = f"/Appointment?identifier={quote(OTHERS + '|42')}"

    def put(self, his: Machine, ground: Ground, cell: int = 0, **facts: Any) -> TestResponse:
        return his.ask("PUT", self.PATH, booking(ground, cell, **facts))

    def test_creates_then_leaves_alone(self, his: Machine, ground: Ground) -> None:
        first, again = self.put(his, ground), self.put(his, ground)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.get_json() == again.get_json()
        assert count(Appointment) == 1

    def test_sent_twice_at_once_creates_one(self, app: Flask, his: Machine, ground: Ground) -> None:
        def put(_again: int) -> int:
            with app.app_context():
                return self.put(Machine(Caller(app), his.token), ground).status_code

        with ThreadPoolExecutor(4) as together:
            answers = sorted(together.map(put, range(4)))
        assert answers == [200, 200, 200, 201]
        assert count(Appointment) == 1

    def test_moves(self, his: Machine, ground: Ground) -> None:
        self.put(his, ground)
        moved = self.put(his, ground, 4)
        assert datetime.fromisoformat(moved.get_json()["start"]) == ground.opened.at(4)
        assert moved.headers["ETag"] == 'W/"2"'
        with db.transaction(db.system("tests")) as current:
            freed = current.get_one(ConsultationSession, ground.opened.id)
            assert freed.free & 0b11 == 0b11
            assert not freed.free & 0b110000

    @pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
    def test_cancels_and_stays_cancelled(self, his: Machine, ground: Ground, status: str) -> None:
        self.put(his, ground)
        answers = [self.put(his, ground, status=status) for _ in range(2)]
        assert [(each.status_code, each.get_json()["status"]) for each in answers] == [(200, "cancelled")] * 2
        assert answers[0].headers["ETag"] == answers[1].headers["ETag"] == 'W/"2"'
        assert count(Claim) == 0
        issue(self.put(his, ground), 409, "business-rule")

    def test_says_what_became_of_a_visit(self, his: Machine, ground: Ground) -> None:
        made = self.put(his, ground).get_json()
        with prepared():
            visit = db.session.get_one(Appointment, UUID(made["id"]))
            visit.start_at, visit.end_at = db.now() - timedelta(minutes=5), db.now() + timedelta(minutes=25)
        for status, state in (("arrived", states.ARRIVED), ("arrived", states.ARRIVED), ("fulfilled", states.DONE),
                              ("noshow", states.MISSED), ("booked", states.BOOKED)):  # fmt: skip
            assert self.put(his, ground, status=status).get_json()["status"] == status
            assert state_of(made["id"]) == state

    def test_says_nothing_before_the_day(self, his: Machine, ground: Ground) -> None:
        self.put(his, ground)
        for status in ("arrived", "noshow"):
            issue(self.put(his, ground, status=status), 409, "business-rule")

    def test_contradicts_nothing(self, his: Machine, ground: Ground) -> None:
        with prepared():
            people.known_at(people.patient("AUTRE"), ground.hospital.establishment.id, "800999")
        self.put(his, ground)
        issue(self.put(his, ground, ipp="800999"), 422, "business-rule")

    def test_heeds_the_version(self, his: Machine, ground: Ground) -> None:
        self.put(his, ground)
        late = his.ask("PUT", self.PATH, booking(ground, 2), If_Match='W/"7"')
        issue(late, 412, "conflict")
        assert his.ask("PUT", self.PATH, booking(ground, 2), If_Match='W/"1"').status_code == 200
        issue(his.ask("PUT", self.PATH, booking(ground, 2), If_Match="x"), 400, "invalid")

    def test_asks_by_one_whole_identifier(self, his: Machine, ground: Ground) -> None:
        for query in ("", "?identifier=42", "?identifier=a|b&identifier=c|d", "?status=booked", "?identifier=|x",
                      "?identifier=a|%00", "?identifier=%00|b", "?identifier=a|%ff"):  # fmt: skip
            assert his.ask("PUT", f"/Appointment{query}", booking(ground)).status_code == 412
            condition = {"If_None_Exist": query or "?"}
            assert his.ask("POST", "/Appointment", booking(ground), **condition).status_code == 412
        assert count(Appointment) == 0

    def test_an_address_and_its_resource_name_the_same(self, his: Machine, ground: Ground) -> None:
        made = self.put(his, ground).get_json()
        sent = booking(ground) | {"id": str(uuid4())}
        issue(his.ask("PUT", f"/Appointment/{made['id']}", sent), 400, "invalid")
        assert his.ask("PUT", f"/Appointment/{made['id']}", sent | {"id": made["id"]}).status_code == 200

    def test_does_not_take_another_s_identifier(self, his: Machine, ground: Ground) -> None:
        self.put(his, ground)
        other = booking(ground, 4, identifier=[{"system": OTHERS, "value": "43"}, {"system": OTHERS, "value": "42"}])
        issue(his.ask("PUT", f"/Appointment?identifier={quote(OTHERS + '|43')}", other), 409, "duplicate")
        assert count(Appointment) == 1

    def test_finds_what_patients_booked_by_our_reference(self, his: Machine, ground: Ground) -> None:
        with db.transaction(ground.actor):
            made = actions.book(ground.patient.id, ground.reason.id, ground.slot())
            reference = made.reference
        path = f"/Appointment?identifier={quote(f'{BASE}/identifiers/appointment|{reference}')}"
        assert his.ask("PUT", path, booking(ground, status="cancelled")).get_json()["status"] == "cancelled"


class TestASearchOfAppointments:
    @pytest.fixture
    def made(self, his: Machine, ground: Ground) -> dict[str, Any]:
        sent = booking(ground, identifier=[{"system": OTHERS, "value": "42"}])
        return dict(his.ask("POST", "/Appointment", sent).get_json())

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", 1), ("status=booked", 1), ("status=booked,cancelled", 1), ("status=cancelled", 0),
            ("status=waitlist", 0),
            (f"identifier={OTHERS}|42", 1), ("identifier=42", 1), (f"identifier={OTHERS}|43", 0),
            ("identifier=urn:x|42", 0),
            (f"patient.identifier={IPP}|800123", 1), ("patient.identifier=800123", 1), ("patient.identifier=1", 0),
            (f"practitioner.identifier={naming.RPPS}|810000000009", 1), ("practitioner.identifier=10000000017", 0),
            ("date=ge2020-01-01", 1), ("date=lt2020-01-01", 0), ("_lastUpdated=ge2020", 1), ("_lastUpdated=le2020", 0),
            ("_id=00000000-0000-4000-8000-000000000000", 0), ("_id=x", 0), ("location=x", 0),
            ("practitioner=Practitioner/00000000-0000-4000-8000-000000000000", 0),
        ],
    )  # fmt: skip
    def test_finds(self, his: Machine, made: dict[str, Any], query: str, found: int) -> None:
        answer = his.ask("GET", f"/Appointment?{quote(query, safe='=&,:')}")
        assert len(entries(answer, "Appointment")) == answer.get_json()["total"] == found

    def test_includes_practitioners_and_places(self, his: Machine, made: dict[str, Any]) -> None:
        answer = his.ask("GET", "/Appointment?_include=Appointment:practitioner&_include=Appointment:location")
        assert len(entries(answer, "Practitioner")) == len(entries(answer, "Location")) == 1

    def test_answers_in_so_many_statements_however_many_there_are(
        self, app: Flask, his: Machine, made: dict[str, Any], ground: Ground
    ) -> None:
        with executed(app) as few:
            his.ask("GET", "/Appointment")
        for cell in (2, 4, 6):
            his.ask("POST", "/Appointment", booking(ground, cell))
        with executed(app) as many:
            assert his.ask("GET", "/Appointment").get_json()["total"] == 4
        assert len(many) == len(few) <= 12


class TestOtherSystemsIdentifiers:
    def test_are_nobody_else_s(self, his: Machine, ground: Ground) -> None:
        his.ask("POST", "/Appointment", booking(ground, identifier=[{"system": OTHERS, "value": "42"}]))
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre").establishment.id
            far = people.agent(elsewhere, "appointments")
            clerk = people.agent(ground.hospital.establishment.id, "billing")
            doctor = people.professional()
        strangers = [
            db.ANONYMOUS, ground.actor, people.as_agent(far, elsewhere, "appointments"), people.as_professional(doctor),
            people.as_agent(clerk, ground.hospital.establishment.id, "billing"),
        ]  # fmt: skip
        for actor in strangers:
            with db.transaction(actor) as current:
                assert current.scalar(select(func.count()).select_from(AppointmentIdentifier)) == 0
        assert count(AppointmentIdentifier) == 1
