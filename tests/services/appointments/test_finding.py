"""Finding a consultation by what people know: words, a speciality, a name, a place, what they need, a language."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import session
from portal.establishments import Practitioner, Site
from services.appointments import queries
from services.appointments.models import Reason
from services.appointments.queries import Search
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared, today
from tests.services.appointments.conftest import Ground
from tests.statements import executed

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def second(ground: Ground) -> Hospital:
    """Another hospital, in another town: an eye clinic, reached in a wheelchair, where Arabic is spoken."""
    with prepared():
        where = hospitals.hospital("990000025", "Autre hôpital")
        session.get_one(Site, where.site.id).town = "Rivières"
        session.get_one(Site, where.site.id).for_wheelchairs = True
        doctor = session.get_one(Practitioner, where.practitioner.id)
        doctor.family_name, doctor.speciality, doctor.languages = "LEGOFF", "Ophtalmologie", ["ar", "fsl"]
        eyes = appointments.reason(where.unit, "Bilan de la vue", 20, is_remote=True)
        appointments.reason(where.unit, "Suivi glaucome", 20, open_to_new_patients=False)
        appointments.consultation(where, [eyes], today() + timedelta(days=3))
        return where


def found(**wanted: object) -> list[str]:
    with prepared():
        return [each.reason.name for each in queries.find(Search(**wanted)).found]  # type: ignore[arg-type]  # facts of any field


@pytest.mark.parametrize(("wanted", "names"), [
    ({"words": "vue"}, ["Bilan de la vue"]),
    ({"words": "BILÀN"}, ["Bilan de la vue"]),
    ({"words": "legoff"}, ["Bilan de la vue"]),
    ({"words": "ophtalmo bilan"}, ["Bilan de la vue"]),
    ({"words": "le goff"}, ["Bilan de la vue"]),
    ({"words": "rivieres"}, ["Bilan de la vue", "Suivi glaucome"]),
    ({"speciality": "Ophtalmologie"}, ["Bilan de la vue"]),
    ({"town": "Rivières"}, ["Bilan de la vue", "Suivi glaucome"]),
    ({"needs": ("for_wheelchairs",)}, ["Bilan de la vue", "Suivi glaucome"]),
    ({"needs": ("for_wheelchairs", "for_hearing")}, []),
    ({"language": "ar"}, ["Bilan de la vue"]),
    ({"language": "de"}, []),
    ({"by_video": True}, ["Bilan de la vue"]),
    ({"never_came": True}, ["Bilan de la vue", "Consultation de suivi"]),
    ({"finess": "990000017"}, ["Consultation de suivi"]),
    ({"soonest": True}, ["Bilan de la vue", "Consultation de suivi", "Suivi glaucome"]),
    ({"words": "vue", "town": "Nowhere"}, []),
])  # fmt: skip
def test_each_thing_people_know_finds_what_suits(second: Hospital, wanted: dict[str, object], names: list[str]) -> None:
    assert found(**wanted) == names


def test_a_practitioner_is_found_where_they_receive_and_nowhere_else(ground: Ground, second: Hospital) -> None:
    with prepared():
        colleague = hospitals.practitioner(second.unit, "10000000033", "ABSENT", "Jo")
    assert found(practitioner_id=second.practitioner.id) == ["Bilan de la vue"]
    assert found(practitioner_id=colleague.id) == [], "opens nothing"


def test_results_say_the_first_free_day_or_to_call(ground: Ground, second: Hospital, client: FlaskClient) -> None:
    with prepared():
        first = {each.reason.name: each.first for each in queries.find(Search()).found}
    eyes, follow = first["Bilan de la vue"], first["Consultation de suivi"]
    assert eyes is not None
    assert follow is not None
    assert (eyes.at.date(), follow.at.date()) == (today() + timedelta(days=3), today() + timedelta(days=7))
    assert first["Suivi glaucome"] is None
    page = client.get("/rendez-vous/choisir").text
    assert page.count("first free:") == 2
    assert "nothing free online for now: call" in page


def test_the_first_day_is_the_first_that_has_room_enough(ground: Ground) -> None:
    """Sessions with a little time left in each do not hide the one that has enough."""
    with prepared():
        long = appointments.reason(ground.hospital.unit, "Longue", 90)
        for days in range(8, 30):
            short = appointments.consultation(ground.hospital, [long], today() + timedelta(days=days))
            short.free = 0b1010101010
        opened = appointments.consultation(ground.hospital, [long], today() + timedelta(days=40))
    with prepared():
        first = queries.find(Search(words="longue")).found[0].first
        assert first is not None
        assert first.slot.session_id == opened.id


def test_time_meant_for_others_is_not_the_first_free_day(ground: Ground) -> None:
    with prepared():
        city = appointments.consultation(ground.hospital, [ground.reason], today() + timedelta(days=2))
        city.for_web = 0
    with prepared():
        first = queries.find(Search()).found[0].first
        assert first is not None
        assert first.slot.session_id == ground.opened.id


def test_links_of_the_results_keep_who_was_found(second: Hospital, client: FlaskClient) -> None:
    page = client.get("/rendez-vous/choisir?q=legoff").text
    assert f"practitioner={second.practitioner.id}" in page


def test_nothing_found_leads_to_telephones(ground: Ground, client: FlaskClient) -> None:
    page = client.get("/rendez-vous/choisir?q=astrologie").text
    assert "Nothing matches" in page
    assert "01 99 00 00 00" in page


def test_somebody_signed_in_reads_what_they_may_book(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).open_to_new_patients = False
    browser = sign_in(ground.account)
    assert "the hospital must know you first" in browser.get("/rendez-vous/choisir").text
    with prepared():
        people.known_at(ground.patient, ground.hospital.establishment.id, "8000000001")
    assert "first free:" in browser.get("/rendez-vous/choisir").text


@pytest.mark.parametrize("query", [
    "page=0", "page=-1", "page=99", "page=x", "practitioner=x", "need=x", "town=%00", "speciality=<script>",
    "establishment=' or 1=1", "language=zz", "order=x", "for=x", "q=" + "a" * 500,
])  # fmt: skip
def test_odd_searches_are_forgiven(ground: Ground, client: FlaskClient, query: str) -> None:
    page = client.get(f"/rendez-vous/choisir?{query}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_many_reasons_are_shown_by_pages(ground: Ground, client: FlaskClient, app: Flask) -> None:
    with prepared():
        for number in range(60):
            appointments.reason(ground.hospital.unit, f"Motif {number:02}", position=number + 1)
    with executed(app) as statements:
        first = client.get("/rendez-vous/choisir")
    assert len(statements) <= 10, "\n".join(statements)
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).text
    assert "Motif 59" in second
    assert "Motif 59" not in first.text
    assert "Page 2 of 2" in second
