"""An administrator says how to come to a site, for whom it is made, and what practitioners speak."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.establishments import Practitioner, Site
from services.appointments.reasons.models import RemoteRoom
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
LIST = "/admin/lieux-et-praticiens"


@pytest.fixture
def where(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital()


@pytest.fixture
def browser(where: Hospital, sign_in: SignIn) -> FlaskClient:
    with prepared():
        administrator = people.agent(where.establishment.id, "administration")
    return sign_in(administrator)


def test_a_site_says_how_to_come_and_for_whom_it_is_made(where: Hospital, browser: FlaskClient) -> None:
    said = {"address": "1 rue du Port", "town": "Granville", "access": "Bus 4\r\nEntrée B", "for_wheelchairs": "y"}
    assert browser.post(f"{LIST}/sites/{where.site.id}", data=said).status_code == 303
    (site,) = rows(Site)
    assert (site.town, site.access, site.for_wheelchairs, site.for_sight) == (
        "Granville", "Bus 4\nEntrée B", True, False,
    )  # fmt: skip
    assert "Granville" in browser.get(LIST).text
    browser.post(f"{LIST}/sites/{where.site.id}", data=said)
    assert audited().count("site.described") == 1


def test_a_practitioner_speaks_and_has_a_room(where: Hospital, browser: FlaskClient) -> None:
    page = f"{LIST}/praticiens/{where.practitioner.id}"
    said = {"languages": ["fsl", "ar"], "link": "https://visio.example.org/mercier"}
    assert browser.post(page, data=said).status_code == 303
    assert [row.languages for row in rows(Practitioner)] == [["ar", "fsl"]]
    assert [row.link for row in rows(RemoteRoom)] == ["https://visio.example.org/mercier"]
    assert "mercier" in browser.get(page).text
    browser.post(page, data={"link": ""})
    assert (rows(RemoteRoom), [row.languages for row in rows(Practitioner)]) == ([], [[]])


@pytest.mark.parametrize(
    "link", ["http://visio.example.org", "javascript:alert(1)", "https://a b", "//x", "https://x/{}"]
)
def test_no_unsafe_room(where: Hospital, browser: FlaskClient, link: str) -> None:
    answer = browser.post(f"{LIST}/praticiens/{where.practitioner.id}", data={"link": link})
    assert answer.status_code == 422
    assert rows(RemoteRoom) == []


def test_no_language_that_is_not_one(where: Hospital, browser: FlaskClient) -> None:
    answer = browser.post(f"{LIST}/praticiens/{where.practitioner.id}", data={"languages": ["xx"]})
    assert answer.status_code == 422


def test_a_long_text_is_refused(where: Hospital, browser: FlaskClient) -> None:
    assert browser.post(f"{LIST}/sites/{where.site.id}", data={"access": "x" * 2001}).status_code == 422


def test_another_hospitals_are_not_found(browser: FlaskClient) -> None:
    with prepared():
        far = hospitals.hospital("990000025", "Hôpital du Sud")
    assert "Hôpital du Sud" not in browser.get(LIST).text
    assert browser.get(f"{LIST}/sites/{far.site.id}").status_code == 404
    assert browser.post(f"{LIST}/praticiens/{far.practitioner.id}").status_code == 404


def test_the_right_to_appointments_does_not_do(where: Hospital, sign_in: SignIn) -> None:
    with prepared():
        agent = people.agent(where.establishment.id, "appointments")
    assert sign_in(agent).get(LIST).status_code == 403


def test_the_list_asks_the_database_little(app: Flask, where: Hospital, browser: FlaskClient) -> None:
    with executed(app) as statements:
        browser.get(LIST)
    assert len(statements) <= 12
