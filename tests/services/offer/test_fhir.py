"""Other systems read the directory in FHIR without a pass: what is public, and nothing else."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services.offer.fhir import naming
from tests.factories import hospitals, offer
from tests.ground import prepared
from tests.services.offer.conftest import PRIVATE_NUMBER, Ground
from tests.statements import executed

KINDS = ("Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole")


def bundle(client: FlaskClient, query: str) -> dict[str, Any]:
    answer = client.get(f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def matches(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    return [
        each["resource"] for each in bundle(client, query).get("entry", []) if each["search"]["mode"] == "match"
    ]  # fmt: skip


class TestReading:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_match_is_read_at_its_address(self, client: FlaskClient, ground: Ground, kind: str) -> None:
        found = matches(client, kind)
        assert found
        for each in found:
            answer = client.get(f"/fhir/{kind}/{each['id']}")
            assert answer.get_json() == each
            assert len(each["id"]) <= 64

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_is_told_of_what_is_for_professionals(self, client: FlaskClient, ground: Ground, kind: str) -> None:
        text = client.get(f"/fhir/{kind}").text
        assert PRIVATE_NUMBER not in text
        assert "Avis rapide" not in text

    def test_an_activity_for_professionals_is_not_there(self, client: FlaskClient, ground: Ground) -> None:
        assert client.get(f"/fhir/HealthcareService/{ground.advice.id}").status_code == 404

    def test_an_activity_says_who_offers_it_where_and_when(self, client: FlaskClient, ground: Ground) -> None:
        told = client.get(f"/fhir/HealthcareService/{ground.consultation.id}").get_json()
        assert told["name"] == "Consultation de cardiologie"
        assert told["specialty"][0]["coding"][0]["code"] == "SM04"
        assert {each["daysOfWeek"][0] for each in told["availableTime"]} == {"mon", "tue", "wed", "thu", "fri"}
        assert told["availableTime"][0]["availableStartTime"] == "08:30:00"
        for reference in (told["providedBy"], told["location"][0]):
            assert client.get(f"/fhir/{reference['reference']}").status_code == 200

    def test_a_site_says_where_it_is(self, client: FlaskClient, ground: Ground) -> None:
        told = client.get(f"/fhir/Location/{ground.north.site.id}").get_json()
        assert told["position"] == {"latitude": 48.5962, "longitude": 2.2471}

    @pytest.mark.parametrize("path", ["Organization", "Location", "HealthcareService", "Practitioner"])
    def test_what_is_unknown_is_not_found(self, client: FlaskClient, ground: Ground, path: str) -> None:
        assert client.get(f"/fhir/{path}/00000000-0000-4000-8000-000000000001").status_code == 404
        assert client.get(f"/fhir/{path}/x").status_code == 404
        sent = client.post(f"/fhir/{path}", data="{}", content_type="application/fhir+json")
        assert sent.status_code == 405

    def test_a_role_is_of_one_hospital(self, client: FlaskClient, ground: Ground) -> None:
        stranger = naming.pair_id(ground.north.practitioner.id, ground.south.unit.id)
        assert client.get(f"/fhir/PractitionerRole/{stranger}").status_code == 404


class TestSearching:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Organization?identifier=https://finess.esante.gouv.fr|990000025", {"Hôpital du Sud", "Site principal"}),
            ("Organization?name=hopital du n", {"Hôpital du Nord"}),
            ("Location?name=OPHTALMO", {"Ophtalmologie"}),
            ("Location?address-city=arceau&name=site", {"Site principal"}),
            ("Location?identifier=990000017-1204", {"Ophtalmologie"}),
            ("HealthcareService?specialty=SM04", {"Consultation de cardiologie"}),
            ("HealthcareService?identifier=coeur001", {"Consultation de cardiologie"}),
            ("HealthcareService?specialty=SM38", set()),
            ("HealthcareService?identifier=avis0001", set()),
        ],
    )
    def test_finds_by_identifier_name_speciality_and_place(
        self, client: FlaskClient, ground: Ground, query: str, names: set[str]
    ) -> None:
        assert {each["name"] for each in matches(client, query)} == names

    @pytest.mark.parametrize(
        ("query", "count"),
        [
            ("Practitioner?identifier=810000000033", 1),
            ("Practitioner?identifier=urn:oid:1.2.250.1.71.4.2.1|10000000033", 1),
            ("Practitioner?identifier=other|10000000033", 0),
            ("Practitioner?name=belk", 1), ("Practitioner?name=zzz", 0),
            ("PractitionerRole?specialty=SM38", 1), ("PractitionerRole?practitioner.identifier=10000000033", 1),
            ("PractitionerRole?_count=0", 0),
        ],
    )  # fmt: skip
    def test_finds_practitioners(self, client: FlaskClient, ground: Ground, query: str, count: int) -> None:
        assert len(matches(client, query)) == count

    def test_follows_references_and_includes_them_once(self, client: FlaskClient, ground: Ground) -> None:
        site, house = ground.north.site.id, ground.north.establishment.id
        assert len(matches(client, f"PractitionerRole?organization=Organization/{house}")) == 2
        assert len(matches(client, f"PractitionerRole?location=Location/{ground.eyes.id}")) == 1
        assert len(matches(client, f"HealthcareService?organization={site}")) == 1
        assert len(matches(client, f"Location?partof=Location/{site}")) == 2
        assert len(matches(client, f"Organization?partof=Organization/{house}")) == 1
        told = bundle(
            client,
            f"PractitionerRole?organization={house}&_include=PractitionerRole:practitioner"
            "&_include=PractitionerRole:organization&_include=PractitionerRole:location",
        )
        included = [each["resource"] for each in told["entry"] if each["search"]["mode"] == "include"]
        kinds = sorted(each["resourceType"] for each in included)
        assert kinds == ["Location", "Location", "Organization", "Practitioner", "Practitioner"]

    def test_goes_on_from_page_to_page(self, client: FlaskClient, ground: Ground) -> None:
        first = bundle(client, "Location?_count=2")
        following = next(each["url"] for each in first["link"] if each["relation"] == "next")
        second = bundle(client, following.partition("/fhir/")[2])
        seen = [each["resource"]["id"] for page in (first, second) for each in page["entry"]]
        assert (first["total"], len(seen), len(set(seen))) == (5, 4, 4)

    def test_by_post_too(self, client: FlaskClient, ground: Ground) -> None:
        answer = client.post(
            "/fhir/HealthcareService/_search", data="specialty=SM04", content_type="application/x-www-form-urlencoded"
        )
        assert answer.get_json()["total"] == 1

    def test_what_is_not_understood_is_told(self, client: FlaskClient, ground: Ground) -> None:
        told = bundle(client, "Location?color=blue")
        assert any(each["search"]["mode"] == "outcome" for each in told["entry"])
        strict = client.get("/fhir/Location?color=blue", headers={"Prefer": "handling=strict"})
        assert strict.status_code == 400

    @pytest.mark.parametrize("kind", KINDS)
    def test_asks_the_database_as_often_however_much_there_is(
        self, app: Flask, client: FlaskClient, ground: Ground, kind: str
    ) -> None:
        with prepared():
            for number in range(12):
                unit = hospitals.unit(ground.north.establishment, ground.north.site, f"30{number:02d}")
                hospitals.practitioner(unit, f"100000001{number:02d}")
                offer.activity(unit)
        with executed(app) as seen:
            bundle(client, kind)
        assert len(seen) <= 12, (len(seen), seen)

    def test_the_statement_says_what_may_be_asked(self, client: FlaskClient, ground: Ground) -> None:
        told = client.get("/fhir/metadata").get_json()["rest"][0]["resource"]
        known = {each["type"]: each for each in told}
        for kind in KINDS:
            assert {"read", "search-type"} <= {each["code"] for each in known[kind]["interaction"]}
            assert known[kind]["searchParam"]
