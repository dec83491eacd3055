"""Another system of a hospital sends its totals: its own hospital's alone, all of a call or none of it, twice like
once."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from auth.machines import actions
from auth.machines.actions import Draft
from auth.machines.routes_totals import SCOPE
from portal.audit import AuditEvent
from portal.kpi.hospital_totals import HospitalTotal
from tests.factories import hospitals
from tests.ground import prepared, rows

Post = Callable[..., TestResponse]
JAN = {"code": "stays_planned", "day": "2025-01", "grain": "month", "value": 120}


@pytest.fixture
def post(app: Flask) -> Post:
    """A call of a machine of the north, let to do this."""
    return _caller(app, SCOPE)


def _caller(app: Flask, scope: str) -> Post:
    with prepared():
        north = hospitals.hospital().establishment
        machine, secret = actions.add(Draft(north.id, "Infocentre du nord", [scope]))
    browser = FlaskClient(app, use_cookies=False)
    form = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": secret}
    token = browser.post("/oauth/token", data=form).get_json()["access_token"]

    def call(*totals: Any, **more: Any) -> TestResponse:
        asked: dict[str, Any] = more or {"json": {"totals": list(totals)}}
        return browser.post("/api/totaux", headers={"Authorization": f"Bearer {token}"}, **asked)

    return call


def test_totals_are_taken_and_the_machine_is_named(post: Post) -> None:
    answer = post(JAN, JAN | {"day": "2025-02-03", "grain": "day", "value": 4})
    assert (answer.status_code, answer.get_json()) == (200, {"added": 2, "changed": 0, "unchanged": 0})
    assert {(each.day, each.value, each.source, each.by_name) for each in rows(HospitalTotal)} == {
        (date(2025, 1, 1), 120, "machine", "Infocentre du nord"),
        (date(2025, 2, 3), 4, "machine", "Infocentre du nord"),
    }
    told = next(each for each in rows(AuditEvent) if each.action == "totals.received")
    assert told.actor.startswith("machine:")


def test_the_same_call_again_changes_nothing(post: Post) -> None:
    post(JAN)
    assert post(JAN).get_json() == {"added": 0, "changed": 0, "unchanged": 1}
    assert post(JAN | {"value": 121}).get_json() == {"added": 0, "changed": 1, "unchanged": 0}
    assert len(rows(HospitalTotal)) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"value": "120"}, {"value": -1}, {"value": True}, {"value": 1.5}, {"code": "beds"}, {"day": "2099-01"},
     {"grain": "year"}, {"day": None}],
    ids=str,
)  # fmt: skip
def test_one_wrong_total_refuses_the_call_by_its_rank(post: Post, wrong: dict[str, Any]) -> None:
    answer = post(JAN, JAN | wrong)
    assert answer.status_code == 422
    assert [each["rank"] for each in answer.get_json()["errors"]] == [1]
    assert rows(HospitalTotal) == []


def test_what_is_no_such_document_is_refused(post: Post) -> None:
    assert post().status_code == 400
    assert post("text").status_code == 422
    assert post(json=[JAN]).status_code == 400
    assert post(data="{", content_type="application/json").status_code == 400
    assert post(data="x=1", content_type="text/plain").status_code == 415


def test_it_takes_this_scope(app: Flask) -> None:
    answer = _caller(app, "system/Slot.read")(JAN)
    assert answer.status_code == 403
    assert FlaskClient(app).post("/api/totaux", json={"totals": [JAN]}).status_code == 401
