"""What the hospital's system reads and writes of pre-admissions in FHIR, and what nobody else can."""

import base64
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from auth.models import Patient, PatientRecord
from portal import db
from portal.audit import AuditEvent
from services.preadmission import actions
from services.preadmission.fhir import jobs, naming
from services.preadmission.fhir.models import EncounterIdentifier, EncounterStir, EncounterVersion
from services.preadmission.models import Preadmission, StepAnswers
from tests.factories import people
from tests.factories import preadmission as factory
from tests.ground import count, prepared, rows, today
from tests.services.preadmission.conftest import Ground
from tests.statements import executed

BASE = "http://127.0.0.1/fhir"
IPP = f"{BASE}/identifiers/ipp/990000017"
VISIT = f"{BASE}/identifiers/visit/990000017"
UNIT = f"{BASE}/identifiers/unit/990000017"
GAP = "urn:oid:1.2.250.1.999.9"
EVERYTHING = ("system/Encounter.read", "system/Encounter.write", "system/Patient.read", "system/Coverage.read",
              "system/Binary.read")  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """The hospital's system, with its pass."""

    browser: FlaskClient
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        kind = "application/fhir+json" if body is not None else None
        return self.browser.open(f"/fhir{path}", method=method, json=body, headers=given, content_type=kind)

    def get(self, path: str) -> dict[str, Any]:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


class Caller(FlaskClient):
    """A program: no cookie, no token of forms, and nothing of a call is left for the next one."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return Caller(app)


@pytest.fixture
def machine(client: FlaskClient) -> Callable[..., Machine]:
    def made(establishment_id: UUID, *scopes: str) -> Machine:
        with prepared():
            known, secret = machines.add(Draft(establishment_id, "GAM", list(scopes or EVERYTHING)))
            client_id = known.client_id
        with prepared():
            token, _given = machines.issue(Credentials(client_id, secret), "")
        return Machine(client, token)

    return made


@pytest.fixture
def gam(machine: Callable[..., Machine], ground: Ground) -> Machine:
    with prepared():
        people.known_at(ground.patient, ground.hospital.establishment.id, "800123")
    return machine(ground.hospital.establishment.id)


def sent(ground: Ground, state: str = "submitted", **facts: Any) -> UUID:
    with prepared():
        return factory_file(ground, state, **facts).id


def factory_file(ground: Ground, state: str, **facts: Any) -> Preadmission:
    record = db.session.get(PatientRecord, (ground.patient.id, ground.hospital.establishment.id))
    if record is not None:
        db.session.expunge(record)
    return factory.preadmission(ground.patient, ground.hospital.unit, state, **facts)


def stay(**facts: Any) -> dict[str, Any]:
    """An Encounter as a hospital's system creates it."""
    return {
        "resourceType": "Encounter",
        "status": "planned",
        "class": {"system": naming.ACTS, "code": "IMP"},
        "extension": [status("CREATED")],
        "identifier": [{"use": "temp", "type": {"coding": [{"code": "VN"}]}, "system": GAP, "value": "15655244"}],
        "subject": {"identifier": {"system": IPP, "value": "800123"}},
        "period": {"start": (today() + timedelta(days=20)).isoformat()},
        "location": [{"location": {"identifier": {"system": UNIT, "value": "1001"}}}],
    } | facts


def status(code: str) -> dict[str, Any]:
    return {"url": naming.STATUS, "valueCodeableConcept": {"coding": [{"system": naming.STATUSES, "code": code}]}}


def said(code: str, words: str = "", **facts: Any) -> dict[str, Any]:
    """What the hospital's system answers to a file."""
    extension = [status(code), *([{"url": naming.INSTRUCTIONS, "valueString": words}] if words else [])]
    return {"resourceType": "Encounter", "status": "planned", "extension": extension} | facts


def code_of(resource: dict[str, Any]) -> str:
    told = next(each for each in resource["extension"] if each["url"] == naming.STATUS)
    return str(told["valueCodeableConcept"]["coding"][0]["code"])


def found(bundle: dict[str, Any], kind: str = "Encounter") -> list[dict[str, Any]]:
    return [each["resource"] for each in bundle.get("entry", []) if each["resource"]["resourceType"] == kind]


def issue(answer: TestResponse, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.content_type.startswith("application/fhir+json")
    told = answer.get_json()
    assert (told["resourceType"], told["issue"][0]["code"]) == ("OperationOutcome", code), told
    return str(told["issue"][0].get("diagnostics", ""))


def file_of(preadmission_id: UUID | str) -> Preadmission:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(Preadmission, UUID(str(preadmission_id)))


def audited(action: str) -> list[AuditEvent]:
    return [each for each in rows(AuditEvent) if each.action == action]


class TestPolling:
    def test_finds_a_file_once_it_is_sent(self, gam: Machine, ground: Ground) -> None:
        sent(ground, "draft")
        key = sent(ground)
        bundle = gam.get("/Encounter?preadmission-status=READY")
        assert [each["id"] for each in found(bundle)] == [str(key)]
        assert bundle["total"] == 1
        told = found(bundle)[0]
        assert (code_of(told), told["status"], told["class"]["code"]) == ("READY", "planned", "IMP")
        assert told["subject"]["identifier"] == {"system": IPP, "value": "800123"}

    def test_sees_nothing_of_what_the_patient_has_not_sent(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground, "draft")
        assert gam.get("/Encounter").get("entry", []) == []
        issue(gam.ask("GET", f"/Encounter/{key}"), 404, "not-found")

    def test_asks_for_what_changed_since_and_misses_nothing(self, gam: Machine, ground: Ground) -> None:
        first = sent(ground)
        since = gam.get("/Encounter")["meta"]["lastUpdated"]
        asked = f"/Encounter?_lastUpdated=gt{quote(since)}"
        assert found(gam.get(asked)) == []
        with db.transaction(ground.as_clerk) as current:
            actions.take(current.get_one(Preadmission, first))
        assert [each["id"] for each in found(gam.get(asked))] == [str(first)]

    def test_misses_no_change_that_was_committed_late(self, gam: Machine, ground: Ground) -> None:
        """A patient's transaction began before the poll and ends after it: the next poll tells of it."""
        early, late = sent(ground, "validated"), sent(ground)
        Context().run(gam.get, "/Encounter")
        with db.transaction(ground.as_clerk) as current:
            actions.take(current.get_one(Preadmission, late))
            current.flush()
            since = gam.get("/Encounter")["meta"]["lastUpdated"]
            with_late = gam.get(f"/Encounter?_id={late}")
            assert found(with_late)[0]["meta"]["versionId"] == "1"
        assert early != late
        told = found(gam.get(f"/Encounter?_lastUpdated=gt{quote(since)}"))
        assert [(each["id"], each["meta"]["versionId"]) for each in told] == [(str(late), "2")]

    def test_replays_every_change_of_two_hundred_interleaved_transactions(self, gam: Machine, ground: Ground) -> None:
        keys = [sent(ground) for _ in range(12)]
        seen: dict[str, str] = {}
        since = ""
        for number in range(40):
            with db.transaction(ground.as_clerk) as current:
                file = current.get_one(Preadmission, keys[number % 12])
                file.version += 1
                current.flush()
                if number % 3 == 0:
                    since = self._poll(gam, since, seen)
        self._poll(gam, since, seen)
        assert seen == {str(row.preadmission_id): str(row.version) for row in rows(EncounterVersion)}
        assert set(seen) == {str(key) for key in keys}

    def _poll(self, gam: Machine, since: str, seen: dict[str, str]) -> str:
        path = "/Encounter?_count=5" + (f"&_lastUpdated=gt{quote(since)}" if since else "")
        bundle = gam.get(path)
        upto = str(bundle["meta"]["lastUpdated"])
        while True:
            for each in found(bundle):
                assert int(each["meta"]["versionId"]) > int(seen.get(each["id"], "0"))
                seen[each["id"]] = each["meta"]["versionId"]
            onward = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
            if not onward:
                return upto
            bundle = gam.get(onward[0].removeprefix(BASE))

    def test_pages_skip_nothing_when_files_change_between_them(self, gam: Machine, ground: Ground) -> None:
        keys = [str(sent(ground)) for _ in range(7)]
        bundle = gam.get("/Encounter?_count=3")
        told = [each["id"] for each in found(bundle)]
        with db.transaction(ground.as_clerk) as current:
            actions.take(current.get_one(Preadmission, UUID(told[0])))
        while onward := [link["url"] for link in bundle["link"] if link["relation"] == "next"]:
            bundle = gam.get(onward[0].removeprefix(BASE))
            told += [each["id"] for each in found(bundle)]
        assert set(told) == set(keys)
        assert told.count(told[0]) == 2

    def test_pages_in_the_order_of_stays(self, gam: Machine, ground: Ground) -> None:
        for days in (30, 10, 20):
            sent(ground, planned_on=today() + timedelta(days=days))
        bundle = gam.get("/Encounter?_sort=date&_count=2")
        days = [each["period"]["start"] for each in found(bundle)]
        onward = next(link["url"] for link in bundle["link"] if link["relation"] == "next")
        days += [each["period"]["start"] for each in found(gam.get(onward.removeprefix(BASE)))]
        assert days == sorted(days)
        assert len(days) == 3

    def test_a_piece_that_changes_changes_the_version(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        assert gam.get(f"/Encounter/{key}")["meta"]["versionId"] == "1"
        with prepared():
            factory.put(factory.pieces_of(db.session.get_one(Preadmission, key))["identity"])
        assert gam.get(f"/Encounter/{key}")["meta"]["versionId"] == "2"

    @pytest.mark.parametrize(
        ("query", "is_found"),
        [
            ("date=ge{day}", True), ("date={day}", True), ("date=lt{day}", False), ("date=gt{day}", False),
            ("preadmission-status=READY,COMPLETED", True), ("preadmission-status=CANCELLED", False),
            ("patient=Patient/{patient}", True), ("patient={patient}", True), ("patient=Patient/0", False),
            ("patient.identifier={ipp}|800123", True), ("patient.identifier={ipp}|1", False),
            ("identifier={reference}", True), ("identifier={own}|{reference}", True),
            ("identifier=urn:x|{reference}", False),
            ("_id={key}", True), ("_id=x", False), ("_count=0", False),
        ],
    )  # fmt: skip
    def test_each_parameter(self, gam: Machine, ground: Ground, query: str, is_found: bool) -> None:
        day = today() + timedelta(days=12)
        key = sent(ground, planned_on=day)
        facts = {"day": day.isoformat(), "patient": ground.patient.id, "ipp": IPP, "key": key,
                 "reference": file_of(key).reference, "own": f"{BASE}/identifiers/preadmission"}  # fmt: skip
        assert bool(found(gam.get(f"/Encounter?{query.format(**facts)}"))) is is_found

    @pytest.mark.parametrize(
        "query",
        ["preadmission-status=DONE", "date=tomorrow", "_count=-1", "_count=a", "_lastUpdated=gt2026-13-01",
         "_cursor=x", "_cursor=2026-01-01~x", "_cursor=2026-01-01T00:00:00~00000000-0000-0000-0000-000000000000",
         "identifier=%00", "_id=" + ",".join("x" * 1 for _ in range(101))],
    )  # fmt: skip
    def test_hostile_parameters_are_refused(self, gam: Machine, query: str) -> None:
        answer = gam.ask("GET", f"/Encounter?{query}")
        assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome"), answer.text

    def test_what_is_not_understood_is_told(self, gam: Machine, ground: Ground) -> None:
        sent(ground)
        bundle = gam.get("/Encounter?colour=blue")
        assert bundle["entry"][-1]["search"]["mode"] == "outcome"
        issue(gam.ask("GET", "/Encounter?colour=blue", Prefer="handling=strict"), 400, "not-supported")

    def test_asks_few_questions_of_the_base(self, gam: Machine, ground: Ground, app: Flask) -> None:
        for _ in range(6):
            sent(ground)
        gam.get("/Encounter")
        with executed(app) as seen:
            gam.get("/Encounter")
        assert len(seen) <= 12, "\n".join(seen)

    def test_every_reading_is_written_down(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        gam.get("/Encounter")
        gam.get(f"/Encounter/{key}")
        gam.get(f"/Patient/{ground.patient.id}")
        assert [each.details["count"] for each in audited("preadmission_list.read")] == [1]
        read = sorted(audited("preadmission.read"), key=lambda each: each.id)
        assert [each.details["what"] for each in read] == ["encounter", "patient"]
        assert {each.patient_id for each in read} == {ground.patient.id}
        assert all(each.actor.startswith("machine:") for each in read)


class TestWhoSees:
    def test_another_hospitals_machine_sees_nothing(
        self, gam: Machine, machine: Callable[..., Machine], ground: Ground
    ) -> None:
        key = sent(ground)
        gam.get("/Encounter")
        other = machine(ground.other_hospital.establishment.id)
        assert other.get("/Encounter").get("entry", []) == []
        for path in (f"/Encounter/{key}", f"/Patient/{ground.patient.id}", f"/Coverage/amo-{key}", f"/Consent/{key}",
                     f"/RelatedPerson/relative-{key}"):  # fmt: skip
            issue(other.ask("GET", path), 404, "not-found")
        issue(other.ask("PUT", f"/Encounter/{key}", said("COMPLETED")), 404, "not-found")
        issue(other.ask("DELETE", f"/Encounter/{key}"), 404, "not-found")
        for kind in ("Coverage", "RelatedPerson", "DocumentReference"):
            assert found(other.get(f"/{kind}?encounter=Encounter/{key}"), kind) == []
        assert file_of(key).state == "submitted"

    @pytest.mark.parametrize("table", [EncounterVersion, EncounterStir, EncounterIdentifier])
    def test_others_see_no_row(self, gam: Machine, ground: Ground, table: type[db.Base]) -> None:
        made = gam.ask("POST", "/Encounter", stay()).get_json()["id"]
        sent(ground)
        assert count(table) > 0, made
        for actor in (ground.as_other_patient, ground.as_other_clerk, ground.as_patient, db.ANONYMOUS):
            with db.transaction(actor) as current:
                assert current.scalars(select(table)).all() == []

    @pytest.mark.parametrize(
        ("path", "lacking"),
        [
            ("/Encounter", "system/Encounter.read"), ("/Encounter/{key}", "system/Encounter.read"),
            ("/Patient/{patient}", "system/Patient.read"), ("/RelatedPerson?encounter={key}", "system/Patient.read"),
            ("/Encounter?_include=Encounter:patient", "system/Patient.read"),
            ("/Coverage?encounter={key}", "system/Coverage.read"), ("/Coverage/amo-{key}", "system/Coverage.read"),
            ("/DocumentReference?encounter={key}", "system/Binary.read"), ("/Binary/{key}", "system/Binary.read"),
            ("/Consent/{key}", "system/Encounter.read"),
        ],
    )  # fmt: skip
    def test_each_scope_opens_its_own_resources(
        self, machine: Callable[..., Machine], ground: Ground, path: str, lacking: str
    ) -> None:
        key = sent(ground)
        without = machine(ground.hospital.establishment.id, *(each for each in EVERYTHING if each != lacking))
        answer = without.ask("GET", path.format(key=key, patient=ground.patient.id))
        issue(answer, 403, "forbidden")
        assert lacking in answer.headers["WWW-Authenticate"]

    def test_without_a_pass_nothing_is_answered(self, client: FlaskClient) -> None:
        for path in ("/Encounter", f"/Encounter/{uuid4()}", "/Patient?_id=1", f"/Binary/{uuid4()}"):
            issue(client.get(f"/fhir{path}"), 401, "login")

    def test_who_may_only_write_reads_nothing_that_was_there(
        self, machine: Callable[..., Machine], ground: Ground
    ) -> None:
        key = sent(ground, "validated")
        writer = machine(ground.hospital.establishment.id, "system/Encounter.write")
        answer = writer.ask("PUT", f"/Encounter/{key}", said("COMPLETED"))
        assert (answer.status_code, answer.data) == (200, b"")

    def test_confidential_and_masked_stays_are_flagged_and_not_lost(self, gam: Machine, ground: Ground) -> None:
        secret, kept = sent(ground), sent(ground)
        with prepared():
            db.session.get_one(Preadmission, secret).confidential = True
            db.session.get_one(Preadmission, kept).masked = True
        told = {each["id"]: each["meta"]["security"][0]["code"] for each in found(gam.get("/Encounter"))}
        assert told == {str(secret): "V", str(kept): "R"}

    def test_the_name_is_for_those_who_read_identities(self, machine: Callable[..., Machine], ground: Ground) -> None:
        sent(ground)
        reader = machine(ground.hospital.establishment.id, "system/Encounter.read")
        assert ground.patient.birth_name not in reader.ask("GET", "/Encounter").text

    def test_what_an_invited_patient_writes_is_theirs_until_it_is_sent(self, gam: Machine, ground: Ground) -> None:
        made = gam.ask("POST", "/Encounter", stay()).get_json()["id"]
        with prepared():
            file = db.session.get_one(Preadmission, UUID(made))
            factory._write(file, {each.step: each for each in factory.everything(factory.queries.facts(file))})
        assert count(StepAnswers) > 0
        with db.transaction(ground.as_clerk) as current:
            assert current.scalars(select(StepAnswers)).all() == []
        assert found(gam.get(f"/Coverage?encounter={made}"), "Coverage") == []


class TestInside:
    def test_the_patient_is_told_with_strict_traits_and_a_provisional_identity(
        self, gam: Machine, ground: Ground
    ) -> None:
        sent(ground)
        told = gam.get(f"/Patient/{ground.patient.id}")
        assert told["name"][0]["family"] == ground.patient.birth_name
        assert {each["url"] for each in told["extension"]} == {naming.RELIABILITY, naming.BIRTH_PLACE}
        assert told["extension"][0]["extension"][0]["valueCoding"]["code"] == "PROV"
        assert "1.2.250.1.213" not in str(told["identifier"])
        assert {each["value"] for each in told["telecom"]} == {"+33639980001", "patiente@exemple.test"}
        included = found(gam.get("/Encounter?_include=Encounter:patient"), "Patient")
        assert included == [told]

    def test_the_ins_is_told_of_a_qualified_identity_alone(self, gam: Machine, ground: Ground) -> None:
        sent(ground)
        with prepared():
            person = db.session.get_one(Patient, ground.patient.id)
            person.ins, person.ins_oid = "279035121518989", "1.2.250.1.213.1.4.8"
        assert "279035121518989" not in str(gam.get(f"/Patient/{ground.patient.id}"))
        with prepared():
            db.session.get_one(Patient, ground.patient.id).identity_status = "QUAL"
        told = gam.get(f"/Patient/{ground.patient.id}")
        assert "279035121518989" in [each["value"] for each in told["identifier"]]
        assert told["extension"][0]["extension"][0]["valueCoding"]["code"] == "VALI"
        assert told["meta"]["profile"] == [naming.PROFILES["PatientINS"]]

    def test_covers_say_who_pays(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        amo, amc = found(gam.get(f"/Coverage?encounter=Encounter/{key}"), "Coverage")
        assert (amo["type"]["coding"][0]["code"], amo["subscriberId"]) == ("PUBLICPOL", factory.NIR)
        assert (amc["type"]["coding"][0]["code"], amc["payor"][0]["display"]) == ("EHCPOL", "Mutuelle de l’Arche")
        assert gam.get(f"/Coverage/{amo['id']}") == amo
        assert found(gam.get(f"/Coverage?patient={ground.patient.id}"), "Coverage") == [amo, amc]

    def test_three_choices_are_one_consent_of_three_provisions(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        told = gam.get(f"/Consent/{key}")
        below = told["provision"]["provision"]
        assert [each.get("type") for each in below] == [None, "permit", "permit"]
        assert [each["purpose"][0]["code"] for each in below] == ["TREAT", "TREAT", "PATREQ"]
        assert found(gam.get(f"/Consent?data=Encounter/{key}"), "Consent") == [told]

    def test_people_named_are_told_with_their_part(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        told = found(gam.get(f"/RelatedPerson?encounter={key}"), "RelatedPerson")
        assert [each["id"] for each in told] == [f"relative-{key}"]
        assert told[0]["relationship"][0]["coding"][0]["code"] == "C"

    def test_pieces_are_read_as_they_were_sent(self, gam: Machine, ground: Ground) -> None:
        content = factory.photo("RECTO")
        with prepared():
            file = factory_file(ground, "submitted")
            factory.put(factory.pieces_of(file)["identity"], content=content)
            key = file.id
        with prepared():
            for each in db.session.scalars(select(factory.StoredFile)):
                each.state = "clean"
        told = found(gam.get(f"/DocumentReference?encounter={key}"), "DocumentReference")
        assert [each["type"]["coding"][0]["code"] for each in told] == ["JUSTIFICATIF_ID"]
        address = told[0]["content"][0]["attachment"]["url"].removeprefix(BASE)
        assert base64.b64decode(gam.get(address)["data"]) == content
        raw = gam.ask("GET", address, Accept="image/png, */*;q=0.1")
        assert (raw.mimetype, raw.data) == ("image/png", content)
        assert found(gam.get(f"/DocumentReference?encounter={key}&type=CN_RECTO"), "DocumentReference") == []
        assert audited("piece.opened")

    def test_health_pieces_are_not_the_admissions_offices(self, gam: Machine, ground: Ground) -> None:
        with prepared():
            file = factory_file(ground, "submitted", stay_kind="outpatient")
            piece = factory.put(factory.pieces_of(file)["prescription"])
            page, key = piece.pages[0].id, file.id
            for each in db.session.scalars(select(factory.StoredFile)):
                each.state = "clean"
        assert found(gam.get(f"/DocumentReference?encounter={key}"), "DocumentReference") == []
        issue(gam.ask("GET", f"/Binary/{page}"), 404, "not-found")
        issue(gam.ask("GET", f"/DocumentReference/{page}"), 404, "not-found")

    @pytest.mark.parametrize("path", ["/Coverage/amo-x", "/Coverage/x", "/RelatedPerson/trust", "/Consent/x"])
    def test_ids_that_are_not_ours_are_not_found(self, gam: Machine, path: str) -> None:
        issue(gam.ask("GET", path), 404, "not-found")

    @pytest.mark.parametrize("kind", ["Patient", "Coverage", "RelatedPerson", "Consent", "DocumentReference"])
    def test_a_search_says_of_what(self, gam: Machine, kind: str) -> None:
        issue(gam.ask("GET", f"/{kind}"), 400, "required")


class TestWriting:
    def test_a_known_stay_waits_for_its_patient(self, gam: Machine, ground: Ground) -> None:
        answer = gam.ask("POST", "/Encounter", stay())
        assert answer.status_code == 201, answer.text
        told = answer.get_json()
        assert (code_of(told), answer.headers["ETag"]) == ("CREATED", 'W/"1"')
        assert answer.headers["Location"] == f"{BASE}/Encounter/{told['id']}"
        assert {"system": GAP, "value": "15655244"}.items() <= told["identifier"][0].items()
        file = file_of(told["id"])
        assert (file.state, file.patient_id, file.ipp) == ("draft", ground.patient.id, "800123")
        assert found(gam.get("/Encounter?preadmission-status=CREATED"))[0]["id"] == told["id"]

    def test_it_is_in_progress_once_the_patient_has_begun(self, gam: Machine, ground: Ground) -> None:
        made = gam.ask("POST", "/Encounter", stay()).get_json()["id"]
        with db.transaction(ground.as_patient) as current:
            file = current.get_one(Preadmission, UUID(made))
            actions.fill(file, factory.Situation())
        assert code_of(gam.get(f"/Encounter/{made}")) == "IN_PROGRESS"

    def test_is_created_once_under_its_identifier(self, gam: Machine) -> None:
        query = quote(f"{GAP}|15655244")
        made = gam.ask("PUT", f"/Encounter?identifier={query}", stay())
        again = gam.ask("PUT", f"/Encounter?identifier={query}", stay())
        third = gam.ask("POST", "/Encounter", stay(), If_None_Exist=f"identifier={query}")
        assert [made.status_code, again.status_code, third.status_code] == [201, 200, 200]
        assert len({each.get_json()["id"] for each in (made, again, third)}) == 1
        assert count(Preadmission) == 1

    @pytest.mark.parametrize(
        ("facts", "status", "code"),
        [
            ({"subject": {"identifier": {"system": IPP, "value": "1"}}}, 422, "not-found"),
            ({"subject": {}}, 422, "not-found"), ({"period": {}}, 422, "required"), ({"class": {}}, 422, "required"),
            ({"class": {"code": "EMER"}}, 422, "value"), ({"period": {"start": "soon"}}, 422, "value"),
            ({"period": {"start": "2001-01-01"}}, 422, "business-rule"),
            ({"extension": [status("DONE")]}, 422, "value"),
            ({"extension": [status("READY")]}, 409, "business-rule"), ({"extension": "x"}, 422, "value"),
            ({"identifier": [{}]}, 422, "value"), ({"identifier": 3}, 422, "value"), ({"subject": []}, 422, "value"),
            ({"appointment": [{"reference": "Appointment/x"}]}, 422, "value"),
            ({"location": [{"location": {"identifier": {"system": UNIT, "value": "9"}}}]}, 422, "required"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_and_nothing_is_made(
        self, gam: Machine, facts: dict[str, Any], status: int, code: str
    ) -> None:
        issue(gam.ask("POST", "/Encounter", stay(**facts)), status, code)
        assert count(Preadmission) == 0

    def test_an_appointment_is_kept(self, gam: Machine) -> None:
        key = f"Appointment/{uuid4()}"
        made = gam.ask("POST", "/Encounter", stay(appointment=[{"reference": key}])).get_json()
        assert gam.get(f"/Encounter/{made['id']}")["appointment"] == [{"reference": key}]

    def test_numbers_come_back_and_the_file_is_integrated(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground, "validated")
        body = said("COMPLETED", identifier=[{"use": "official", "system": VISIT, "value": "V2026-7"}],
                    subject={"identifier": {"system": IPP, "value": "800123"}})  # fmt: skip
        answer = gam.ask("PUT", f"/Encounter/{key}", body)
        assert answer.status_code == 200, answer.text
        file = file_of(key)
        assert (file.state, file.visit_number, file.ipp) == ("integrated", "V2026-7", "800123")
        again = gam.ask("PUT", f"/Encounter/{key}", body)
        assert (again.status_code, file_of(key).state) == (200, "integrated")
        assert found(gam.get(f"/Encounter?identifier={quote(f'{VISIT}|V2026-7')}"))[0]["id"] == str(key)

    def test_acceptance_takes_the_pieces_that_were_sent(self, gam: Machine, ground: Ground) -> None:
        with prepared():
            file = factory_file(ground, "submitted")
            for piece in factory.pieces_of(file).values():
                if piece.needed:
                    factory.put(piece)
            for each in db.session.scalars(select(factory.StoredFile)):
                each.state = "clean"
            key = file.id
        assert gam.ask("PUT", f"/Encounter/{key}", said("COMPLETED")).status_code == 200
        assert file_of(key).state == "validated"
        with prepared():
            states = {piece.state for piece in factory.pieces_of(file_of(key)).values() if piece.needed}
        assert states == {"accepted"}

    def test_acceptance_waits_for_a_piece_that_is_missing(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        issue(gam.ask("PUT", f"/Encounter/{key}", said("COMPLETED")), 409, "business-rule")
        assert file_of(key).state == "submitted"

    def test_a_refusal_says_why(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        issue(gam.ask("PUT", f"/Encounter/{key}", said("REFUSED")), 422, "required")
        words = "Ce séjour est prévu dans un autre hôpital."
        told = gam.ask("PUT", f"/Encounter/{key}", said("REFUSED", words)).get_json()
        assert code_of(told) == "REFUSED"
        assert {"url": naming.INSTRUCTIONS, "valueString": words} in told["extension"]
        assert file_of(key).decision_reason == words

    def test_a_file_is_sent_back_for_what_is_refused_in_it(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground, "in_review")
        with prepared():
            piece = factory.pieces_of(db.session.get_one(Preadmission, key))["identity"]
            factory.put(piece, "refused", reason="unreadable")
        told = gam.ask("PUT", f"/Encounter/{key}", said("IN_PROGRESS", "Envoyez une photo plus nette.")).get_json()
        assert code_of(told) == "IN_PROGRESS"
        assert file_of(key).state == "to_complete"
        assert "identity: unreadable" in str(told["extension"])

    def test_the_hospital_moves_its_stays(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        day = today() + timedelta(days=40)
        assert gam.ask("PUT", f"/Encounter/{key}", said("READY", period={"start": day.isoformat()})).status_code == 200
        assert file_of(key).planned_on == day
        late = said("READY", period={"start": f"{date(2027, 3, 1)}T23:30:00+00:00"})
        assert gam.ask("PUT", f"/Encounter/{key}", late).status_code == 200
        assert file_of(key).planned_on == date(2027, 3, 2)

    def test_another_patients_file_is_not_taken(self, gam: Machine, ground: Ground) -> None:
        with prepared():
            people.known_at(ground.other_patient, ground.hospital.establishment.id, "800999")
        key = sent(ground)
        body = said("READY", subject={"identifier": {"system": IPP, "value": "800999"}})
        issue(gam.ask("PUT", f"/Encounter/{key}", body), 422, "business-rule")
        issue(gam.ask("PUT", f"/Encounter/{key}", said("READY", subject={"reference": f"Patient/{uuid4()}"})), 422,
              "business-rule")  # fmt: skip

    def test_an_identifier_names_one_file(self, gam: Machine, ground: Ground) -> None:
        gam.ask("POST", "/Encounter", stay())
        key = sent(ground)
        body = said("READY", identifier=[{"system": GAP, "value": "15655244"}])
        issue(gam.ask("PUT", f"/Encounter/{key}", body), 409, "duplicate")

    def test_the_stay_of_another_patient_is_not_taken(self, gam: Machine, ground: Ground) -> None:
        with prepared():
            theirs = factory.preadmission(ground.other_patient, ground.hospital.unit, "integrated")
            theirs.visit_number = "V2026-9"
        key = sent(ground, "validated")
        named = [{"use": "official", "system": VISIT, "value": "V2026-9"}]
        issue(gam.ask("PUT", f"/Encounter/{key}", said("COMPLETED", identifier=named)), 409, "duplicate")
        issue(gam.ask("POST", "/Encounter", stay(identifier=named)), 409, "duplicate")
        assert file_of(key).visit_number == ""

    def test_who_read_an_older_version_changes_nothing(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        tag = gam.ask("GET", f"/Encounter/{key}").headers["ETag"]
        with db.transaction(ground.as_clerk) as current:
            actions.take(current.get_one(Preadmission, key))
        refused = gam.ask("PUT", f"/Encounter/{key}", said("REFUSED", "Non."), If_Match=tag)
        issue(refused, 412, "conflict")
        assert file_of(key).state == "in_review"
        tag = gam.ask("GET", f"/Encounter/{key}").headers["ETag"]
        assert gam.ask("PUT", f"/Encounter/{key}", said("REFUSED", "Non."), If_Match=tag).status_code == 200

    def test_deleting_cancels_and_again_is_the_same(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        assert [gam.ask("DELETE", f"/Encounter/{key}").status_code for _ in range(2)] == [204, 204]
        assert file_of(key).state == "cancelled_by_hospital"
        told = gam.get(f"/Encounter/{key}")
        assert (code_of(told), told["status"]) == ("CANCELLED", "cancelled")

    def test_a_stay_that_took_place_is_not_cancelled(self, gam: Machine, ground: Ground) -> None:
        issue(gam.ask("DELETE", f"/Encounter/{sent(ground, 'closed')}"), 409, "business-rule")

    def test_the_body_is_an_encounter(self, gam: Machine, ground: Ground) -> None:
        key = sent(ground)
        issue(gam.ask("PUT", f"/Encounter/{key}", {"resourceType": "Patient"}), 400, "invalid")
        issue(gam.ask("PUT", f"/Encounter/{key}", said("READY", id=str(uuid4()))), 400, "invalid")
        issue(gam.ask("PUT", "/Encounter?identifier=x", said("READY")), 412, "invalid")


def test_what_nobody_polls_is_kept_short_and_what_was_erased_forgotten(gam: Machine, ground: Ground) -> None:
    gam.ask("POST", "/Encounter", stay())
    key = sent(ground)
    with prepared():
        factory.put(factory.pieces_of(db.session.get_one(Preadmission, key))["identity"])
    assert count(EncounterStir) > 0
    for _round in range(2):
        jobs.give_versions()
    assert count(EncounterStir) == 0
    assert {row.preadmission_id for row in rows(EncounterVersion)} >= {key}
    with prepared():
        for file in db.session.scalars(select(Preadmission)):
            file.state, file.submitted_at = "purged", None
    jobs.give_versions()
    assert count(EncounterIdentifier) == 0


def test_metadata_says_so(client: FlaskClient, app: Flask) -> None:
    told = {each["type"]: each for each in client.get("/fhir/metadata").get_json()["rest"][0]["resource"]}
    assert {"Encounter", "Patient", "Coverage", "Consent", "DocumentReference", "RelatedPerson", "Binary"} <= set(told)
    assert {each["code"] for each in told["Encounter"]["interaction"]} == {
        "read", "search-type", "create", "update", "delete",
    }  # fmt: skip
