"""Other systems of the hospital read questionnaires and answers in FHIR R4, and as a PDF; nothing else does."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import UUID

import pikepdf
import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from services.questionnaires.definition.items import Answers, Coding, Quantity
from services.questionnaires.definition.parsing import read
from services.questionnaires.models import Questionnaire, SentQuestionnaire
from tests.factories import questionnaires as factory
from tests.ground import audited, prepared
from tests.services.appointments.test_fhir import Machine, client, machine  # noqa: F401 - fixtures
from tests.services.questionnaires.conftest import Ground
from tests.statements import executed

SCOPES = ("system/Questionnaire.read", "system/QuestionnaireResponse.read")
PAIN: Answers = {"pain": (8,), "relieved": (Coding("no"),), "dressing": (Coding("dry"),), "redness": (False,),
                 "signs": (Coding("fever"), Coding("dizzy")), "eaten": (True,), "more": ("Ça tire",)}  # fmt: skip
MONTH: Answers = {"recovered": (Coding("mostly"),), "pain": (0,), "back": (False,), "stopped": (date(2027, 3, 1),),
                  "weight": (Quantity(Decimal("61.5"), "kg"),)}  # fmt: skip
RESPONSE = {
    "resourceType", "id", "meta", "language", "identifier", "questionnaire", "status", "subject", "authored", "source",
    "item",
}  # fmt: skip
ITEM = {"linkId", "text", "answer", "item"}
ANSWER = {
    "valueBoolean", "valueDecimal", "valueInteger", "valueDate", "valueString", "valueCoding", "valueQuantity", "item",
}  # fmt: skip
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)


@pytest.fixture
def his(machine: Callable[..., Machine], ground: Ground) -> Machine:  # noqa: F811 - a fixture
    with prepared():
        factory.answered(db.session.get_one(SentQuestionnaire, ground.sent.id), PAIN)
    return machine(ground.hospital.establishment.id, *SCOPES)


def entries(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [each["resource"] for each in answer.get_json().get("entry", []) if each["search"]["mode"] == "match"]


def faults(resource: dict[str, Any], definition: dict[str, Any]) -> list[str]:
    """What R4 forbids or asks for in a QuestionnaireResponse (definitions, qrs-1, and the form it answers)."""
    found = [f"unknown {name}" for name in resource.keys() - RESPONSE]
    found += [name for name in ("status", "questionnaire", "authored", "subject") if name not in resource]
    if not INSTANT.fullmatch(resource["authored"]) or resource["status"] not in ("completed", "amended"):
        found.append("authored or status")
    asked = {each["linkId"]: each for each in _walk(definition)}
    order = list(asked)
    ranks = []
    for item in _walk(resource):
        found += [f"unknown {name}" for name in item.keys() - ITEM]
        if "answer" in item and "item" in item:
            found.append(f"qrs-1: {item['linkId']}")
        ranks.append(order.index(item["linkId"]))
        for answer in item.get("answer", []):
            found += [f"unknown {name}" for name in answer.keys() - ANSWER]
            found += _answer_faults(answer, asked[item["linkId"]])
        if len(item.get("answer", [1])) > 1 and not asked[item["linkId"]].get("repeats"):
            found.append("too many answers")
    if ranks != sorted(ranks):
        found.append("order")
    return found


def _answer_faults(answer: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    kinds = {
        "boolean": "Boolean", "integer": "Integer", "decimal": "Decimal", "date": "Date", "string": "String",
        "text": "String", "choice": "Coding", "quantity": "Quantity",
    }  # fmt: skip
    name = f"value{kinds[asked['type']]}"
    if name not in answer:
        return [f"{asked['linkId']} is a {asked['type']}"]
    codes = [each["valueCoding"]["code"] for each in asked.get("answerOption", [])]
    return [] if not codes or answer[name]["code"] in codes else ["not an option"]


def _walk(parent: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for item in parent.get("item", []):
        found += [item, *_walk(item)]
    return found


def test_answers_conform_to_what_was_asked(his: Machine, ground: Ground) -> None:
    with prepared():
        asked = factory.questionnaire(ground.hospital.establishment.id, factory.ONE_MONTH)
        factory.answered(factory.sent(ground.patient, ground.hospital.unit, asked), MONTH)
    found = entries(his.ask("GET", "/QuestionnaireResponse"))
    assert len(found) == 2
    for each in found:
        canonical, version = each["questionnaire"].split("|")
        (definition,) = entries(his.ask("GET", f"/Questionnaire?url={canonical}"))
        assert definition["version"] == version
        assert faults(each, definition) == []
        assert not re.search(r'(\[\]|\{\}|"")', json.dumps(each)), "R4, 2.6.2: nothing empty"


def test_a_fault_would_be_seen(his: Machine, ground: Ground) -> None:
    told = his.ask("GET", f"/QuestionnaireResponse/{ground.sent.id}").get_json()
    (definition,) = entries(his.ask("GET", "/Questionnaire"))
    assert faults(told, definition) == []
    spoils: tuple[Callable[[dict[str, Any]], object], ...] = (
        lambda each: each.update(status="done"),
        lambda each: each["item"].reverse(),
        lambda each: each["item"][0]["answer"].append({"valueInteger": 3}),
        lambda each: each["item"][0].update(answer=[{"valueString": "8"}]),
        lambda each: each.pop("questionnaire"),
    )
    for spoil in spoils:
        spoiled = json.loads(json.dumps(told))
        spoil(spoiled)
        assert faults(spoiled, definition)


def test_what_is_read_is_what_was_answered(his: Machine, ground: Ground) -> None:
    answer = his.ask("GET", f"/QuestionnaireResponse/{ground.sent.id}")
    told = answer.get_json()
    assert answer.headers["ETag"] == 'W/"1"'
    assert told["subject"]["identifier"]["value"] == "8000001"
    assert told["meta"]["tag"][0]["code"] == "alert"
    items = {each["linkId"]: each for each in _walk(told)}
    assert items["pain"]["answer"] == [{"valueInteger": 8}]
    assert [each["valueCoding"]["code"] for each in items["signs"]["answer"]] == ["fever", "dizzy"]
    assert "JEANNE" not in answer.text, "the number is enough to file it"
    assert "questionnaire.read" in audited()


def test_a_questionnaire_reads_back_as_ours(his: Machine, ground: Ground) -> None:
    told = his.ask("GET", f"/Questionnaire/{ground.asked.id}").get_json()
    assert (told["status"], told["version"]) == ("active", "1")
    with prepared():
        assert read(told) == db.session.get_one(Questionnaire, ground.asked.id).definition


def test_a_search_narrows(his: Machine, ground: Ground) -> None:
    def found(query: str) -> int:
        return len(entries(his.ask("GET", f"/QuestionnaireResponse?{query}")))

    assert found("patient.identifier=8000001") == 1
    assert found("patient.identifier=8000002") == 0
    assert found("status=completed") == 1
    assert found("status=in-progress") == 0
    assert found("authored=ge2020-01-01") == 1
    assert found("authored=lt2020-01-01") == 0
    assert found(f"questionnaire=Questionnaire/{ground.asked.id}") == 1
    assert found(f"_id={UUID(int=1)}") == 0
    posted = his.browser.post(
        "/fhir/QuestionnaireResponse/_search", data={"patient.identifier": "8000001"},
        headers={"Authorization": f"Bearer {his.token}"},
    )  # fmt: skip
    assert len(entries(posted)) == 1


@pytest.mark.parametrize(
    "query",
    ["status=maybe", "_id=%00", "authored=yesterday", "_count=-1", "questionnaire=%00%7C", "patient.identifier=%00"],
)
def test_a_hostile_search_is_an_outcome(his: Machine, query: str) -> None:
    answer = his.ask("GET", f"/QuestionnaireResponse?{query}")
    assert answer.status_code in (200, 400)
    assert answer.get_json()["resourceType"] in ("Bundle", "OperationOutcome")


def test_neither_drafts_nor_what_waits_is_read(his: Machine, ground: Ground) -> None:
    with prepared():
        waiting = factory.sent(ground.patient, ground.hospital.unit, ground.asked)
        factory.drafted(waiting, {"pain": (3,)})
        draft = factory.questionnaire(ground.hospital.establishment.id, factory.ALLERGIES, published=False)
    assert his.ask("GET", f"/QuestionnaireResponse/{waiting.id}").status_code == 404
    assert len(entries(his.ask("GET", "/QuestionnaireResponse"))) == 1
    assert his.ask("GET", f"/Questionnaire/{draft.id}").status_code == 404


@pytest.mark.parametrize(
    "scopes", [("system/Encounter.read",), ("system/Appointment.read", "system/Patient.read"), SCOPES[:1]], ids=str
)
def test_no_other_scope_reads_answers(
    his: Machine,
    machine: Callable[..., Machine],  # noqa: F811 - a fixture
    ground: Ground,
    scopes: tuple[str, ...],
) -> None:
    other = machine(ground.hospital.establishment.id, *scopes)
    for path in ("", f"/{ground.sent.id}", f"/{ground.sent.id}/$pdf"):
        assert other.ask("GET", f"/QuestionnaireResponse{path}").status_code == 403


def test_neither_another_hospital_nor_nobody(
    his: Machine,
    machine: Callable[..., Machine],  # noqa: F811 - a fixture
    client: FlaskClient,  # noqa: F811 - a fixture
    ground: Ground,
) -> None:
    other = machine(ground.elsewhere.establishment.id, *SCOPES)
    assert other.ask("GET", f"/QuestionnaireResponse/{ground.sent.id}").status_code == 404
    assert entries(other.ask("GET", "/QuestionnaireResponse")) == []
    assert entries(other.ask("GET", "/Questionnaire")) == []
    assert client.get("/fhir/QuestionnaireResponse").status_code == 401


def test_metadata_says_what_may_be_asked(client: FlaskClient, app: Flask) -> None:  # noqa: F811 - a fixture
    kinds = {each["type"]: each for each in client.get("/fhir/metadata").get_json()["rest"][0]["resource"]}
    assert {each["code"] for each in kinds["QuestionnaireResponse"]["interaction"]} == {"read", "search-type"}


def test_a_search_asks_little(app: Flask, his: Machine, ground: Ground) -> None:
    with prepared():
        for _n in range(20):
            factory.answered(factory.sent(ground.patient, ground.hospital.unit, ground.asked), PAIN)
    with executed(app) as seen:
        assert len(entries(his.ask("GET", "/QuestionnaireResponse?_count=21"))) == 21
    assert len(seen) <= 16, seen


# -- the PDF -------------------------------------------------------------------------------------------------------


def tagged(data: bytes) -> pikepdf.Pdf:
    """Open it, once it is what PDF/UA asks for: tagged, titled, in a language, its fonts inside."""
    pdf = pikepdf.open(BytesIO(data))
    root = pdf.Root
    assert bool(root.MarkInfo.Marked)
    assert str(root.Lang).startswith("fr")
    assert bool(root.ViewerPreferences.DisplayDocTitle)
    assert b"pdfuaid:part" in root.Metadata.read_bytes()
    assert pdf.docinfo.Title
    tags = [str(each.S) for each in root.StructTreeRoot.K[0].K]
    assert tags[0] == "/H1"
    assert {"/H1", "/P"} <= set(tags)
    for page in pdf.pages:
        content = page.Contents.read_bytes()
        assert content.count(b"BDC") + content.count(b"BMC") == content.count(b"EMC")
        for font in page.Resources.Font.values():
            (inside,) = font.DescendantFonts
            assert "/FontFile2" in inside.FontDescriptor
    return pdf


def test_the_pdf_for_the_hospital_s_folder(his: Machine, ground: Ground) -> None:
    binary = his.ask("GET", f"/QuestionnaireResponse/{ground.sent.id}/$pdf").get_json()
    assert (binary["resourceType"], binary["contentType"]) == ("Binary", "application/pdf")
    pdf = tagged(b64decode(binary["data"]))
    assert "lendemain" in str(pdf.docinfo.Title)
    assert "questionnaire.printed" in audited()


def test_a_long_answer_in_any_script_is_printed(app: Flask, ground: Ground) -> None:
    from services.questionnaires import queries, sheet

    with prepared():
        sent = db.session.get_one(SentQuestionnaire, ground.sent.id)
        given = factory.answered(sent, {**PAIN, "more": ("Œdème – 37,5 °C, 痛み. " * 300,)})
        with app.test_request_context():
            data = sheet.write(sent, given, "fr", alerts=True, number=queries.number_of(sent))
    assert len(tagged(data).pages) > 1
