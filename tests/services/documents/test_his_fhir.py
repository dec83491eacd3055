"""Hospital systems that speak FHIR: a DocumentReference is filed by the same rules as a message, and read back."""

import base64
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from services.documents.models import Document
from tests.factories import documents
from tests.ground import audited, prepared, rows
from tests.services.documents.conftest import Ground

Json = dict[str, Any]
READ, WRITE = "system/DocumentReference.read", "system/DocumentReference.write"
_SUBJECT = {"subject": {"reference": "#p"}}
SYSTEM = "https://his.exemple.test/documents"


@dataclass(frozen=True)
class Machine:
    """The hospital's system, with its pass."""

    browser: FlaskClient
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.token}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        kind = "application/fhir+json" if body is not None else None
        return self.browser.open(f"/fhir{path}", method=method, json=body, headers=given, content_type=kind)

    def send(self, body: Json, **headers: str) -> TestResponse:
        return self.ask("POST", "/DocumentReference", body, **headers)

    def get(self, path: str) -> Json:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())


class Caller(FlaskClient):
    """A program: no cookie, no token of forms, and nothing of a call is left for the next one."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def machine(app: Flask) -> Callable[..., Machine]:
    def made(establishment_id: UUID, *scopes: str) -> Machine:
        with prepared():
            known, secret = machines.add(Draft(establishment_id, "DPI", list(scopes or (READ, WRITE))))
            client_id = known.client_id
        with prepared():
            token, _given = machines.issue(Credentials(client_id, secret), "")
        return Machine(Caller(app), token)

    return made


@pytest.fixture
def dpi(machine: Callable[..., Machine], ground: Ground) -> Machine:
    return machine(ground.here)


def reference(data: bytes, number: str = "LET-1", **facts: Any) -> Json:
    kind = "application/pdf" if data.startswith(b"%PDF") else "text/xml"
    attachment = {"contentType": kind, "data": base64.b64encode(data).decode(), "title": "Lettre de liaison"}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "final",
        "identifier": [{"system": SYSTEM, "value": number}],
        "type": {"coding": [{"system": "http://loinc.org", "code": "11490-0", "display": "Lettre de liaison"}]},
        "date": "2026-11-20T10:00:00+01:00",
        "content": [{"attachment": attachment}],
    } | facts


def about(ground: Ground) -> Json:
    """The subject of a plain file, with the traits that an envelope would say."""
    patient = ground.patient
    person = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [{"system": f"urn:oid:{patient.ins_oid}", "value": patient.ins}],
        "name": [{"use": "official", "family": patient.birth_name, "given": patient.first_names}],
        "gender": "female",
        "birthDate": patient.birth_on.isoformat(),
    }
    return {"contained": [person], "subject": {"reference": "#p"}}


def states() -> list[tuple[str, str]]:
    return sorted((each.state, each.reason) for each in rows(Document))


def test_a_letter_is_filed_and_read_back(ground: Ground, dpi: Machine) -> None:
    made = dpi.send(reference(documents.letter(ground.traits)))
    assert made.status_code == 201, made.text
    resource = made.get_json()
    assert resource["subject"] == {"reference": f"Patient/{ground.patient.id}"}
    assert made.headers["Location"].endswith(f"/DocumentReference/{resource['id']}")
    assert dpi.get(f"/DocumentReference/{resource['id']}")["identifier"] == [{"system": SYSTEM, "value": "LET-1"}]
    binary = dpi.get(f"/Binary/{resource['id']}")
    assert base64.b64decode(binary["data"]).startswith(b"%PDF")
    codes = {"document.received_by_machine", "document.received", "document.opened", "document.downloaded"}
    assert codes <= set(audited())


def test_a_plain_file_is_filed_by_the_exact_traits_of_its_subject(ground: Ground, dpi: Machine) -> None:
    assert dpi.send(reference(documents.pdf(), **about(ground))).status_code == 201
    assert states() == [("filed", "")]


def test_a_plain_file_of_a_subject_without_traits_waits_for_a_person(ground: Ground, dpi: Machine) -> None:
    subject = {"identifier": {"system": f"urn:oid:{ground.patient.ins_oid}", "value": ground.patient.ins}}
    answer = dpi.send(reference(documents.pdf(), subject=subject)).get_json()
    assert (answer["docStatus"], "subject" in answer) == ("preliminary", False)
    assert [each.state for each in rows(Document)] == ["tray"]


def test_the_same_document_is_created_once_under_its_identifier(ground: Ground, dpi: Machine) -> None:
    body = reference(documents.letter(ground.traits))
    condition = f"identifier={SYSTEM}|LET-1"
    first = dpi.send(body, If_None_Exist=condition)
    again = dpi.send(body, If_None_Exist=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["id"] == again.get_json()["id"]
    put = dpi.ask("PUT", f"/DocumentReference?identifier={SYSTEM}|LET-1", body)
    assert put.status_code == 200
    assert len(rows(Document)) == 1


def test_a_binary_that_the_resource_contains_is_taken(ground: Ground, dpi: Machine) -> None:
    data = base64.b64encode(documents.letter(ground.traits)).decode()
    contained = [{"resourceType": "Binary", "id": "b", "contentType": "text/xml", "data": data}]
    content = [{"attachment": {"contentType": "text/xml", "url": "#b"}}]
    assert dpi.send(reference(b"", contained=contained, content=content)).status_code == 201
    assert states() == [("filed", "")]


def test_a_newer_version_replaces_and_an_error_withdraws(ground: Ground, dpi: Machine) -> None:
    dpi.send(reference(documents.pdf("1"), **about(ground)))
    target = {"code": "replaces", "target": {"identifier": {"system": SYSTEM, "value": "LET-1"}}}
    newer = dpi.send(reference(documents.pdf("2"), "LET-2", relatesTo=[target], **about(ground))).get_json()
    assert states() == [("filed", ""), ("superseded", "")]
    wrong = reference(b"x", "LET-2", status="entered-in-error", **about(ground))
    assert dpi.ask("PUT", f"/DocumentReference/{newer['id']}", wrong).get_json()["status"] == "entered-in-error"
    assert dpi.ask("GET", f"/Binary/{newer['id']}").status_code == 404


def test_another_system_withdraws_nothing(ground: Ground, dpi: Machine, machine: Callable[..., Machine]) -> None:
    made = dpi.send(reference(documents.letter(ground.traits))).get_json()
    wrong = reference(b"x", status="entered-in-error")
    assert machine(ground.here).ask("PUT", f"/DocumentReference/{made['id']}", wrong).status_code == 404
    elsewhere = machine(ground.other_hospital.establishment.id)
    assert elsewhere.ask("GET", f"/DocumentReference/{made['id']}").status_code == 404
    assert elsewhere.get("/DocumentReference")["total"] == 0
    assert states() == [("filed", "")]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?patient={patient}", 1),
        ("?patient={nobody}", 0),
        ("?patient.identifier=0012345", 1),
        ("?type=11490-0", 2),
        ("?type=http://loinc.org|57833-6", 0),
        ("?status=superseded", 0),
        ("?status=current", 2),
        (f"?identifier={SYSTEM}|LET-2", 1),
        ("?_lastUpdated=gt2020-01-01", 2),
        ("?_lastUpdated=lt2020-01-01", 0),
        ("?_count=1", 2),
    ],
)
def test_documents_are_searched(ground: Ground, dpi: Machine, query: str, count: int) -> None:
    dpi.send(reference(documents.letter(ground.traits)))
    dpi.send(reference(documents.pdf(), "LET-2"))
    assert dpi.get("/DocumentReference" + query.format(patient=ground.patient.id, nobody=uuid4()))["total"] == count


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"status": "unknown"}, 422),
        ({"identifier": []}, 422),
        ({"content": []}, 422),
        ({"content": [{"attachment": {"url": "https://ailleurs.exemple/x"}}]}, 422),
        ({"content": [{"attachment": {"data": "%%%"}}]}, 422),
        ({"content": "x"}, 422),
        ({"date": "yesterday"}, 422),
        ({"type": {"coding": "x"}}, 422),
        ({"contained": [{"resourceType": "Patient", "id": "p", "name": [{"given": 3}]}], **_SUBJECT}, 201),
        ({"resourceType": "Patient"}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(ground: Ground, dpi: Machine, change: Json, status: int) -> None:
    answer = dpi.send(reference(documents.pdf()) | change)
    assert answer.status_code == status, answer.text
    if status != 201:
        assert answer.get_json()["resourceType"] == "OperationOutcome"
        assert rows(Document) == []


def test_what_is_refused_at_the_door_says_why(ground: Ground, dpi: Machine) -> None:
    answer = dpi.send(reference(b"<note/>"))
    assert answer.status_code == 422
    assert "not_cda" in answer.text


def test_a_machine_does_what_its_pass_lets_it_do(ground: Ground, machine: Callable[..., Machine]) -> None:
    reader, writer = machine(ground.here, READ), machine(ground.here, WRITE)
    assert reader.send(reference(documents.letter(ground.traits))).status_code == 403
    made = writer.send(reference(documents.letter(ground.traits)))
    assert made.status_code == 201
    assert writer.ask("GET", f"/DocumentReference/{made.get_json()['id']}").status_code == 403
    assert Machine(reader.browser, "wrong").ask("GET", "/DocumentReference").status_code == 401
