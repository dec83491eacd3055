"""Everybody at once: one winner a slot, and the three ways of telling who has what always agree."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from random import Random
from time import sleep
from typing import Any
from uuid import UUID

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from werkzeug.serving import make_server

from auth import sessions
from auth.models import WebSession
from portal import catalog, db
from portal.db import Actor, session
from portal.establishments import Establishment
from services.appointments import actions, slots
from services.appointments.actions import AlreadyOver, HoldEnded, NotBookable, PatientBusy, SlotTaken
from services.appointments.agendas import actions as agenda_actions
from services.appointments.agendas.models import Absence, SessionTemplate
from services.appointments.models import Appointment, ConsultationSession, Hold
from services.appointments.slots import Slot
from tests.factories import agendas, appointments, hospitals, people
from tests.ground import today
from tests.services.appointments.conftest import Ground

GESTURES = 50
OVERLAPS = text("""
select count(*) from appointment a join appointment b on a.id < b.id and a.state = 'booked' and b.state = 'booked'
and (a.patient_id = b.patient_id
     or a.practitioner_id = b.practitioner_id and not a.beyond and not b.beyond and a.session_id <> b.session_id
     or a.session_id = b.session_id and not a.beyond and not b.beyond
        and 1 = (select capacity from consultation_session s where s.id = a.session_id))
and a.start_at < b.end_at and b.start_at < a.end_at
""")
CLAIMED = text("select owner_id, resource_id, cell from claim")
# A group's cells are free while it has seats; everybody else's while nobody has them.
WRONG_MASKS = text("""
with taken as (
  select session_id, first_cell, n_cells from appointment where state <> 'cancelled' and not beyond
  union all select session_id, first_cell, n_cells from hold
)
select count(*) from consultation_session s where case when s.capacity > 1 then
  s.seats_left <> s.capacity - (select count(*) from taken t where t.session_id = s.id)
  or s.free <> case when s.seats_left = 0 then 0 else s.open end
else s.free <> s.open & ~coalesce((
  select bit_or(((1::bigint << t.n_cells) - 1) << t.first_cell) from taken t where t.session_id = s.id), 0) end
""")
WAITING = text("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
time_to_look_again = partial(sleep, 0.01)


def assert_all_agree() -> None:
    """No overlap; claims are exactly what is booked and kept; masks are exactly open minus both."""
    with db.transaction(db.system("tests")):
        assert session.scalar(OVERLAPS) == 0
        assert session.scalar(WRONG_MASKS) == 0
        claimed = Counter((row.owner_id, row.resource_id, row.cell) for row in session.execute(CLAIMED))
        wanted: Counter[tuple[UUID, UUID, int]] = Counter()
        for one in session.scalars(select(Appointment).where(Appointment.state != "cancelled")):
            pause = one.start_at + timedelta(minutes=one.n_cells * 15)
            wanted.update((one.id, one.practitioner_id, cell) for cell in slots.claim_cells(one.start_at, pause))
            wanted.update((one.id, one.patient_id, cell) for cell in slots.claim_cells(one.start_at, one.end_at))
        for kept in session.scalars(select(Hold)):
            pause = kept.start_at + timedelta(minutes=kept.n_cells * 15)
            wanted.update((kept.id, kept.practitioner_id, cell) for cell in slots.claim_cells(kept.start_at, pause))
        assert claimed == wanted


@dataclass(frozen=True)
class Place:
    """A hospital where everything happens at once: three doctors, one of whom by a template, a group, four patients
    with accounts."""

    reasons: list[UUID]
    opened: list[UUID]
    group: UUID
    people: list[Actor]
    hospital: UUID
    template: UUID


@pytest.fixture
def place(app: Flask) -> Place:
    with db.transaction(db.system("tests")):
        where = hospitals.hospital()
        catalog.publish(where.establishment.id, "appointments", today() - timedelta(days=1))
        reasons = [appointments.reason(where.unit, f"{n * 15} min", n * 15, pause_min=15 * (n == 2)) for n in (1, 2, 3)]
        doctors = [
            where.practitioner,
            *(hospitals.practitioner(where.unit, rpps, "TRAN", "Minh") for rpps in ("10000000025", "10000000033")),
        ]
        opened = [
            appointments.consultation(where, reasons, opens=begins, closes=time(16), practitioner=doctor).id
            for doctor in doctors[:2]
            for begins in (time(9), time(11))  # two sessions of one practitioner overlap
        ]
        hour = appointments.reason(where.unit, "École du dos", 60)
        group = appointments.consultation(where, [hour], opens=time(17), closes=time(18), capacity=3).id
        day = today() + timedelta(days=7)
        weekly = agendas.rule(day.weekday(), closes=time(16), first_on=day, last_on=day, on_public_holidays=True)
        template = agendas.template(where, reasons, weekly, practitioner=doctors[2]).id
        people_ = [people.as_patient(*people.patient_with_account(birth_name=f"P{number}")) for number in range(4)]
        reason_ids = [each.id for each in reasons] + [hour.id]
        return Place(reason_ids, opened, group, people_, where.establishment.id, template)


def test_masks_and_claims_survive_a_torture(app: Flask, place: Place) -> None:
    """Eight threads book, keep, confirm, move, cancel and squeeze in at random, while the sweeper passes, templates
    change, absences come and go, and some give up in the middle."""
    done: Counter[str] = Counter()

    def live(seed: int) -> None:
        chance = Random(seed)
        for _ in range(GESTURES):
            with app.app_context():
                done[_one_gesture(chance, place)] += 1

    _together(live, range(8))
    assert done.total() == 8 * GESTURES, "no gesture broke"
    least = {"booked": 10, "kept": 10, "confirmed": 3, "moved": 2, "cancelled": 5, "swept": 3, "template changed": 3,
             "absence announced": 3, "absence ended": 1}  # fmt: skip
    assert {gesture: done[gesture] for gesture, count in least.items() if done[gesture] < count} == {}
    assert_all_agree()


class GivesUp(Exception):
    """The process dies after its work and before its commit."""


def _one_gesture(chance: Random, place: Place) -> str:
    person, gesture = chance.choice(place.people), chance.choice([*_GESTURES, *_BY_PATIENTS * 2, "booked", "kept"])
    as_system = gesture not in _BY_PATIENTS
    try:
        with db.transaction(db.system("tests") if as_system else person):
            _GESTURES[gesture](chance, place, person)
            if chance.random() < 0.1:
                raise GivesUp
        return gesture
    except _REFUSALS as refusal:
        return type(refusal).__name__


class NothingToDo(Exception):
    """Nobody has what this gesture needs."""


_REFUSALS = (
    SlotTaken, PatientBusy, AlreadyOver, HoldEnded, NotBookable, NothingToDo, GivesUp, agenda_actions.AlreadyEnded,
)  # fmt: skip


def _somewhere(chance: Random, place: Place) -> tuple[UUID, Slot]:
    if chance.random() < 0.15:
        return place.reasons[-1], Slot(place.group, 0)
    by_template = select(ConsultationSession.id).where(ConsultationSession.template_id == place.template)
    opened = (
        [*place.opened, *session.scalars(by_template)] if chance.random() < 0.7 else list(session.scalars(by_template))
    )
    return chance.choice(place.reasons[:-1]), Slot(chance.choice(opened or place.opened), chance.randrange(20))


def _one(chance: Random, query: Any) -> Any:
    found = session.scalars(query).all()
    if not found:
        raise NothingToDo
    return chance.choice(found)


def _book(chance: Random, place: Place, person: Actor) -> None:
    actions.book(min(person.patients), *_somewhere(chance, place))


def _keep(chance: Random, place: Place, _person: Actor) -> None:
    kept = actions.hold(*_somewhere(chance, place))
    if chance.random() < 0.3:
        kept.expires_at = db.now()


def _confirm(chance: Random, _place: Place, person: Actor) -> None:
    actions.confirm(_one(chance, select(Hold)).id, min(person.patients))


def _move(chance: Random, place: Place, _person: Actor) -> None:
    mine = _one(chance, select(Appointment).where(Appointment.state == "booked"))
    _reason, slot = _somewhere(chance, place)
    actions.move(mine, slot)


def _cancel(chance: Random, _place: Place, _person: Actor) -> None:
    one = _one(chance, select(Appointment).where(Appointment.state == "booked"))
    actions.cancel_for_patient(one, "patient_asked")


def _sweep(_chance: Random, _place: Place, _person: Actor) -> None:
    actions.sweep()


def _squeeze_in(chance: Random, place: Place, person: Actor) -> None:
    actions.book_by_phone(min(person.patients), *_somewhere(chance, place), beyond=True)


def _change_template(chance: Random, place: Place, _person: Actor) -> None:
    template = session.get_one(SessionTemplate, place.template)
    opens, closes = time(chance.randrange(8, 12), chance.choice((0, 15, 30))), time(chance.randrange(13, 18))
    rule = replace(template.rule, opens=opens, closes=closes)
    draft = agenda_actions.Draft(
        template.practitioner_id, template.unit_id, rule, {each.reason_id: each.most for each in template.reasons}
    )
    agenda_actions.publish(session.get_one(Establishment, place.hospital), draft, template)


def _announce(chance: Random, place: Place, _person: Actor) -> None:
    begins = _begins(place) + timedelta(minutes=chance.randrange(0, 300, 5))
    who = session.get_one(SessionTemplate, place.template).practitioner_id
    away = agenda_actions.Away(begins, begins + timedelta(minutes=chance.randrange(10, 120)), "illness", who)
    agenda_actions.announce(place.hospital, away)


def _begins(place: Place) -> datetime:
    return session.get_one(ConsultationSession, place.opened[0]).start_at


def _end_absence(chance: Random, place: Place, _person: Actor) -> None:
    agenda_actions.end(_one(chance, select(Absence)), _begins(place))


_BY_PATIENTS = ("booked", "kept", "confirmed", "moved")
_GESTURES: dict[str, Callable[[Random, Place, Actor], None]] = {
    "booked": _book,
    "kept": _keep,
    "confirmed": _confirm,
    "moved": _move,
    "cancelled": _cancel,
    "swept": _sweep,
    "squeezed in": _squeeze_in,
    "template changed": _change_template,
    "absence announced": _announce,
    "absence ended": _end_absence,
}


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


def _form(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that is sent there."""
    form = page[page.index(f'action="{action}"') :].partition("</form>")[0]
    return dict(re.findall(r'name="([a-z_]+)"[^>]*?value="([^"]+)"', form))


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
            form = _form(page.text, "/rendez-vous/garder")
            start.wait(timeout=60)
            answer = browser.post(f"{portal_url}/rendez-vous/garder", form, allow_redirects=False)
            answers[answer.status_code] += 1
            if answer.status_code == 303:
                to_confirm = browser.get(portal_url + answer.headers["Location"].removeprefix(portal_url))
                browser.post(f"{portal_url}/rendez-vous/confirmer", _form(to_confirm.text, "/rendez-vous/confirmer"))

    _together(race, cookies)
    assert answers == {303: 1, 409: RACERS - 1}
    with db.transaction(db.system("tests")):
        assert len(session.scalars(select(Appointment)).all()) == 1
    assert_all_agree()


def test_one_patient_clicks_in_eight_windows(ground: Ground, portal_url: str, sign_in) -> None:
    """The same form sent eight times at once: one appointment, and each window is led to it."""
    browser: FlaskClient = sign_in(ground.account)
    browser.post("/rendez-vous/garder", data=_form(browser.get(ground.address()).text, "/rendez-vous/garder"))
    form = _form(browser.get(ground.address()).text, "/rendez-vous/confirmer")
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
