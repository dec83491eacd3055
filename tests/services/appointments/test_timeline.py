"""One timeline for every hospital of the group; moving an appointment online; what its page tells on each day."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from auth.models import Patient, WebSession
from portal import db
from portal.db import session
from portal.establishments import Site
from services.appointments import actions
from services.appointments.models import Appointment, Reason
from services.appointments.queries.appointments import PAGE_SIZE
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.ground import prepared, rows, today
from tests.services.appointments.conftest import Ground
from tests.statements import executed

MOST_STATEMENTS = 12
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def browser(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.account)


@pytest.fixture
def made(ground: Ground) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot())


@pytest.fixture
def child(ground: Ground) -> Patient:
    with prepared():
        made = people.patient("PETIT", ("ZOÉ",))
        people.give_access(ground.account, made, "parent")
        appointments.booked(made, ground.reason, ground.opened, 4)
        return made


def past_ones(ground: Ground, count: int, **facts: str) -> None:
    with prepared():
        for number in range(count):
            day = today() - timedelta(days=number + 1)
            appointments.past(
                ground.patient, ground.reason, appointments.consultation(ground.hospital, [ground.reason], day), **facts
            )


# -- the timeline ------------------------------------------------------------------------------------------------


def test_every_hospital_is_there_grouped_by_day(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    with prepared():
        other = hospitals.hospital("990000025", "Autre hôpital", time_zone="Indian/Reunion")
        why = appointments.reason(other.unit, "Ailleurs")
        opened = appointments.consultation(other, [why], today() + timedelta(days=2))
        appointments.booked(ground.patient, why, opened)
    page = browser.get("/rendez-vous").text
    assert page.index("Autre hôpital") < page.index(str(made.id)), "the soonest first"
    assert len(re.findall(r'<h3 class="govuk-heading-s">', page)) == 2


@pytest.mark.parametrize(("state", "word"), [("done", "Seen"), ("missed", "Missed"), ("cancelled", "Cancelled")])
def test_each_state_is_said_in_words_where_it_belongs(
    ground: Ground, browser: FlaskClient, state: str, word: str
) -> None:
    past_ones(ground, 1, state=state)
    shown = browser.get(f"/rendez-vous?show={'cancelled' if state == 'cancelled' else 'past'}").text
    assert f">{word}</strong>" in shown
    (kept,) = rows(Appointment)
    assert str(kept.id) not in browser.get("/rendez-vous").text
    assert browser.get(f"/rendez-vous/{kept.id}").status_code == 200


def test_two_hundred_appointments_are_read_by_pages(app: Flask, ground: Ground, browser: FlaskClient) -> None:
    past_ones(ground, PAGE_SIZE * 2 + 1)
    browser.get("/rendez-vous")
    with executed(app) as statements:
        first = browser.get("/rendez-vous?show=past").text
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
    assert first.count("app-card__link") == PAGE_SIZE
    assert "Page 1 of 3" in first
    assert browser.get("/rendez-vous?show=past&page=3").text.count("app-card__link") == 1


@pytest.mark.parametrize("query", ["show=x", "page=0", "page=99", "page=-1", "page=x", "person=x", "show=past&page=9"])
def test_odd_addresses_are_forgiven(browser: FlaskClient, query: str) -> None:
    assert browser.get(f"/rendez-vous?{query}").status_code == 200


def test_one_reads_one_s_own_and_finds_the_others_by_a_link(
    browser: FlaskClient, made: Appointment, child: Patient
) -> None:
    page = browser.get("/rendez-vous").text
    assert page.count("app-card__link") == 1
    assert f"/rendez-vous?person={child.id}" in page
    theirs = browser.get(f"/rendez-vous?person={child.id}").text
    assert "Appointments of ZOÉ PETIT" in theirs
    assert str(made.id) not in theirs


def test_under_the_band_one_reads_that_person_s_only(
    ground: Ground, browser: FlaskClient, made: Appointment, child: Patient
) -> None:
    with prepared():
        session.scalars(select(WebSession)).one().patient_id = child.id
    for address in ("/rendez-vous", f"/rendez-vous?person={ground.patient.id}"):
        page = browser.get(address).text
        assert str(made.id) not in page
        assert page.count("app-card__link") == 1
        assert "For the people I act for" not in page


def test_nobody_reads_a_stranger_s(ground: Ground, browser: FlaskClient) -> None:
    with prepared():
        other = people.patient("AUTRE")
        theirs = appointments.booked(other, ground.reason, ground.opened)
    assert str(theirs.id) not in browser.get(f"/rendez-vous?person={other.id}").text


# -- moving ------------------------------------------------------------------------------------------------------


def move(browser: FlaskClient, appointment: Appointment, slot: object, **changes: str) -> TestResponse:
    return browser.post(
        f"/rendez-vous/{appointment.id}/deplacer", data={"once": str(uuid4()), "slot": str(slot)} | changes
    )


def test_moving_offers_the_other_times_and_takes_one(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    page = browser.get(f"/rendez-vous/{made.id}/deplacer").text
    assert f'value="{ground.slot(4)}"' in page
    assert f'value="{ground.slot(0)}"' not in page
    answer = move(browser, made, ground.slot(4))
    assert answer.location == f"/rendez-vous/{made.id}"
    assert [each.first_cell for each in rows(Appointment)] == [4]
    assert "Moved" in browser.get(f"/rendez-vous/{made.id}").text


def test_moving_has_a_month_and_filters_too(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    page = browser.get(f"/rendez-vous/{made.id}/deplacer?month={ground.opened.local_date:%Y-%m}").text
    link = re.search(r'class="app-month__link" href="([^"]+)"', page)
    assert link is not None
    assert link[1].startswith(f"/rendez-vous/{made.id}/deplacer?")
    assert browser.get(f"/rendez-vous/{made.id}/deplacer?part=evening").status_code == 200


def test_moving_twice_by_a_double_click_is_one_move(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    once = str(uuid4())
    first, second = (move(browser, made, ground.slot(4), once=once) for _ in range(2))
    assert first.location == second.location


def test_a_time_lost_meanwhile_keeps_the_appointment_where_it_is(
    ground: Ground, browser: FlaskClient, made: Appointment
) -> None:
    with prepared():
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    page = move(browser, made, ground.slot(4))
    assert page.status_code == 409
    text = page.text
    assert f'action="/rendez-vous/{made.id}/deplacer"' in text
    assert 'name="slot"' in text
    with prepared():
        assert session.get_one(Appointment, made.id).first_cell == 0


@pytest.mark.parametrize(("slot", "status"), [("", 422), ("x", 404), ("00000000-0000-4000-8000-000000000000-0", 404)])
def test_a_forged_move_is_refused(browser: FlaskClient, made: Appointment, slot: str, status: int) -> None:
    assert move(browser, made, slot).status_code == status


def test_too_late_to_move_says_whom_to_call(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).cancel_cutoff_hours = 24 * 60
    assert "01 99 00 00 00" in browser.get(f"/rendez-vous/{made.id}/deplacer").text
    page = move(browser, made, ground.slot(4))
    assert page.status_code == 409
    assert "01 99 00 00 00" in page.text


def test_another_s_appointment_cannot_be_moved(ground: Ground, sign_in: SignIn, made: Appointment) -> None:
    with prepared():
        account, _person = people.patient_with_account(birth_name="AUTRE")
    stranger = sign_in(account)
    assert stranger.get(f"/rendez-vous/{made.id}/deplacer").status_code == 404
    assert move(stranger, made, ground.slot(4)).status_code == 404


# -- its page ----------------------------------------------------------------------------------------------------


def test_the_page_says_when_and_how_to_come(ground: Ground, browser: FlaskClient, made: Appointment) -> None:
    with prepared():
        reason = session.get_one(Reason, ground.reason.id)
        reason.come_before_min, reason.arrival = 15, "Passez à la borne d’accueil."
        site = session.get_one(Site, ground.hospital.site.id)
        site.access, site.for_wheelchairs = "Bus 4", True
    page = browser.get(f"/rendez-vous/{made.id}").text
    assert "Be there 15 minutes before, at 8:45" in page.replace("\u202f", " ")
    for words in ("borne d’accueil", "Bus 4", "Reached in a wheelchair"):
        assert words in page


def test_a_video_visit_is_told_before_and_after_booking(
    ground: Ground, browser: FlaskClient, client: FlaskClient, made: Appointment
) -> None:
    with prepared():
        session.get_one(Reason, ground.reason.id).is_remote = True
    for page in (
        client.get("/rendez-vous/choisir"),
        client.get(f"/rendez-vous/choisir-un-creneau?reason={ground.reason.id}"),
        browser.get("/rendez-vous"),
        browser.get(f"/rendez-vous/{made.id}"),
        browser.get(f"/rendez-vous/{made.id}/confirme"),
    ):
        assert "By video" in page.text
