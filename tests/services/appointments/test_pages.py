"""The patient's path through the real application."""

import re
from collections.abc import Callable
from datetime import time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import func, select

from portal import db
from portal.db import session
from portal.establishments import Unit
from services.appointments import actions
from services.appointments.models import Appointment, Reason
from tests.factories import appointments, hospitals, people
from tests.services.appointments.conftest import Ground
from tests.statements import executed

MOST_STATEMENTS = 12
NOBODY = "00000000-0000-4000-8000-000000000000"

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def browser(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


def _booked(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def _all() -> list[Appointment]:
    with db.transaction(db.system("tests")):
        return list(session.scalars(select(Appointment)))


# -- choosing, before signing in ---------------------------------------------------------------------------------


def test_a_visitor_finds_a_reason_then_its_free_times(ground: Ground, client: FlaskClient) -> None:
    page = client.get("/rendez-vous/choisir")
    assert f"choisir-un-creneau?reason={ground.reason.id}" in page.text
    times = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}")
    assert times.status_code == 200
    assert [f'value="{ground.slot(cell)}"' in times.text for cell in (0, 1, 2, 10, 11)] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_words_and_hospital_narrow_the_list(ground: Ground, client: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        other = hospitals.hospital("990000025", "Autre hôpital")
        appointments.reason(other.unit, "Épreuve d’effort")
    assert "preuve d" in client.get("/rendez-vous/choisir?q=epreuve+CARDIO").text
    assert "Consultation de suivi" not in client.get("/rendez-vous/choisir?q=epreuve").text
    assert "preuve d" not in client.get("/rendez-vous/choisir?establishment=990000017").text
    assert "01 99 00 00 00" in client.get("/rendez-vous/choisir?q=dermatologie").text, "whom to call"


def test_what_is_not_open_online_is_not_shown(ground: Ground, client: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        session.get_one(Reason, ground.reason.id).bookable_online = False
    assert str(ground.reason.id) not in client.get("/rendez-vous/choisir").text
    assert client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}").status_code == 404


def test_the_list_goes_on_with_later_days(ground: Ground, client: FlaskClient) -> None:
    today = db.now().astimezone(ground.hospital.establishment.tz).date()
    with db.transaction(db.system("tests")):
        for days in range(8, 16):
            appointments.consultation(ground.hospital, [ground.reason], today + timedelta(days=days), closes=time(10))
    first = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    assert f"from={today + timedelta(days=12)}" in following[1]
    second = client.get(following[1].replace("&amp;", "&")).text
    assert 'rel="next"' not in second
    values = {page: set(re.findall(r'name="slot" value="([^"]+)"', page)) for page in (first, second)}
    assert len(values[first]) == 6 + 4 * 2
    assert not values[first] & values[second]


def test_several_practitioners_can_be_told_apart(ground: Ground, client: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh", title="Dr")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
    address = f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"
    whoever = client.get(address).text
    assert whoever.count("app-slots__detail") == 6, "each time once, for those who do not mind whom they see"
    both = client.get(f"{address}&practitioner={colleague.id}&practitioner={ground.hospital.practitioner.id}").text
    assert both.count("app-slots__detail") == 12
    alone = client.get(f"{address}&practitioner={colleague.id}").text
    assert str(other.id) in alone
    assert str(ground.opened.id) not in alone


def test_nothing_free_says_whom_to_call(ground: Ground, client: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        empty = appointments.reason(ground.hospital.unit, "Sans créneau")
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={empty.id}")
    assert page.status_code == 200
    assert "01 99 00 00 00" in page.text


def test_going_on_without_a_time_asks_for_one(ground: Ground, client: FlaskClient) -> None:
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&continue=1")
    assert page.status_code == 422
    assert 'href="#slot"' in page.text


@pytest.mark.parametrize("query", [
    "", "?reason=", "?reason=1", f"?reason={NOBODY}", "?reason=%00", "?reason=' or 1=1",
])  # fmt: skip
def test_an_unknown_reason_is_a_clear_404(ground: Ground, client: FlaskClient, query: str) -> None:
    assert client.get(f"/rendez-vous/choisir-un-creneau{query}").status_code == 404


@pytest.mark.parametrize("query", ["from=2026-02-30", "from=0001-01-01", "from=9999-12-31", "from=x", "practitioner=x"])
def test_odd_dates_are_forgiven(ground: Ground, client: FlaskClient, query: str) -> None:
    assert client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&{query}").status_code == 200


# -- one's appointments ------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_to_do(browser: FlaskClient) -> None:
    page = browser.get("/rendez-vous")
    assert "/rendez-vous/choisir" in page.text


def test_signing_in_is_needed_to_see_one_s_appointments(client: FlaskClient) -> None:
    assert client.get("/rendez-vous").location.startswith("/connexion")


@pytest.mark.parametrize("path", ["", "/confirme", "/annuler", "/rendez-vous.ics"])
def test_another_s_appointment_does_not_exist(ground: Ground, sign_in: SignIn, path: str) -> None:
    made = _booked(ground)
    with db.transaction(db.system("tests")):
        account, _person = people.patient_with_account(birth_name="AUTRE")
    assert sign_in(account).get(f"/rendez-vous/{made.id}{path}").status_code == 404
    assert sign_in(ground.account).get(f"/rendez-vous/{made.id}{path}").status_code == 200


def test_cancelling_asks_why_then_frees_the_time(ground: Ground, browser: FlaskClient) -> None:
    address = f"/rendez-vous/{_booked(ground).id}/annuler"
    for why in ({}, {"why": ""}, {"why": "patient_asked"}, {"why": "<script>"}):
        assert browser.post(address, data=why).status_code == 422
    assert browser.post(address, data={"why": "not_needed"}).status_code == 303
    assert [made.cancel_reason for made in _all()] == ["not_needed"]
    assert browser.get(address).status_code == 302, "nothing left to cancel"
    assert browser.post(address, data={"why": "not_needed"}).status_code == 303, "again is harmless"
    assert browser.get(ground.address()).status_code == 200, "the time is free"


def test_too_late_to_cancel_says_whom_to_call(ground: Ground, browser: FlaskClient) -> None:
    made = _booked(ground)
    with db.transaction(db.system("tests")):
        session.get_one(Reason, ground.reason.id).cancel_cutoff_hours = 24 * 60
    for answer in (
        browser.get(f"/rendez-vous/{made.id}/annuler"),
        browser.post(f"/rendez-vous/{made.id}/annuler", data={"why": "other"}),
    ):
        assert "01 99 00 00 00" in answer.text
    assert answer.status_code == 409
    assert _all()[0].state == "booked"


def test_the_calendar_file_is_valid_and_discreet(ground: Ground, browser: FlaskClient) -> None:
    made = _booked(ground)
    answer = browser.get(f"/rendez-vous/{made.id}/rendez-vous.ics")
    assert answer.mimetype == "text/calendar"
    assert "attachment" in answer.headers["Content-Disposition"]
    calendar = Calendar.from_ical(answer.data)
    (entry,) = calendar.walk("VEVENT")
    assert entry.decoded("dtstart") == made.start_at
    assert entry["dtstart"].params["TZID"] == "Europe/Paris"
    assert entry.decoded("dtend") - entry.decoded("dtstart") == timedelta(minutes=30)
    assert [str(zone["tzid"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Paris"]
    assert (str(entry["status"]), entry["sequence"]) == ("CONFIRMED", 0)
    assert not [word for word in ("Cardiologie", "suivi", "MERCIER") if word in answer.text]


def test_the_calendar_file_of_a_cancelled_appointment_cancels_the_entry(ground: Ground, browser: FlaskClient) -> None:
    made = _booked(ground)
    before = Calendar.from_ical(browser.get(f"/rendez-vous/{made.id}/rendez-vous.ics").data).walk("VEVENT")[0]
    browser.post(f"/rendez-vous/{made.id}/annuler", data={"why": "other"})
    after = Calendar.from_ical(browser.get(f"/rendez-vous/{made.id}/rendez-vous.ics").data).walk("VEVENT")[0]
    assert before["uid"] == after["uid"]
    assert (str(after["status"]), after["sequence"]) == ("CANCELLED", 1)


# -- economy -----------------------------------------------------------------------------------------------------


def test_pages_are_thrifty_however_many_appointments(app: Flask, ground: Ground, browser: FlaskClient) -> None:
    mine = [_booked(ground, cell) for cell in (0, 2, 4, 6, 8)]
    pages = (
        "/rendez-vous",
        f"/rendez-vous/{mine[0].id}",
        "/rendez-vous/choisir",
        ground.address(10),
        f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}",
    )
    browser.get(pages[-1])  # the first page of times notes the arrival
    for page in pages:
        with executed(app) as statements:
            assert browser.get(page).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


def test_looking_writes_nothing(ground: Ground, browser: FlaskClient) -> None:
    made = _booked(ground)
    with db.transaction(db.system("tests")):
        before = session.scalar(select(func.count()).select_from(Appointment))
    for page in ("/rendez-vous", f"/rendez-vous/{made.id}", f"/rendez-vous/{made.id}/annuler", ground.address(2)):
        browser.get(page)
    assert len(_all()) == before == 1
    assert _all()[0].state == "booked"


def test_every_page_of_an_appointment_says_whom_to_call(ground: Ground, browser: FlaskClient) -> None:
    with db.transaction(db.system("tests")):
        session.get_one(Unit, ground.reason.unit_id).phone = "01 99 00 12 34"
    made = _booked(ground)
    call = 'href="tel:0199001234"'
    for path in ("", "/confirme", "/deplacer", "/annuler"):
        assert call in browser.get(f"/rendez-vous/{made.id}{path}").text, path
    browser.post(f"/rendez-vous/{made.id}/annuler", data={"why": "other"})
    assert call in browser.get(f"/rendez-vous/{made.id}").text, "cancelled, one may still need it"


def test_an_error_is_said_from_the_title_on(ground: Ground, client: FlaskClient) -> None:
    page = client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&continue=1&lang=en").text
    assert re.search(r"<title>\s*Error:", page)
