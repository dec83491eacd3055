"""Our resources against the national profiles and examples, where the shared test data are."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal import db
from tests.conftest import TESTDATA
from tests.ground import prepared
from tests.services.appointments.conftest import Ground
from tests.services.appointments.test_fhir import Machine, booking, client, his, machine, open_to_all  # noqa: F401

FHIR = TESTDATA / "fhir"
PROFILES = {
    "Slot": "FrSlotAgregateur",
    "Schedule": "FrScheduleAgregateur",
    "Practitioner": "FrPractitionerAgregateur",
    "PractitionerRole": "FrPractitionerRoleExerciceAgregateur",
    "Location": "FrLocationAgregateur",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", re.ASCII)
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
pytestmark = pytest.mark.skipif(not FHIR.is_dir(), reason="the national profiles are not on this machine")


def profile(kind: str) -> list[dict[str, Any]]:
    path = FHIR / "sas" / f"StructureDefinition-{PROFILES[kind]}.json"
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    return list(told.get("snapshot", told["differential"])["element"])


def faults(resource: dict[str, Any]) -> Iterator[str]:
    """What a resource has too little, too much or otherwise than its profile says; slices are not followed."""
    for element in profile(resource["resourceType"]):
        path = element["path"].split(".")[1:]
        if not path or "sliceName" in element or ":" in element.get("id", ""):
            continue
        for parent in _values(resource, path[:-1]):
            found = _children(parent, path[-1])
            if len(found) < int(element.get("min", 0)):
                yield f"{element['path']}: {element['min']} at least"
            if element.get("max", "*") not in ("*", None) and len(found) > int(element["max"]):
                yield f"{element['path']}: {element['max']} at most"
            yield from (f"{element['path']}: {value!r}" for value in found if not _as_fixed(element, value))


def _values(resource: Any, path: list[str]) -> list[Any]:
    found = [resource]
    for name in path:
        found = [child for each in found for child in _children(each, name)]
    return found


def _children(parent: Any, name: str) -> list[Any]:
    if not isinstance(parent, dict):
        return []
    names = [known for known in parent if known.startswith(name[:-3])] if name.endswith("[x]") else [name]
    values = [parent[known] for known in names if known in parent]
    return [each for value in values for each in (value if isinstance(value, list) else [value])]


def _as_fixed(element: dict[str, Any], value: Any) -> bool:
    for name, wanted in element.items():
        if name.startswith("fixed") and value != wanted:
            return False
        if name.startswith("pattern") and not _holds(value, wanted):
            return False
    return True


def _holds(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(_holds(value.get(name), each) for name, each in wanted.items())
    if isinstance(wanted, list):
        return isinstance(value, list) and all(any(_holds(one, each) for one in value) for each in wanted)
    return bool(value == wanted)


def resources_of(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in bundle["entry"]:
        yield entry["resource"]
        yield from entry["resource"].get("contained", [])


@pytest.fixture
def bundle(client: FlaskClient, ground: Ground) -> dict[str, Any]:  # noqa: F811
    open_to_all(ground)
    with prepared():
        db.session.merge(ground.hospital.site).address = "12 avenue des Tilleuls, 91990 Arceau"
    begins, ends = (ground.opened.start_at + timedelta(days=days) for days in (-1, 1))
    answer = client.get(
        "/fhir/Slot?_include=Slot:schedule&_include:iterate=Schedule:actor&status=free"
        "&schedule.actor:Practitioner.identifier=urn:oid:1.2.250.1.71.4.2.1%7C810000000009"
        f"&start=ge{begins.date()}T00:00:00.000%2B00:00&start=le{ends.date()}T23:59:59.999%2B00:00&_count=1000"
    )
    return dict(answer.get_json())


def official() -> dict[str, Any]:
    return dict(json.loads((FHIR / "examples" / "Bundle-ExampleBundlePSIndiv.json").read_text(encoding="utf-8-sig")))


def test_the_official_example_has_no_fault() -> None:
    assert [fault for each in resources_of(official()) for fault in faults(each)] == []


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("Slot", lambda each: each.pop("schedule")), ("Slot", lambda each: each.update(status="busy")),
        ("Practitioner", lambda each: each.pop("identifier")), ("Location", lambda each: each["address"].pop("city")),
        ("PractitionerRole", lambda each: each.update(location=each["location"] * 2)),
        ("Practitioner", lambda each: each["identifier"][0].update(system="urn:x")),
    ],
)  # fmt: skip
def test_a_fault_is_seen(kind: str, spoil: Callable[[dict[str, Any]], object]) -> None:
    spoiled = next(each for each in resources_of(official()) if each["resourceType"] == kind)
    spoil(spoiled)
    assert list(faults(spoiled)) != []


def test_ours_has_none(bundle: dict[str, Any]) -> None:
    kinds = {each["resourceType"] for each in resources_of(bundle)}
    assert kinds == set(PROFILES)
    assert [fault for each in resources_of(bundle) for fault in faults(each)] == []


def test_ours_says_all_that_the_example_says(bundle: dict[str, Any]) -> None:
    """Whatever a slot, a schedule, a practitioner or a role says in the example, ours say too."""
    for kind in ("Slot", "Schedule", "Practitioner", "PractitionerRole", "Location"):
        example, own = (next(each for each in resources_of(one) if each["resourceType"] == kind)
                        for one in (official(), bundle))  # fmt: skip
        assert set(example) - set(own) == set(), kind
        assert own["meta"]["profile"] == example["meta"]["profile"]
    assert set(official()) - {"id"} <= set(bundle)
    assert official()["meta"]["profile"] == bundle["meta"]["profile"]


def test_ids_and_instants_are_as_the_standard_writes_them(bundle: dict[str, Any]) -> None:
    for each in resources_of(bundle):
        assert ID.fullmatch(each["id"]), each["id"]
    for slot in (each for each in resources_of(bundle) if each["resourceType"] == "Slot"):
        assert INSTANT.fullmatch(slot["start"])
        assert INSTANT.fullmatch(slot["end"])


def test_every_reference_leads_to_what_is_there(bundle: dict[str, Any]) -> None:
    there = {f"{each['resourceType']}/{each['id']}" for each in resources_of(bundle)}
    text = json.dumps(bundle)
    for reference in re.findall(r'"reference": "([^"]+)"', text):
        if reference.startswith("#"):
            assert f"Location/{reference[1:]}" in there
        else:
            assert reference in there


def test_no_list_and_no_text_is_empty(bundle: dict[str, Any], his: Machine, ground: Ground) -> None:  # noqa: F811
    """R4, 2.6.2: neither in JSON."""
    made = his.ask("POST", "/Appointment", booking(ground)).get_json()
    metadata = his.ask("GET", "/metadata").get_json()
    for told in (bundle, made, metadata):
        assert not re.search(r'(\[\]|\{\}|"")', json.dumps(told)), told["resourceType"]


def test_the_shared_agenda_guide_s_appointment_is_taken(
    app: Flask,
    his: Machine,  # noqa: F811
    ground: Ground,
) -> None:
    """Its example asks for a `proposed` appointment; here it takes its time at once."""
    guide = (Path(FHIR) / "gap-fsh" / "exemples" / "example-req-appointment.fsh").read_text(encoding="utf-8")
    assert "* status = #proposed" in guide
    sent = booking(ground, status="proposed", priority=5, minutesDuration=15, created="2019-01-02")
    assert his.ask("POST", "/Appointment", sent).get_json()["status"] == "booked"
