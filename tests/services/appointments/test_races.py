"""Everybody at once: one winner a slot, and the three ways of telling who has what always agree."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import time
from functools import partial
from random import Random
from time import sleep
from uuid import UUID

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.serving import make_server

from auth import sessions
from auth.models import WebSession
from portal import db
from portal.db import session
from services.appointments import actions
from services.appointments.actions import AlreadyOver, PatientBusy, SlotTaken
from services.appointments.models import Appointment, ConsultationSession
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.services.appointments.conftest import Ground

OVERLAPS = text("""
select count(*) from appointment a join appointment b on a.id < b.id and a.state = 'booked' and b.state = 'booked'
and (a.practitioner_id = b.practitioner_id or a.patient_id = b.patient_id)
and a.start_at < b.end_at and b.start_at < a.end_at
""")
CLAIMED = text("select appointment_id, resource_id, cell from claim")
WRONG_MASKS = text("""
select count(*) from consultation_session s where s.free <> s.open & ~coalesce((
  select bit_or(((1::bigint << a.n_cells) - 1) << a.first_cell) from appointment a
  where a.session_id = s.id and a.state = 'booked'), 0)
""")
WAITING = text("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
time_to_look_again = partial(sleep, 0.01)


def assert_all_agree() -> None:
    """No overlap; claims are exactly the booked appointments' cells; masks are exactly open minus booked."""
    with db.transaction(db.system("tests")):
        assert session.scalar(OVERLAPS) == 0
        assert session.scalar(WRONG_MASKS) == 0
        claimed = {(row.appointment_id, row.resource_id, row.cell) for row in session.execute(CLAIMED)}
        booked = session.scalars(select(Appointment).where(Appointment.state == "booked")).all()
        assert claimed == {
            (one.id, resource, cell)
            for one in booked
            for resource in (one.practitioner_id, one.patient_id)
            for cell in actions.slots.claim_cells(one.start_at, one.end_at)
        }


def test_masks_and_claims_survive_a_torture(app: Flask) -> None:
    """Eight threads book and cancel at random: three practitioners, four patients, durations of one to four cells."""
    with db.transaction(db.system("tests")):
        where = hospitals.hospital()
        reasons = [appointments.reason(where.unit, f"{count * 15} min", count * 15) for count in (1, 2, 3, 4)]
        doctors = [
            where.practitioner,
            *(hospitals.practitioner(where.unit, rpps, "TRAN", "Minh") for rpps in ("10000000025", "10000000033")),
        ]
        opened = [
            appointments.consultation(where, reasons, opens=begins, closes=time(16), practitioner=doctor).id
            for doctor in doctors
            for begins in (time(9), time(11))  # two sessions of one practitioner overlap
        ]
        patients = [people.patient(f"P{number}").id for number in range(4)]
    done: Counter[str] = Counter()

    def live(seed: int) -> None:
        chance = Random(seed)
        for _ in range(25):
            with app.app_context():
                done[_one_gesture(chance, reasons, opened, patients)] += 1

    _together(live, range(8))
    assert done["booked"] >= 10
    assert done["cancelled"] >= 5
    assert done["SlotTaken"] + done["PatientBusy"] >= 5
    assert done.total() == 8 * 25, "no gesture broke"
    assert_all_agree()


def _one_gesture(chance: Random, reasons: list, opened: list[UUID], patients: list[UUID]) -> str:
    try:
        with db.transaction(db.system("tests")):
            booked = session.scalars(select(Appointment).where(Appointment.state == "booked")).all()
            if booked and chance.random() < 0.4:
                actions.cancel_for_patient(chance.choice(booked), "patient_asked")
                return "cancelled"
            slot = Slot(chance.choice(opened), chance.randrange(20))
            actions.book_by_phone(chance.choice(patients), chance.choice(reasons).id, slot)
            return "booked"
    except (SlotTaken, PatientBusy, AlreadyOver) as refusal:
        return type(refusal).__name__


def _together(work, items) -> None:
    failures: list[BaseException] = []

    def run(item) -> None:
        try:
            work(item)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def test_a_session_closed_while_somebody_books_refuses_them(app: Flask, ground: Ground) -> None:
    """The booking read the session as free, waits for the closing to commit, and looks again."""
    answers: list[str] = []

    def book() -> None:
        with app.app_context():
            try:
                with db.transaction(ground.actor):
                    actions.book(ground.patient.id, ground.reason.id, ground.slot())
            except SlotTaken:
                answers.append("SlotTaken")

    booking = threading.Thread(target=book)
    with db.transaction(db.system("tests")):
        session.execute(update(ConsultationSession).values(open=0, free=0))
        booking.start()
        while not session.scalar(WAITING):
            assert booking.is_alive()
            time_to_look_again()
    booking.join()
    assert answers == ["SlotTaken"]


# -- over HTTP ---------------------------------------------------------------------------------------------------

RACERS = 32


@pytest.fixture
def portal_url(app: Flask) -> Iterator[str]:
    """The real application behind a real socket."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _racer(number: int) -> str:
    """A patient with an account and an open session; returns the session's cookie."""
    account, _person = people.patient_with_account(birth_name=f"N{number}")
    session.add(
        WebSession(
            digest=sessions.digest(f"token-{number}"),
            account_id=account.id,
            provider="franceconnect",
            acr="eidas1",
            amr="mfa",
            expires_at=db.now() + sessions.LIMITS["patient"].absolute,
        )
    )
    return f"token-{number}"


def _form(page: str) -> dict[str, str]:
    """The hidden fields of the confirmation form."""
    form = page[page.index('action="/rendez-vous/confirmer"') :]
    fields = dict(re.findall(r'name="([a-z_]+)"[^>]*?value="([^"]+)"', form))
    return {name: fields[name] for name in ("csrf_token", "once", "reason", "slot", "patient_id")}


def test_thirty_two_patients_and_one_slot(ground: Ground, portal_url: str) -> None:
    with db.transaction(db.system("tests")):
        cookies = [_racer(number) for number in range(RACERS)]
    start, answers = threading.Barrier(RACERS), Counter[int]()

    def race(cookie: str) -> None:
        with requests.Session() as browser:
            browser.trust_env = False
            browser.cookies.set(sessions.cookie_name(secure=False), cookie)
            page = browser.get(portal_url + ground.address())
            assert page.status_code == 200
            form = _form(page.text)
            start.wait(timeout=60)
            answers[browser.post(f"{portal_url}/rendez-vous/confirmer", form, allow_redirects=False).status_code] += 1

    _together(race, cookies)
    assert answers == {303: 1, 409: RACERS - 1}
    with db.transaction(db.system("tests")):
        assert len(session.scalars(select(Appointment)).all()) == 1
    assert_all_agree()


def test_one_patient_clicks_in_eight_windows(ground: Ground, portal_url: str, sign_in) -> None:
    """The same form sent eight times at once: one appointment, and each window is led to it."""
    browser: FlaskClient = sign_in(ground.account)
    form = _form(browser.get(ground.address()).text)
    cookie = {name: browser.get_cookie(name).value for name in (sessions.cookie_name(secure=False), "parvis_form")}
    places: list[str | None] = []

    def click(_window: int) -> None:
        answer = requests.post(
            f"{portal_url}/rendez-vous/confirmer", form, cookies=cookie, allow_redirects=False, timeout=60
        )
        places.append(answer.headers.get("Location"))

    _together(click, range(8))
    with db.transaction(db.system("tests")):
        made = session.scalars(select(Appointment)).one()
    assert [place and place.removeprefix(portal_url) for place in places] == [f"/rendez-vous/{made.id}/confirme"] * 8
