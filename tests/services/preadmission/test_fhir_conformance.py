"""What we say of pre-admissions in FHIR against R4, the rules of the French guide, and our own states."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import db
from services.pieces.models import KINDS
from services.preadmission.fhir import documents, incoming, naming, statuses
from services.preadmission.fhir.encounters import Systems
from services.preadmission.fhir.incoming import Unreadable
from services.preadmission.models import STATES
from services.preadmission.states import TRANSITIONS
from tests.factories import preadmission as factory
from tests.ground import prepared
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.test_fhir import (  # noqa: F401 - fixtures
    Machine,
    client,
    code_of,
    factory_file,
    found,
    gam,
    machine,
    said,
    sent,
)

SYSTEMS = Systems("https://portail.exemple.test/fhir", "990000017", "urn:oid:1.2.3", "urn:oid:1.2.4")
TOLD = [state for state in STATES if state != "purged"]


@pytest.mark.parametrize("state", TOLD)
def test_every_state_has_one_status(gam: Machine, ground: Ground, state: str) -> None:  # noqa: F811 - a fixture
    """A file in any state is found under its status, under no other, and saying its status again changes nothing."""
    key = sent(ground, state)
    with prepared():
        file = db.session.get_one(factory.Preadmission, key)
        if state == "draft":
            file.origin = "hospital"
    told = gam.get(f"/Encounter/{key}")
    expected = "CREATED" if state == "draft" else statuses.OF_STATE[state]
    if state == "draft" and code_of(told) == "IN_PROGRESS":
        expected = "IN_PROGRESS"
    assert code_of(told) == expected
    for code in statuses.CODES:
        ids = [each["id"] for each in found(gam.get(f"/Encounter?preadmission-status={code}"))]
        assert ids == ([str(key)] if code == expected else []), code
    again = gam.ask("PUT", f"/Encounter/{key}", told)
    assert again.status_code == 200, again.text
    with prepared():
        assert db.session.get_one(factory.Preadmission, key).state == state


def test_what_was_erased_is_told_no_more(gam: Machine, ground: Ground) -> None:  # noqa: F811 - a fixture
    key = sent(ground, "purged")
    assert gam.ask("GET", f"/Encounter/{key}").status_code == 404
    assert found(gam.get("/Encounter")) == []


def test_the_table_knows_each_state_and_each_code() -> None:
    assert set(statuses.OF_STATE) == set(TOLD)
    assert set(statuses.OF_STATE.values()) | {"CREATED"} == set(statuses.CODES)
    for code in statuses.CODES:
        for state in statuses.states_of(code):
            assert code in (statuses.code_of(state, begun=True), statuses.code_of(state, begun=False))


@given(st.sampled_from(statuses.CODES), st.sampled_from(statuses.CODES))
def test_a_gesture_leads_where_it_says(now: str, asked: str) -> None:
    """Each gesture of the table exists in the state machine: from some state of the one status to one of the other."""
    gesture = statuses.gesture(now, asked)
    if now == asked:
        assert gesture == ""
    elif gesture:
        reached = set(statuses.states_of(now))
        for _step in range(3):
            reached |= {after for state in reached for after in TRANSITIONS[state]}
        assert reached & set(statuses.states_of(asked))


@given(st.sampled_from(sorted(KINDS)), st.integers(1, 20), st.integers(1, 20))
def test_each_page_has_a_type_of_the_guide_or_none(kind: str, position: int, pages: int) -> None:
    assert documents.type_of(kind, position, max(position, pages)) in {
        "", "CN_RECTO", "CN_VERSO", "ATTEST_VITALE", "JUSTIFICATIF_ID", "MUTUELLE", "MUTUELLE_RECTO", "MUTUELLE_VERSO",
        "JUSTIFICATIF_DOM", "ARRET_TRAVAIL", "PERS_CONFIANCE",
    }  # fmt: skip


def test_two_sides_of_a_card_are_told_apart() -> None:
    assert [documents.type_of("identity", side, 2) for side in (1, 2)] == ["CN_RECTO", "CN_VERSO"]
    assert [documents.type_of("top_up_card", side, 2) for side in (1, 2)] == ["MUTUELLE_RECTO", "MUTUELLE_VERSO"]
    assert documents.type_of("identity", 1, 1) == "JUSTIFICATIF_ID"


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.dates().map(str),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(
        st.sampled_from(["url", "system", "value", "code", "coding", "reference", "identifier", "start", "location",
                         "extension", "valueCodeableConcept", "id", "period", "class", "subject", "type"]),
        inside, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(
    st.sampled_from(["status", "class", "type", "subject", "period", "identifier", "extension", "appointment",
                     "location", "contained"]), _ANYTHING, max_size=8,
))  # fmt: skip
def test_whatever_is_sent_is_read_or_refused(resource: dict[str, Any]) -> None:
    try:
        told = incoming.read({"resourceType": "Encounter"} | resource, SYSTEMS, UTC)
    except Unreadable:
        return
    assert told.code in ("", *statuses.CODES)


@given(st.dates(date(2000, 1, 2), date(2199, 12, 30)))
def test_a_day_comes_back_as_it_was_sent(day: date) -> None:
    for text in (day.isoformat(), datetime(day.year, day.month, day.day, 12, tzinfo=UTC).isoformat()):
        assert incoming.read({"period": {"start": text}}, SYSTEMS, UTC).planned_on == day


@given(st.uuids(), st.sampled_from([*naming.COVERS, *naming.PEOPLE]))
def test_an_id_names_one_part_of_one_file(key: Any, part: str) -> None:
    known = (*naming.COVERS, *naming.PEOPLE)
    assert naming.part_of(naming.part_id(part, key), known) == (part, key)
    assert len(naming.part_id(part, key)) <= 64


@pytest.fixture
def everything(gam: Machine, ground: Ground) -> list[dict[str, Any]]:  # noqa: F811 - a fixture
    """All that is told of one file with its pieces."""
    with prepared():
        file = factory_file(ground, "submitted")
        for piece in factory.pieces_of(file).values():
            if piece.needed:
                factory.put(piece)
        for each in db.session.query(factory.StoredFile):
            each.state = "clean"
        key = file.id
    bundles = [gam.get("/Encounter?_include=Encounter:patient"), gam.get(f"/Consent?data=Encounter/{key}")]
    bundles += [
        gam.get(f"/{kind}?encounter=Encounter/{key}") for kind in ("Coverage", "RelatedPerson", "DocumentReference")
    ]
    return [*bundles, *(each["resource"] for bundle in bundles for each in bundle["entry"])]


_RESOURCE = {"resourceType", "id", "meta", "extension", "identifier"}
R4: dict[str, tuple[set[str], set[str]]] = {
    "Bundle": ({"type"}, {"total", "link", "entry"}),
    "Encounter": (
        {"status", "class"},
        {"type", "subject", "appointment", "period", "location", "serviceProvider", "participant"},
    ),
    "Patient": (
        set(),
        {"active", "name", "telecom", "gender", "birthDate", "address", "communication", "generalPractitioner"},
    ),
    "Coverage": (
        {"status", "beneficiary", "payor"},
        {"type", "subscriber", "subscriberId", "relationship", "period", "class", "costToBeneficiary"},
    ),
    "Consent": ({"status", "scope", "category"}, {"patient", "dateTime", "policyRule", "provision"}),
    "RelatedPerson": ({"patient"}, {"active", "relationship", "name", "telecom"}),
    "DocumentReference": ({"status", "content"}, {"docStatus", "type", "subject", "date", "context"}),
}
"""Elements of R4 that a resource must have, and those it may have among what we write."""


def test_every_resource_has_the_elements_of_r4(everything: list[dict[str, Any]]) -> None:
    assert {each["resourceType"] for each in everything} == set(R4)
    for resource in everything:
        needed, allowed = R4[resource["resourceType"]]
        assert needed <= set(resource), resource["resourceType"]
        assert set(resource) <= needed | allowed | _RESOURCE, resource["resourceType"]
        assert list(_empties(resource)) == []


def _empties(value: Any) -> Iterator[Any]:
    """R4 has no empty text, list or object, and no null."""
    if value in (None, "", [], {}):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _empties(each)


def _of(everything: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in everything if each["resourceType"] == kind]


def _encounter(told: dict[str, Any]) -> bool:
    extensions = [each["url"] for each in told["extension"]]
    visits = all(each["use"] == "temp" and each["type"]["coding"][0]["code"] == "VN" for each in told["identifier"])
    return (
        extensions.count(naming.STATUS) == 1 and visits and told["class"]["code"] in ("VR", "AMB", "IMP")
        and "start" in told["period"] and len(told.get("appointment", [])) <= 1
        and told["subject"]["reference"].startswith("Patient/")
    )  # fmt: skip


def _consent(told: dict[str, Any]) -> bool:
    root = told["provision"]
    below = all(
        len(each["code"]) == 1 and len(each["purpose"]) == 1 and each["purpose"][0]["code"] in ("TREAT", "PATREQ")
        for each in root["provision"]
    )
    return (
        told["status"] == "active" and told["scope"]["coding"][0]["code"] == "patient-privacy" and below
        and root["type"] in ("permit", "deny") and len(root["provision"]) == 3 and "dateTime" in told
    )  # fmt: skip


def _document(told: dict[str, Any]) -> bool:
    attachments = [each["attachment"] for each in told["content"]]
    return len(told["context"]["encounter"]) == 1 and all("contentType" in each for each in attachments)


def _cover(told: dict[str, Any]) -> bool:
    return told["type"]["coding"][0]["code"] in ("PUBLICPOL", "EHCPOL", "PAY") and bool(told["payor"])


@pytest.mark.parametrize(
    ("kind", "rule"),
    [("Encounter", _encounter), ("Consent", _consent), ("DocumentReference", _document), ("Coverage", _cover)],
)
def test_the_rules_of_the_guide_hold(
    everything: list[dict[str, Any]], kind: str, rule: Callable[[dict[str, Any]], bool]
) -> None:
    told = _of(everything, kind)
    assert told
    assert all(rule(each) for each in told)
    assert all(naming.PROFILES[kind] in each["meta"]["profile"] for each in told if "profile" in each["meta"])


def test_the_patient_is_as_frcore_wants(everything: list[dict[str, Any]]) -> None:
    told = _of(everything, "Patient")[0]
    official = [each for each in told["name"] if each["use"] == "official"]
    assert len(official) == 1
    assert len(official[0]["given"]) == 1
    assert official[0]["extension"][0]["url"] == naming.GIVEN_NAMES
    assert {"gender", "birthDate", "identifier"} <= set(told)


def test_no_resource_says_what_may_not_be_asked(everything: list[dict[str, Any]]) -> None:
    for word in ("religion", "ethnicity", "race"):
        assert word not in str(everything).lower()
