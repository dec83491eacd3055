"""At the terminal of a hall: one scans, proves one's birthday, the unit knows, and the screen forgets."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from auth.models import Account, Patient
from portal import db
from portal.audit import AuditEvent
from portal.establishments import Unit
from portal.kpi import KpiEvent
from services.appointments import actions as appointments_actions
from services.appointments.kiosk import actions, codes, queries, routes_terminal
from services.appointments.kiosk.models import Kiosk
from services.appointments.models import Appointment
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.models import Preadmission
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.factories import kiosk as factory
from tests.ground import audited, prepared, rows
from tests.services.appointments.conftest import Ground

SignIn = Callable[[Account | UUID], FlaskClient]
START = "/borne"


@dataclass
class Hall:
    """A terminal in service, and somebody who is expected within minutes."""

    screen: FlaskClient
    kiosk: Kiosk
    made: Appointment

    def scan(self, code: str = "") -> TestResponse:
        return self.screen.post(f"{START}/rendez-vous", data={"code": code or codes.code_of(self.made.id)})

    def arrive(self, day: int = 17, month: int = 5, code: str = "") -> TestResponse:
        told = {"code": code or codes.code_of(self.made.id), "day": str(day), "month": str(month)}
        return self.screen.post(f"{START}/arrivee", data=told)

    def now(self) -> Appointment:
        with prepared():
            return db.session.get_one(Appointment, self.made.id)

    def change(self, **facts: object) -> None:
        with prepared():
            row = db.session.get_one(Appointment, self.made.id)
            for name, value in facts.items():
                setattr(row, name, value)


def soon(ground: Ground) -> datetime:
    """A moment of this very day, within minutes, whatever the clock says."""
    now, tz = db.now(), ground.hospital.establishment.tz
    after = now + timedelta(minutes=5)
    return after if after.astimezone(tz).date() == now.astimezone(tz).date() else now - timedelta(minutes=5)


def browser(app: Flask, token: str) -> FlaskClient:
    made = app.test_client()
    made.set_cookie(routes_terminal.COOKIE, token, path=START)
    made.set_cookie("parvis_lang", "en")
    return made


@pytest.fixture
def hall(app: Flask, ground: Ground) -> Hall:
    with prepared():
        made = appointments.booked(ground.patient, ground.reason, ground.opened)
        kiosk, token = factory.in_service(ground.hospital.establishment.id)
    hall = Hall(browser(app, token), kiosk, made)
    hall.change(start_at=soon(ground), end_at=soon(ground) + timedelta(minutes=30))
    return hall


class TestPuttingInService:
    def test_an_unknown_browser_may_only_be_put_in_service(self, client: FlaskClient, hall: Hall) -> None:
        for answer in (client.get(START), client.post(f"{START}/rendez-vous", data={"code": "x"}),
                       client.post(f"{START}/arrivee", data={})):  # fmt: skip
            assert answer.headers["Location"] == f"{START}/activer"

    def test_a_code_is_good_once_and_for_half_an_hour(self, client: FlaskClient, ground: Ground) -> None:
        with prepared():
            _kiosk, code = factory.waiting(ground.hospital.establishment.id)
            late = factory.waiting(ground.hospital.establishment.id, "Tard", now=db.now() - timedelta(minutes=31))[1]
        assert client.post(f"{START}/activer", data={"code": late}).status_code == 422
        assert client.post(f"{START}/activer", data={"code": "XXXX XXXX"}).status_code == 422
        answer = client.post(f"{START}/activer", data={"code": f" {code[:4].lower()} {code[4:]}"})
        assert answer.status_code == 303
        cookie = next(each for each in answer.headers.getlist("Set-Cookie") if routes_terminal.COOKIE in each)
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Path=/;" in f"{cookie};"
        assert "kiosk.activated" in audited()
        assert client.get(START).status_code == 200
        assert client.post(f"{START}/activer", data={"code": code}).status_code == 422

    def test_a_terminal_shut_out_shows_nothing_from_its_next_page_on(self, hall: Hall) -> None:
        assert hall.screen.get(START).status_code == 200
        with prepared():
            actions.revoke(db.session.get_one(Kiosk, hall.kiosk.id), db.now())
        assert hall.screen.get(START).status_code == 303
        assert hall.arrive().status_code == 303
        assert hall.now().state == "booked"

    def test_another_code_ends_the_former_screen_once_typed(self, hall: Hall, client: FlaskClient) -> None:
        with prepared():
            code = actions.renew(db.session.get_one(Kiosk, hall.kiosk.id), db.now())
        assert hall.screen.get(START).status_code == 200
        client.post(f"{START}/activer", data={"code": code})
        assert hall.screen.get(START).status_code == 303

    def test_it_is_seen_once_a_minute(self, hall: Hall) -> None:
        before = rows(Kiosk)[0].seen_at
        hall.screen.get(START)
        assert rows(Kiosk)[0].seen_at == before
        with prepared():
            db.session.get_one(Kiosk, hall.kiosk.id).seen_at = db.now() - timedelta(hours=1)
        hall.screen.get(START)
        seen_at = rows(Kiosk)[0].seen_at
        assert seen_at is not None
        assert seen_at > db.now() - timedelta(minutes=1)


class TestArriving:
    def test_one_scans_proves_ones_birthday_and_the_unit_knows(self, hall: Hall, ground: Ground) -> None:
        asked = hall.scan()
        assert asked.status_code == 200
        assert "Your birthday" in asked.text
        for word in (ground.patient.birth_name, ground.hospital.unit.name, ground.reason.name, hall.made.reference):
            assert word not in asked.text
        told = hall.arrive()
        assert "The unit knows that you are here" in told.text
        assert ground.hospital.unit.name in told.text
        row = hall.now()
        assert (row.state, row.at_kiosk) == ("arrived", True)
        assert row.arrived_at is not None
        assert {"appointment.arrived", "kiosk.answered"} <= set(audited())
        line = next(each for each in rows(AuditEvent) if each.action == "kiosk.answered")
        assert (line.patient_id, line.object_id) == (ground.patient.id, hall.kiosk.id)
        counted = [(each.event, each.dimension) for each in rows(KpiEvent)]
        assert ("kiosk_answered", "welcome") in counted

    def test_the_reference_typed_by_hand_does_as_well(self, hall: Hall) -> None:
        typed = f"{hall.made.reference[:4]} {hall.made.reference[4:].lower()}"
        assert hall.scan(typed).status_code == 200
        assert "The unit knows" in hall.arrive(code=typed).text

    def test_once_more_is_harmless(self, hall: Hall) -> None:
        hall.arrive()
        before = hall.now().arrived_at
        assert "already knows" in hall.arrive().text
        assert hall.now().arrived_at == before

    def test_nothing_is_left_on_the_screen(self, hall: Hall) -> None:
        pages = [hall.screen.get(START), hall.scan(), hall.arrive()]
        for page in pages:
            assert page.headers["Refresh"] in ("45;url=/borne?lang=fr", "120;url=/borne?lang=fr")
            assert page.headers["Cache-Control"] == "no-store"
            assert "<script" not in page.text
            links = {link for link in re.findall(r'<a [^>]*href="([^"]+)"', page.text) if not link.startswith("#")}
            assert all(link.startswith(START) for link in links)
        assert codes.code_of(hall.made.id) not in pages[2].text
        assert hall.made.reference not in pages[2].text

    def test_an_unfinished_stay_sends_to_the_desk_first(self, hall: Hall, ground: Ground) -> None:
        with prepared():
            day = soon(ground).astimezone(ground.hospital.establishment.tz).date() + timedelta(days=3)
            db.session.add(
                Preadmission(establishment_id=ground.hospital.establishment.id, patient_id=ground.patient.id,
                             reference="BCDFGHJK", unit_id=ground.hospital.unit.id, planned_on=day,
                             stay_kind=STAY_KINDS[0])
            )  # fmt: skip
        told = hall.arrive()
        assert "First, go to the desk" in told.text
        assert hall.now().state == "arrived"


class TestRefusing:
    def test_a_wrong_birthday_says_nothing_of_the_appointment(self, hall: Hall, ground: Ground) -> None:
        refused = hall.arrive(day=18)
        assert refused.status_code == 422
        assert "not the birthday that we know" in refused.text
        assert ground.hospital.unit.name not in refused.text
        assert hall.now().state == "booked"
        assert "kiosk.answered" not in audited()

    def test_birthdays_are_not_tried_out(self, hall: Hall, app: Flask) -> None:
        for day in range(1, 6):
            assert hall.arrive(day=day).status_code == 422
        assert hall.arrive(day=6).status_code == 429
        assert "Go to the desk" in hall.arrive().text
        assert hall.now().state == "booked"

    def test_a_terminal_tried_too_often_spends_nobodys_own_tries(self, app: Flask, hall: Hall, ground: Ground) -> None:
        for number in range(30):
            hall.scan(f"BBBBBB{'23456789'[number // 8]}{'23456789'[number % 8]}")
        for _time in range(6):
            assert hall.arrive().status_code == 429
        with prepared():
            _kiosk, token = factory.in_service(ground.hospital.establishment.id, "Autre hall")
        assert "The unit knows" in Hall(browser(app, token), hall.kiosk, hall.made).arrive().text

    def test_references_are_not_tried_out(self, hall: Hall) -> None:
        for number in range(30):
            assert hall.scan(f"BBBBBB{'23456789'[number // 8]}{'23456789'[number % 8]}").status_code == 422
        assert hall.scan("BBBBBBBB").status_code == 429

    @pytest.mark.parametrize("code", ["", "x" * 81, "not a code", "BCDF" * 8, "22222222", "\x00"], ids=repr)
    def test_what_is_no_appointment_is_not_found(self, hall: Hall, code: str) -> None:
        answer = hall.screen.post(f"{START}/rendez-vous", data={"code": code})
        assert answer.status_code == 422
        assert "Say that you are here" in answer.text

    def test_nothing_touched_is_said(self, hall: Hall) -> None:
        answer = hall.screen.post(f"{START}/arrivee", data={"code": codes.code_of(hall.made.id)})
        assert answer.status_code == 422
        assert "Touch the day" in answer.text

    @pytest.mark.parametrize(
        ("facts", "said"),
        [
            ({"state": "cancelled"}, "is cancelled"),
            ({"state": "done"}, "is over"),
            ({"start_at": timedelta(days=3), "end_at": timedelta(days=4)}, "on another day"),
            ({"start_at": timedelta(days=-3), "end_at": timedelta(days=-2)}, "on another day"),
        ],
        ids=["cancelled", "over", "in three days", "three days ago"],
    )
    def test_each_case_has_its_words_and_sends_to_the_desk(
        self, hall: Hall, facts: dict[str, object], said: str
    ) -> None:
        hall.change(
            **{name: db.now() + value if isinstance(value, timedelta) else value for name, value in facts.items()}
        )
        told = hall.arrive()
        assert said in told.text
        assert "desk" in told.text
        assert hall.now().state != "arrived"

    def test_another_hospital_is_named(self, app: Flask, hall: Hall) -> None:
        with prepared():
            other = hospitals.hospital("990000025", "Autre hôpital")
            _kiosk, token = factory.in_service(other.establishment.id)
        elsewhere = Hall(browser(app, token), hall.kiosk, hall.made)
        for code in ("", hall.made.reference):
            told = elsewhere.arrive(code=code)
            assert "another hospital" in told.text
            assert "Hôpital d’essai" in told.text
        assert hall.now().state == "booked"

    def test_a_terminal_serves_its_own_units(self, app: Flask, hall: Hall, ground: Ground) -> None:
        with prepared():
            place = ground.hospital
            eyes = hospitals.unit(place.establishment, place.site, "1204", "Ophtalmologie")
            _kiosk, token = factory.in_service(place.establishment.id, "Yeux", [eyes.id])
        elsewhere = Hall(browser(app, token), hall.kiosk, hall.made)
        assert "Another place waits for you" in elsewhere.arrive().text
        assert hall.now().state == "booked"

    def test_a_dead_person_is_nobody_at_a_terminal(self, hall: Hall, ground: Ground) -> None:
        with prepared():
            db.session.get_one(Patient, ground.patient.id).deceased_on = soon(ground).date()
        assert hall.scan().status_code == 422


class TestTrouble:
    def test_without_the_database_people_are_sent_to_the_desk(
        self, hall: Hall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(_token: str) -> None:
            raise OperationalError("select", {}, Exception("away"))

        monkeypatch.setattr(queries, "by_token", away)
        page = hall.screen.get(START)
        assert page.status_code == 503
        assert page.headers["Refresh"] == "20;url=/borne?lang=fr"
        assert 'href="/"' not in page.text

    @pytest.mark.parametrize("path", ["rendez-vous", "arrivee"])
    def test_a_browser_that_comes_back_begins_again(self, hall: Hall, path: str) -> None:
        """Reopened after a crash it asks with GET for what it had posted: nothing of the portal’s own pages shows."""
        answer = hall.screen.get(f"{START}/{path}")
        assert (answer.status_code, answer.headers["Location"]) == (303, START)

    def test_a_stale_form_begins_again(self, hall: Hall) -> None:
        page = hall.screen.open(f"{START}/rendez-vous", method="POST", data=b"code=x",
                                content_type="application/x-www-form-urlencoded")  # fmt: skip
        assert (page.status_code, page.headers["Location"]) == (303, START)


class TestThePatientsPages:
    def test_the_code_is_shown_where_a_terminal_takes_it(self, hall: Hall, ground: Ground, sign_in: SignIn) -> None:
        me = sign_in(ground.account)
        page = me.get(f"/rendez-vous/{hall.made.id}").text
        assert "Show this code to a terminal" in page
        assert "<svg" in page
        assert codes.code_of(hall.made.id) not in page
        with prepared():
            actions.revoke(db.session.get_one(Kiosk, hall.kiosk.id), db.now())
        assert "Show this code" not in me.get(f"/rendez-vous/{hall.made.id}").text

    def test_the_confirmation_is_a_document_of_ones_own(self, hall: Hall, ground: Ground, sign_in: SignIn) -> None:
        address = f"/rendez-vous/{hall.made.id}/confirmation.pdf"
        answer = sign_in(ground.account).get(address)
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert answer.data.startswith(b"%PDF")
        with prepared():
            stranger = people.patient_with_account(birth_name="AUTRE")[0]
        assert sign_in(stranger).get(address).status_code == 404


class TestTheUnit:
    def test_the_desk_sees_who_arrived_by_themselves(
        self, hall: Hall, ground: Ground, sign_in: SignIn, app: Flask
    ) -> None:
        hall.arrive()
        with prepared():
            place = ground.hospital.establishment.id
            account = people.agent(place, "appointments")
            elsewhere = hospitals.hospital("990000025", "Autre hôpital")
            other = people.agent(elsewhere.establishment.id, "appointments")
        agent, stranger = sign_in(account), sign_in(other)
        day = agent.get(f"/admin/rendez-vous?unit={ground.hospital.unit.id}").text
        assert "at the terminal" in day
        answer = agent.get(f"/admin/rendez-vous/arrivees?unit={ground.hospital.unit.id}")
        assert answer.headers["Refresh"] == "20"
        assert "At a terminal" in answer.text
        assert ground.patient.birth_name in answer.text.upper()
        assert stranger.get(f"/admin/rendez-vous/arrivees?unit={ground.hospital.unit.id}").status_code == 404
        agent.post(f"/admin/rendez-vous/accueil?unit={ground.hospital.unit.id}", data={"call_in": str(hall.made.id)})
        again = agent.get(f"/admin/rendez-vous/arrivees?unit={ground.hospital.unit.id}").text
        assert "Nobody is waiting" in again
        with prepared():
            appointments_actions.correct(db.session.get_one(Appointment, hall.made.id))
        assert hall.now().at_kiosk is False


def test_terminals_that_are_not_in_service_are_the_administrators_alone(ground: Ground) -> None:
    with prepared():
        factory.waiting(ground.hospital.establishment.id)
        elsewhere = hospitals.hospital("990000025", "Autre hôpital")
        stranger = people.agent(elsewhere.establishment.id, "administration")
    for actor in (ground.actor, db.ANONYMOUS, people.as_agent(stranger, elsewhere.establishment.id, "administration")):
        with db.transaction(actor) as current:
            assert current.query(Kiosk).all() == []
            assert queries.served(current.get_one(Unit, ground.hospital.unit.id)) is False
