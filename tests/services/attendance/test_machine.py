"""A system of a hospital says how its emergency departments stand: its own alone, twice like once."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.machines import actions as machines
from auth.machines.actions import Draft
from portal import db
from portal.audit import AuditEvent
from services.attendance.api import SCOPE
from services.attendance.models import EmergencyReading
from tests import ground
from tests.factories import attendance, hospitals
from tests.ground import prepared

Post = Callable[..., TestResponse]


@pytest.fixture
def post(app: Flask) -> Post:
    return caller(app, SCOPE)


def caller(app: Flask, scope: str) -> Post:
    with prepared():
        hospital, other = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
        attendance.department(hospital.unit, "adultes")
        attendance.department(hospital.unit, "prevu", is_published=False)
        attendance.department(other.unit, "ailleurs")
        machine, secret = machines.add(Draft(hospital.establishment.id, "Logiciel des urgences", [scope]))
    browser = FlaskClient(app, use_cookies=False)
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": secret}
    token = browser.post("/oauth/token", data=form).get_json()["access_token"]

    def call(*reports: Any, **more: Any) -> TestResponse:
        asked: dict[str, Any] = more or {"json": {"reports": list(reports)}}
        return browser.post("/api/urgences", headers={"Authorization": f"Bearer {token}"}, **asked)

    return call


def report(ago_s: int = 60, **facts: Any) -> dict[str, Any]:
    at = (db.now() - timedelta(seconds=ago_s)).replace(microsecond=0)
    usual = {"department": "adultes", "state": "open", "waiting": 23, "minutes": {"from": 60, "to": 90}}
    return usual | {"measured_at": at.isoformat()} | facts


def test_reports_are_taken_and_the_machine_is_named(post: Post) -> None:
    answer = post(report(), report(department="prevu"))
    assert (answer.status_code, answer.get_json()) == (200, {"added": 2, "changed": 0, "unchanged": 0})
    assert {(each.source, each.waiting, each.minutes_to) for each in ground.rows(EmergencyReading)} == {
        ("machine", 23, 90)
    }
    lines = [each for each in ground.rows(AuditEvent) if each.action == "attendance.reported"]
    assert [each.actor.partition(":")[0] for each in lines] == ["machine", "machine"]


def test_the_same_call_again_changes_nothing_and_another_figure_corrects_it(post: Post) -> None:
    said = report()
    post(said)
    assert post(said).get_json() == {"added": 0, "changed": 0, "unchanged": 1}
    assert post(said | {"waiting": 24}).get_json() == {"added": 0, "changed": 1, "unchanged": 0}
    assert [each.waiting for each in ground.rows(EmergencyReading)] == [24]


def test_the_journal_keeps_what_changes_how_people_are_received(post: Post) -> None:
    for ago, state in ((300, "open"), (240, "open"), (180, "saturated"), (120, "saturated"), (60, "open")):
        post(report(ago, state=state))
    assert ground.count(EmergencyReading) == 5
    assert ground.audited().count("attendance.reported") == 3


def test_all_of_a_call_is_taken_or_none(post: Post) -> None:
    refused = post(report(), report(department="ailleurs"), report(waiting=-1))
    assert (refused.status_code, refused.get_json()) == (422, {"errors": [{"rank": 2, "why": "waiting"}]})
    refused = post(report(), report(department="ailleurs"))
    assert (refused.status_code, refused.get_json()) == (422, {"errors": [{"rank": 1, "why": "department"}]})
    for late in (report(90_000), report(-600)):
        assert post(report(), late).get_json() == {"errors": [{"rank": 1, "why": "measured_at"}]}
    assert ground.count(EmergencyReading) == 0


@pytest.mark.parametrize(
    ("asked", "status"),
    [({"data": "reports=1"}, 415), ({"json": {}}, 400), ({"json": {"reports": []}}, 400), ({"json": [1]}, 400),
     ({"data": "{", "content_type": "application/json"}, 400), ({"json": {"reports": [1] * 101}}, 400)],
    ids=["no json", "nothing", "empty", "a list", "half a document", "too many"],
)  # fmt: skip
def test_what_is_not_such_a_document_is_refused(post: Post, asked: dict[str, Any], status: int) -> None:
    assert post(**asked).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [("[" * 100_000, 400), ('{"reports": ' + "[" * 5000 + "]" * 5000 + "}", 400),
     ('{"reports": [' + "9" * 5000 + "]}", 400),
     ('{"reports": [{"\\ud800": 1}]}', 422), ("\ufeff{}", 400), (b"\xff\xfe", 400)],
    ids=["deep", "deep and closed", "a giant number", "half a sign", "a mark", "not a text"],
)  # fmt: skip
def test_a_hostile_document_is_refused_and_breaks_nothing(post: Post, body: str | bytes, status: int) -> None:
    assert post(data=body, content_type="application/json").status_code == status
    assert ground.count(EmergencyReading) == 0


def test_words_that_could_mislead_are_taken_without_what_turns_them_round(post: Post, client: FlaskClient) -> None:
    said = "Appelez le \u202e51\u202c <b>vite</b>\r\nMerci\x07"
    assert post(report(message={"fr": said})).status_code == 200
    assert [each.message for each in ground.rows(EmergencyReading)] == [{"fr": "Appelez le 51 <b>vite</b>\nMerci"}]
    page = client.get("/urgences").text
    assert "&lt;b&gt;vite" in page
    assert "\u202e" not in page
    half = post(data=json.dumps({"reports": [report(message={"fr": "\ud800"})]}), content_type="application/json")
    assert (half.status_code, half.get_json()["errors"]) == (422, [{"rank": 0, "why": "message"}])
    for code in ("\ud800", "\x00", "x" * 5000):
        unknown = post(data=json.dumps({"reports": [report(department=code)]}), content_type="application/json")
        assert (unknown.status_code, unknown.get_json()["errors"]) == (422, [{"rank": 0, "why": "department"}])


def test_reports_that_come_in_any_order_leave_the_last_measured(post: Post, client: FlaskClient) -> None:
    post(report(60, waiting=50))
    post(report(600, waiting=20), report(1200, waiting=30))
    assert "50 people are waiting" in client.get("/urgences?lang=en").text
    assert ground.count(EmergencyReading) == 3


def test_a_machine_that_was_not_let_to_is_refused(app: Flask) -> None:
    assert caller(app, "system/Totals.write")(report()).status_code == 403
    assert FlaskClient(app).post("/api/urgences", json={"reports": [report()]}).status_code == 401
    assert ground.count(EmergencyReading) == 0
