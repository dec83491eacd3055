"""The unit's tray of requests for places, and how many births each site takes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from auth.models import Account
from portal import db
from portal.audit import AuditEvent
from services.preadmission.maternity.models import MaternityPlaces, MaternityWish
from services.preadmission.models import Preadmission
from tests.english import in_english as in_english
from tests.factories import maternity, people
from tests.factories import preadmission as factory
from tests.ground import prepared, rows, today
from tests.services.preadmission.conftest import Ground, ground  # noqa: F401 - a fixture
from tests.statements import executed


@pytest.fixture
def wish(ground: Ground) -> MaternityWish:  # noqa: F811 - a fixture
    with prepared():
        maternity.places(ground.hospital.site)
        file = factory.preadmission(ground.patient, ground.hospital.unit, stay_kind="maternity")
        return maternity.wish(maternity.request(file, ground.hospital.site))


@pytest.fixture
def admin(ground: Ground) -> Account:  # noqa: F811 - a fixture
    with prepared():
        return people.agent(ground.hospital.establishment.id, "administration")


def answer(decision: str, **facts: str) -> dict[str, str]:
    day = today() + timedelta(days=6)
    return {"once": str(uuid4()), "decision": decision, "level": "I", "answer_by-day": str(day.day),
            "answer_by-month": str(day.month), "answer_by-year": str(day.year), "words": ""} | facts  # fmt: skip


def state(wish: MaternityWish) -> str:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(MaternityWish, wish.id).state


def test_requests_are_found_by_what_they_wait_for(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
) -> None:
    browser = sign_in(ground.clerk)
    name, month = ground.patient.full_name, maternity.due().replace(day=1)
    assert name in browser.get("/admin/maternite").text
    assert name in browser.get(f"/admin/maternite?mois={month}").text
    for query in ("etat=confirmed", "mois=2001-01-01", "etat=to_answer&page=2"):
        assert name not in browser.get(f"/admin/maternite?{query}").text
    for query in ("etat=x", "mois=x", "page=-1", "page=99999999999999999999"):
        assert browser.get(f"/admin/maternite?{query}").status_code == 200


def test_no_list_names_whoever_asked_that_nobody_be_told(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
) -> None:
    with db.transaction(db.system("tests")) as current:
        current.get_one(Preadmission, wish.preadmission_id).confidential = True
    page = sign_in(ground.clerk).get("/admin/maternite").text
    assert f"/admin/maternite/{wish.id}" in page
    assert ground.patient.full_name not in page


def test_a_place_is_offered_and_the_opening_is_written_down(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
) -> None:
    browser, page = sign_in(ground.clerk), f"/admin/maternite/{wish.id}"
    assert "Offer a place" in browser.get(page).text
    assert [each.action for each in rows(AuditEvent)].count("maternity_request.opened") == 1
    assert browser.post(page, data=answer("offered")).status_code == 303
    assert state(wish) == "offered"
    assert "Offer a place" not in browser.get(page).text


@pytest.mark.parametrize(
    ("decision", "facts", "said"),
    [
        ("offered", {"level": ""}, "Choose the level of care"),
        ("offered", {"level": "III"}, "Choose the level of care"),
        ("offered", {"answer_by-day": "", "answer_by-month": "", "answer_by-year": ""}, "Write the last day"),
        ("offered", {"answer_by-year": "2001"}, "That day is over"), ("refused", {}, "Write where else"),
        ("confirmed", {}, ""), ("", {}, "Choose an answer"),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_explained(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
    decision: str,
    facts: dict[str, str],
    said: str,
) -> None:
    posted = sign_in(ground.clerk).post(f"/admin/maternite/{wish.id}", data=answer(decision, **facts))
    assert posted.status_code == 422
    assert said in posted.text
    assert state(wish) == "received"


def test_a_full_month_is_said(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
) -> None:
    with prepared():
        db.session.query(MaternityPlaces).one().places = 0
    posted = sign_in(ground.clerk).post(f"/admin/maternite/{wish.id}", data=answer("offered"))
    assert posted.status_code == 422
    assert "waiting list" in posted.text
    assert sign_in(ground.clerk).post(f"/admin/maternite/{wish.id}", data=answer("waiting_list")).status_code == 303
    assert state(wish) == "waiting_list"


@pytest.mark.parametrize("decision", ["studied", "refused", "cancelled", "born_elsewhere"])
def test_the_other_answers(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
    decision: str,
) -> None:
    data = answer(decision, words="Demandez à l’hôpital voisin.")
    assert sign_in(ground.clerk).post(f"/admin/maternite/{wish.id}", data=data).status_code == 303
    assert state(wish) == decision


def test_others_are_refused(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    admin: Account,
    sign_in: Callable[..., Any],
) -> None:
    assert sign_in(ground.other_clerk).get(f"/admin/maternite/{wish.id}").status_code == 404
    assert ground.patient.full_name not in sign_in(ground.other_clerk).get("/admin/maternite").text
    for account in (ground.account, admin):
        assert sign_in(account).get("/admin/maternite").status_code == 403
    assert sign_in(ground.clerk).get("/admin/places-de-maternite").status_code == 403


def test_places_are_set_and_not_below_those_kept(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    admin: Account,
    sign_in: Callable[..., Any],
) -> None:
    browser, page = sign_in(admin), "/admin/places-de-maternite"
    site, month = str(ground.hospital.site.id), maternity.due().replace(day=1).isoformat()
    data = {"site_id": site, "month": month, "level": "I", "places": "5"}
    assert browser.get(page).status_code == 200
    assert browser.post(page, data=data).status_code == 303
    assert [each.places for each in rows(MaternityPlaces)] == [5]
    assert sign_in(ground.clerk).post(f"/admin/maternite/{wish.id}", data=answer("offered")).status_code == 303
    refused = sign_in(admin).post(page, data=data | {"places": "0"})
    assert refused.status_code == 422
    assert "kept already" in refused.text
    for wrong in ({"places": "-1"}, {"places": "x"}, {"site_id": str(ground.other_hospital.site.id)},
                  {"month": "2001-01-01"}, {"level": "IV"}):  # fmt: skip
        assert sign_in(admin).post(page, data=data | wrong).status_code == 422


def test_the_tray_asks_few_questions(
    ground: Ground,  # noqa: F811 - a fixture
    wish: MaternityWish,
    sign_in: Callable[..., Any],
    app: Flask,
) -> None:
    browser = sign_in(ground.clerk)
    browser.get("/admin/maternite")
    for path in ("/admin/maternite", f"/admin/maternite/{wish.id}"):
        with executed(app) as seen:
            browser.get(path)
        assert len(seen) <= 12, "\n".join(seen)
