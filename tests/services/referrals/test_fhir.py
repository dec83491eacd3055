"""A practice's software sends, follows, answers and takes back; nobody reads what is not theirs."""

import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from auth.machines import actions as machines
from auth.machines.actions import Credentials, Draft
from auth.models import Professional
from portal import db, files
from portal.files import StoredFile
from services.exchanges.models import Delivery, Follower
from services.referrals import followers
from services.referrals.actions import answering, leaving
from services.referrals.actions.answering import Outcome
from services.referrals.fhir.models import ReferralIdentifier
from services.referrals.models import (
    Referral,
    ReferralFile,
    ReferralMessage,
    ReferralOffer,
    ReferralTarget,
)
from tests import ground as lookup
from tests.factories import people, referrals
from tests.ground import prepared, rows
from tests.services.referrals.conftest import Ground

BASE = "http://127.0.0.1/fhir"
MINE = "urn:oid:1.2.250.1.999.8"
OURS = f"{BASE}/identifiers"
RPPS = "urn:oid:1.2.250.1.71.4.2.1"
WRITE, READ = "system/ServiceRequest.write", "system/ServiceRequest.read"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>endobj\nxref\n0 4\n0000000000 65535 f \n"
    b"0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n"
    b"%%EOF\n"
)
DATA = base64.b64encode(PDF).decode()


@dataclass(frozen=True)
class Machine:
    """Another system, with its pass."""

    browser: FlaskClient
    token: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        given = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        kind = "application/fhir+json" if body is not None else None
        return self.browser.open(f"/fhir{path}", method=method, json=body, headers=given, content_type=kind)


class Program(FlaskClient):
    """It carries no cookie and no token of forms, and nothing of a call is left for the next one."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return Context().run(super().open, *args, **kwargs)


@pytest.fixture
def machine(app: Flask) -> Callable[..., Machine]:
    def made(establishment_id: UUID, *scopes: str) -> Machine:
        with prepared():
            known, secret = machines.add(Draft(establishment_id, "Logiciel du cabinet", list(scopes) or [WRITE]))
            client_id = known.client_id
        with prepared():
            token, _given = machines.issue(Credentials(client_id, secret), "")
        return Machine(Program(app), token)

    return made


@pytest.fixture
def practice(machine: Callable[..., Machine], ground: Ground) -> Machine:
    return machine(ground.here)


def request(*offers: ReferralOffer, value: str = "D-1", **changes: Any) -> dict[str, Any]:
    """What a practice's software sends: one resource that contains all the rest."""
    sent: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "contained": [
            {
                "resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1951-02-03",
                "name": [{"use": "official", "family": "Ferrand", "given": ["Odile"]}],
                "telecom": [{"system": "phone", "value": "06 99 00 10 20"}],
            },
            {
                "resourceType": "DocumentReference", "id": "d", "status": "current",
                "content": [{"attachment": {"contentType": "application/pdf", "title": "Courrier.pdf", "data": DATA}}],
            },
        ],
        "identifier": [{"system": MINE, "value": value}],
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "subject": {"reference": "#p"},
        "requester": {"identifier": {"system": RPPS, "value": "810000000017"}, "display": "Dr Paul LEROY"},
        "performer": [{"identifier": {"system": f"{OURS}/referral-offer", "value": str(each.id)}} for each in offers],
        "reasonCode": [{"text": "Dyspnée d’effort depuis trois semaines. Votre avis ?"}],
        "supportingInfo": [{"reference": "#d"}],
    }  # fmt: skip
    return sent | changes


def send(practice: Machine, *offers: ReferralOffer, **changes: Any) -> dict[str, Any]:
    answer = practice.ask("POST", "/ServiceRequest", request(*offers, **changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def task(practice: Machine, sent: dict[str, Any]) -> dict[str, Any]:
    found = practice.ask("GET", f"/Task?based-on=ServiceRequest/{sent['id']}").json
    assert found["total"] == 1
    return dict(found["entry"][0]["resource"])


def as_agent(ground: Ground, act: Callable[[ReferralTarget], None]) -> None:
    with db.transaction(ground.as_agent) as current:
        act(current.scalars(select(ReferralTarget).where(ReferralTarget.received_at.is_not(None))).one())


# -- the whole way -------------------------------------------------------------------------------------------------


def test_a_software_sends_is_asked_answers_is_accepted_and_follows(ground: Ground, practice: Machine) -> None:
    sent = send(practice, ground.at_north)
    assert sent["status"] == "active"
    assert task(practice, sent)["status"] == "requested"
    as_agent(ground, answering.read)
    assert task(practice, sent)["status"] == "received"

    as_agent(ground, lambda target: answering.ask(target, "Merci de joindre l’électrocardiogramme."))
    asked = task(practice, sent)
    assert asked["status"] == "on-hold"
    assert asked["businessStatus"]["coding"][0]["code"] == "asked"
    assert "électrocardiogramme" in asked["note"][0]["text"]

    reply = {
        "resourceType": "Communication", "status": "completed", "about": [{"reference": f"Task/{asked['id']}"}],
        "payload": [{"contentString": "Le voici."}, {"contentAttachment": {"title": "ecg.pdf", "data": DATA}}],
    }  # fmt: skip
    answered = practice.ask("POST", "/Communication", reply)
    assert answered.status_code == 201, answered.text
    assert answered.json["status"] == "requested"
    message = next(each for each in rows(ReferralMessage) if each.text == "Le voici.")
    assert (message.sender, message.author_name) == ("professional", "Paul LEROY")

    at = db.now().replace(microsecond=0)
    as_agent(ground, lambda target: answering.accept(target, Outcome("appointment", None, at), "À bientôt"))
    accepted = task(practice, sent)
    assert accepted["status"] == "accepted"
    assert accepted["output"][0]["type"]["text"] == "appointment"
    assert accepted["output"][0]["valueDateTime"].startswith(
        at.astimezone(ground.north.establishment.tz).isoformat()[:19]
    )
    assert [each["text"] for each in accepted["note"]][-1] == "À bientôt"


def test_the_unit_opens_what_came_with_it(ground: Ground, practice: Machine) -> None:
    send(practice, ground.at_north)
    with db.transaction(ground.as_agent) as current:
        assert current.scalar(select(func.count()).select_from(ReferralFile)) == 1
        stored = current.scalars(select(StoredFile)).one()
        assert (stored.name, stored.state) == ("Courrier.pdf", "clean")
    made = rows(Referral)[0]
    assert (made.birth_name, made.urgency, made.channel) == ("FERRAND", "two_days", "software")
    assert made.professional_id == ground.doctor.id


def test_a_document_of_the_unit_is_taken_by_its_sender_alone(
    ground: Ground, practice: Machine, machine: Callable[..., Machine]
) -> None:
    sent = send(practice, ground.at_north)
    with db.transaction(ground.as_agent):
        stored = files.receive(files.from_bytes([PDF]), "reponse.pdf")
    as_agent(ground, lambda target: answering.ask(target, "Voir ci-joint", file_ids=[stored.id]))
    url = task(practice, sent)["output"][0]["valueAttachment"]["url"].removeprefix(BASE)
    assert practice.ask("GET", url, Accept="application/fhir+json").data == PDF
    for other in (machine(ground.here), machine(ground.south.establishment.id)):
        assert other.ask("GET", url).status_code == 404


def test_a_practitioner_who_never_signed_in_finds_it_when_they_do(ground: Ground, practice: Machine) -> None:
    who = {"identifier": {"system": RPPS, "value": "10000000991"}, "display": "Dr Ève NOUVELLE"}
    send(practice, ground.at_north, requester=who)
    made = rows(Referral)[0]
    assert (made.professional_id, made.rpps, made.author_name) == (None, "10000000991", "Dr Ève NOUVELLE")
    with prepared():
        doctor = people.professional("10000000991", "NOUVELLE", "Ève")
        assert leaving.claim(doctor) == 1
    with db.transaction(people.as_professional(doctor)) as current:
        assert current.scalar(select(func.count()).select_from(Referral)) == 1


# -- once ----------------------------------------------------------------------------------------------------------


def test_the_same_request_again_is_the_same_request(ground: Ground, practice: Machine) -> None:
    first = send(practice, ground.at_north)
    for method, path, headers in (
        ("POST", "/ServiceRequest", {}),
        ("POST", "/ServiceRequest", {"If_None_Exist": f"identifier={MINE}|D-1"}),
        ("PUT", f"/ServiceRequest?identifier={MINE}|D-1", {}),
    ):
        again = practice.ask(method, path, request(ground.at_north), **headers)
        assert (again.status_code, again.json["id"]) == (200, first["id"]), again.text
    assert lookup.count(Referral) == 1


def test_two_posts_at_once_make_one_request(ground: Ground, practice: Machine) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _n: practice.ask("POST", "/ServiceRequest", request(ground.at_north)), range(2)))
    assert sorted(each.status_code for each in answers) == [200, 201]
    assert lookup.count(Referral) == 1


def test_a_bundle_is_one_request_with_what_goes_with_it(ground: Ground, practice: Machine) -> None:
    whole = request(ground.at_north, subject={"reference": "urn:uuid:p"}, supportingInfo=[{"reference": "urn:uuid:d"}])
    patient, document = whole.pop("contained")
    document["content"] = [{"attachment": {"title": "Courrier.pdf", "url": "urn:uuid:b"}}]
    binary = {"resourceType": "Binary", "contentType": "application/pdf", "data": DATA}
    bundle = {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"fullUrl": "urn:uuid:p", "resource": patient}, {"fullUrl": "urn:uuid:d", "resource": document},
            {"fullUrl": "urn:uuid:b", "resource": binary}, {"fullUrl": "urn:uuid:r", "resource": whole},
        ],
    }  # fmt: skip
    answer = practice.ask("POST", "", bundle)
    assert answer.status_code == 200, answer.text
    assert answer.json["entry"][0]["response"]["status"] == "201"
    assert (lookup.count(Referral), lookup.count(ReferralFile)) == (1, 1)


# -- taken back ----------------------------------------------------------------------------------------------------


def test_it_is_taken_back_once_and_by_whoever_sent_it(ground: Ground, practice: Machine) -> None:
    sent = send(practice, ground.at_north)
    revoked = request(status="revoked")
    other = {"identifier": {"system": RPPS, "value": "810000000033"}}
    assert practice.ask("PUT", f"/ServiceRequest/{sent['id']}", revoked | {"requester": other}).status_code == 403
    assert practice.ask("PUT", f"/ServiceRequest/{sent['id']}", revoked, If_Match='W/"99"').status_code == 412
    version = practice.ask("GET", f"/ServiceRequest/{sent['id']}").headers["ETag"]
    done = practice.ask("PUT", f"/ServiceRequest/{sent['id']}", revoked, If_Match=version)
    assert (done.status_code, done.json["status"]) == (200, "revoked"), done.text
    assert practice.ask("PUT", f"/ServiceRequest?identifier={MINE}|D-1", revoked).status_code == 200
    assert task(practice, sent)["status"] == "cancelled"


def test_what_is_over_cannot_be_taken_back(ground: Ground, practice: Machine) -> None:
    send(practice, ground.at_north)
    as_agent(ground, lambda target: answering.refuse(target, "no_place", "Voir le CH voisin"))
    refused = practice.ask("PUT", f"/ServiceRequest?identifier={MINE}|D-1", request(status="revoked"))
    assert refused.status_code == 409


def test_a_refusal_comes_with_its_reason_and_advice(ground: Ground, practice: Machine) -> None:
    sent = send(practice, ground.at_north)
    as_agent(ground, lambda target: answering.refuse(target, "no_place", "Voir le CH voisin"))
    refused = task(practice, sent)
    assert refused["status"] == "rejected"
    assert refused["statusReason"]["text"] == "Voir le CH voisin"
    assert refused["statusReason"]["coding"][0]["code"] == "no_place"


# -- refusals ------------------------------------------------------------------------------------------------------


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda sent: sent.pop(name)


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (_without("identifier"), 422),
        (_without("requester"), 422),
        (_without("performer"), 422),
        (_without("reasonCode"), 422),
        (_without("subject"), 422),
        (_without("contained"), 422),
        (_without("status"), 422),
        (lambda s: s.update(intent="option"), 422),
        (lambda s: s.update(priority="now"), 422),
        (lambda s: s.update(identifier="x"), 422),
        (lambda s: s.update(contained=[1]), 422),
        (lambda s: s.update(subject={"reference": "Patient/1"}), 422),
        (lambda s: s.update(requester={"identifier": {"system": RPPS, "value": "12"}}), 422),
        (lambda s: s.update(orderDetail=[{"coding": [{"system": f"{OURS}/referral-urgency", "code": "x"}]}]), 422),
        (lambda s: s["performer"][0]["identifier"].update(value=str(uuid4())), 422),
        (lambda s: s["performer"][0]["identifier"].update(value="x"), 422),
        (lambda s: s["performer"].append(s["performer"][0]), 422),
        (lambda s: s["contained"][0].update(birthDate="1951"), 422),
        (lambda s: s["contained"][0].update(birthDate="2950-01-01"), 422),
        (lambda s: s["contained"][0].update(name=[{"family": ["x"]}]), 422),
        (lambda s: s["contained"][1]["content"][0]["attachment"].update(data="%%%"), 422),
        (lambda s: s["contained"][1]["content"][0]["attachment"].update(data=base64.b64encode(b"MZ").decode()), 422),
        (lambda s: s.update(resourceType="Patient"), 400),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_what_makes_no_sense_is_told_and_nothing_is_kept(
    ground: Ground, practice: Machine, spoil: Callable[[dict[str, Any]], None], status: int
) -> None:
    sent = request(ground.at_north)
    spoil(sent)
    answer = practice.ask("POST", "/ServiceRequest", sent)
    assert answer.status_code == status, answer.text
    assert answer.json["resourceType"] == "OperationOutcome"
    assert answer.json["issue"][0]["diagnostics"]
    assert lookup.count(Referral) == 0


def test_what_cannot_wait_is_never_left_to_a_form(ground: Ground, practice: Machine) -> None:
    answer = practice.ask("POST", "/ServiceRequest", request(ground.at_north, priority="stat"))
    assert answer.status_code == 422
    assert "call 01 99 00 10 00" in answer.json["issue"][0]["diagnostics"]
    assert lookup.count(Referral) == 0


def test_the_units_of_another_hospital_are_not_this_machine_s_to_ask(ground: Ground, practice: Machine) -> None:
    answer = practice.ask("POST", "/ServiceRequest", request(ground.at_north, ground.at_south))
    assert answer.status_code == 422
    assert lookup.count(Referral) == 0


def test_an_infected_document_refuses_the_whole(ground: Ground, practice: Machine) -> None:
    sign = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    sent = request(ground.at_north)
    data = base64.b64encode(PDF + b"%" + sign).decode()
    sent["contained"][1]["content"][0]["attachment"]["data"] = data
    assert practice.ask("POST", "/ServiceRequest", sent).status_code == 422
    assert lookup.count(Referral) == 0


# -- who sees what -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scopes", [("system/Appointment.read",), ("system/DocumentReference.write", "system/Patient.read")]
)
def test_a_machine_without_the_scope_neither_sends_nor_reads(
    ground: Ground, machine: Callable[..., Machine], scopes: tuple[str, ...]
) -> None:
    other = machine(ground.here, *scopes)
    for method, path, body in (
        ("POST", "/ServiceRequest", request(ground.at_north)), ("GET", "/ServiceRequest", None), ("GET", "/Task", None),
        ("GET", "/ActivityDefinition", None), ("POST", "", {"resourceType": "Bundle"}),
        ("POST", "/Communication", {"resourceType": "Communication"}),
    ):  # fmt: skip
        answer = other.ask(method, path, body)
        assert (answer.status_code, answer.json["resourceType"]) == (403, "OperationOutcome"), path


def test_without_a_pass_nothing_is_answered(ground: Ground, app: Flask) -> None:
    browser = Program(app)
    for path in ("/ServiceRequest", "/Task", f"/Task/{uuid4()}", "/ActivityDefinition"):
        assert browser.get(f"/fhir{path}").status_code == 401, path


def test_each_software_follows_what_it_sent_and_the_hospital_s_system_all(
    ground: Ground, practice: Machine, machine: Callable[..., Machine]
) -> None:
    sent = send(practice, ground.at_north)
    with prepared():
        referrals.send(db.session.get_one(Professional, ground.doctor.id), ground.at_north)
    own, far = machine(ground.here, READ), machine(ground.south.establishment.id, READ, WRITE)
    colleague = machine(ground.here)
    for who, total in ((practice, 1), (own, 2), (far, 0), (colleague, 0)):
        for kind in ("ServiceRequest", "Task"):
            assert who.ask("GET", f"/{kind}").json["total"] == total
    for stranger in (far, colleague):
        assert stranger.ask("GET", f"/ServiceRequest/{sent['id']}").status_code == 404
        assert stranger.ask("GET", f"/Task/{task(practice, sent)['id']}").status_code == 404
        revoked = request(status="revoked")
        assert stranger.ask("PUT", f"/ServiceRequest/{sent['id']}", revoked).status_code == 404


def test_only_the_sender_answers_the_unit(ground: Ground, practice: Machine, machine: Callable[..., Machine]) -> None:
    asked = task(practice, send(practice, ground.at_north))
    reply = {
        "resourceType": "Communication", "about": [{"reference": f"Task/{asked['id']}"}],
        "payload": [{"contentString": "?"}],
    }  # fmt: skip
    for other in (machine(ground.here), machine(ground.here, READ, WRITE), machine(ground.south.establishment.id)):
        assert other.ask("POST", "/Communication", reply).status_code == 404
    assert practice.ask("POST", "/Communication", reply | {"payload": []}).status_code == 422
    assert practice.ask("POST", "/Communication", reply | {"about": []}).status_code == 422
    assert lookup.count(ReferralMessage) == 0


def test_the_database_shows_a_machine_what_it_sent_and_lets_nobody_forge_it(ground: Ground, practice: Machine) -> None:
    send(practice, ground.at_north)
    known = rows(ReferralIdentifier)[0]
    sender = UUID(known.sender.removeprefix("machine:"))
    mine = db.Actor("machine", "Logiciel", machine_id=sender)
    other = db.Actor("machine", "Autre", machine_id=uuid4())
    tables = (Referral, ReferralTarget, ReferralFile, ReferralIdentifier)
    for actor, seen in ((mine, 1), (other, 0), (ground.as_far_agent, 0), (db.ANONYMOUS, 0)):
        with db.transaction(actor) as current:
            assert [current.scalar(select(func.count()).select_from(each)) for each in tables] == [seen] * 4
    values = {column.key: getattr(known, column.key) for column in ReferralIdentifier.__table__.columns}
    for actor in (mine, other, ground.as_agent, ground.as_doctor):
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
            current.execute(insert(ReferralIdentifier).inline().values(values | {"value": "forged"}))


# -- searches ------------------------------------------------------------------------------------------------------


def test_searches_narrow_by_identifier_requester_status_and_change(ground: Ground, practice: Machine) -> None:
    send(practice, ground.at_north)
    send(practice, ground.at_north, value="D-2")
    for query, total in (
        (f"identifier={MINE}|D-2", 1), ("identifier=D-1", 1), (f"identifier={MINE}|D-9", 0),
        ("requester:identifier=810000000017", 2), ("requester:identifier=10000000033", 0),
        ("_lastUpdated=ge2020", 2), ("_lastUpdated=lt2020", 0), ("_id=nonsense", 0),
    ):  # fmt: skip
        for kind in ("ServiceRequest", "Task"):
            assert practice.ask("GET", f"/{kind}?{query}").json["total"] == total, query
    assert practice.ask("GET", "/ServiceRequest?status=revoked").json["total"] == 0
    assert practice.ask("GET", "/Task?status=requested,accepted").json["total"] == 2
    assert practice.ask("GET", "/Task?status=nonsense").status_code == 400
    first = practice.ask("GET", "/Task?_count=1").json
    assert (first["total"], len(first["entry"])) == (2, 1)
    assert any(each["relation"] == "next" for each in first["link"])


def test_what_units_take_is_told_with_its_rules(ground: Ground, practice: Machine) -> None:
    found = practice.ask("GET", "/ActivityDefinition").json
    assert [each["resource"]["id"] for each in found["entry"]] == [str(ground.at_north.id)]
    codes = [
        part["valueCoding"]["code"]
        for level in found["entry"][0]["resource"]["extension"]
        for part in level["extension"]
        if "valueCoding" in part
    ]
    assert codes == ["now", "two_days", "week", "month"]
    assert practice.ask("GET", f"/ActivityDefinition/{ground.at_south.id}").status_code == 404
    kinds = {each["type"] for each in practice.ask("GET", "/metadata").json["rest"][0]["resource"]}
    assert {"ServiceRequest", "Task", "Communication", "ActivityDefinition"} <= kinds


# -- webhooks ------------------------------------------------------------------------------------------------------


def test_subscribers_are_told_ids_and_states_and_nothing_else(ground: Ground, practice: Machine) -> None:
    with prepared():
        url = "https://dossier.exemple.test/recu"
        follower = Follower(id=uuid4(), establishment_id=ground.here, kind="webhook", url=url)
        follower.events = list(followers.EVENTS)
        db.session.add(follower)
    send(practice, ground.at_north)
    as_agent(ground, lambda target: answering.ask(target, "Merci de joindre l’électrocardiogramme."))
    with db.transaction(db.system("tests")):
        assert followers.plan(db.now().replace(year=2020)) == 2
        assert followers.plan(db.now().replace(year=2020)) == 0
    told = sorted(rows(Delivery), key=lambda each: each.changed_at)
    assert [each.event for each in told] == ["referral.received", "referral.changed"]
    with prepared():
        facts = followers.facts(told[-1])["referral"]
    assert set(facts) == {"id", "request", "reference", "state"}  # type: ignore[call-overload]  # facts of a webhook are JSON
    assert facts["state"] == "asked"  # type: ignore[index]  # facts of a webhook are JSON
