"""What is exchanged about appointments, on the screens of agents and administrators."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import ProgrammingError

from auth.models import Account, Patient
from portal import db, establishments
from portal.db import ANONYMOUS, Actor, session
from portal.gateways import reach
from portal.gateways.his.twin import HisTrouble, HisTwin
from portal.gateways.webhooks.twin import SubscriberTwin
from services.appointments.exchanges.models import SiuAppointment
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.exchanges import dialect, signing
from services.exchanges.models import Delivery, Follower, HisMessage
from tests.english import in_english as in_english
from tests.factories import appointments, exchanges, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
HOME = "/admin/echanges-agenda"
TABLES = (Follower, Delivery, HisMessage, SiuAppointment)


@dataclass(frozen=True)
class Scene:
    """A hospital whose system is followed, an appointment, and those who look."""

    hospital: Hospital
    elsewhere: Hospital
    reason: Reason
    opened: ConsultationSession
    patient: Patient
    made: Appointment
    agent: Account
    administrator: Account
    both: Account
    far: Account
    his: HisTwin


@pytest.fixture
def scene(app: Flask) -> Iterator[Scene]:
    with HisTwin() as his:
        with prepared():
            here, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
            exchanges.set_his(here.establishment.id, his.url)
            reason = appointments.reason(here.unit)
            opened = appointments.consultation(here, [reason])
            patient = people.patient()
            made = appointments.booked(patient, reason, opened)
            at, away = here.establishment.id, elsewhere.establishment.id
            found = Scene(
                here, elsewhere, reason, opened, patient, made,
                people.agent(at, "appointments"), people.agent(at, "administration"),
                people.agent(at, "appointments", "administration"),
                people.agent(away, "appointments", "administration"), his,
            )  # fmt: skip
        yield found


def refused(scene: Scene) -> Delivery:
    """The one delivery, refused by the hospital's system."""
    scene.his.faults.trouble, scene.his.faults.once = HisTrouble.REFUSES, True
    exchanges.tick()
    (found,) = rows(Delivery)
    return found


class TestAgents:
    def test_see_how_exchanges_go_and_open_every_page(self, scene: Scene, sign_in: SignIn) -> None:
        refused(scene)
        exchanges.hear(
            scene.hospital.establishment.id,
            exchanges.siu("S12", "M1", said_at=db.now(), filler="F1", start_at=scene.made.start_at),
        )
        browser = sign_in(scene.agent)
        page = browser.get(HOME).text
        assert "Hospital’s system" in page
        assert "On one appointment the two sides differ" in page
        assert "Praticien inconnu" in browser.get(f"{HOME}/envois?state=refused").text
        assert scene.made.reference in browser.get(f"{HOME}/envois?reference={scene.made.reference.lower()}").text
        assert scene.made.reference not in browser.get(f"{HOME}/envois?reference=ZZZZ").text
        assert "both are listed" in browser.get(f"{HOME}/recus?state=refused").text
        assert "Two at one hour" in browser.get(f"{HOME}/ecarts").text

    def test_see_on_an_appointment_whether_the_hospitals_system_knows_it(self, scene: Scene, sign_in: SignIn) -> None:
        browser, address = sign_in(scene.agent), f"/admin/rendez-vous/{scene.made.id}"
        assert "Hospital’s system" not in browser.get(address).text
        refused(scene)
        assert "It refused what the portal sent" in browser.get(address).text
        browser.post(f"{HOME}/envois/{rows(Delivery)[0].id}/redire")
        assert "It will be told as soon as it answers" in browser.get(address).text
        exchanges.tick()
        assert "It knows this appointment as it is" in browser.get(address).text

    @pytest.mark.parametrize("address", ["", "/envois", "/recus", "/ecarts"])
    def test_see_empty_pages_that_say_so(self, app: Flask, sign_in: SignIn, address: str) -> None:
        with prepared():
            agent = people.agent(hospitals.hospital().establishment.id, "appointments")
        assert sign_in(agent).get(f"{HOME}{address}").status_code == 200

    def test_tell_a_refused_change_again(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        assert sign_in(scene.agent).post(f"{HOME}/envois/{found.id}/redire").status_code == 303
        exchanges.tick()
        assert [each.state for each in rows(Delivery)] == ["accepted"]
        assert "exchange.replayed" in audited()

    def test_set_a_refused_change_aside(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        assert sign_in(scene.agent).post(f"{HOME}/envois/{found.id}/ecarter").status_code == 303
        assert [each.state for each in rows(Delivery)] == ["set_aside"]

    @pytest.mark.parametrize(("reach", "days", "told"), [("since", 0, 1), ("day", 0, 1), ("since", 1, 0)])
    def test_tell_a_day_again(self, scene: Scene, sign_in: SignIn, reach: str, days: int, told: int) -> None:
        exchanges.tick()
        (follower,) = rows(Follower)
        day = db.now().astimezone(scene.hospital.establishment.tz).date() + timedelta(days=days)
        form = {"follower": str(follower.id), "day-day": day.day, "day-month": day.month, "day-year": day.year,
                "reach": reach, "once": str(uuid4())}  # fmt: skip
        assert sign_in(scene.agent).post(f"{HOME}/redire", data=form).status_code == 303
        assert [each.round for each in rows(Delivery)] == [told]

    def test_are_told_what_is_wrong_in_what_they_asked(self, scene: Scene, sign_in: SignIn) -> None:
        form = {"follower": str(uuid4()), "day-day": "31", "day-month": "2", "day-year": "2026", "once": str(uuid4())}
        assert sign_in(scene.agent).post(f"{HOME}/redire", data=form).status_code == 422

    def test_read_a_message_and_the_journal_knows(self, scene: Scene, sign_in: SignIn) -> None:
        message = exchanges.siu("S12", "<script>", said_at=db.now(), filler="F1", start_at=scene.made.start_at)
        exchanges.hear(scene.hospital.establishment.id, message)
        (found,) = rows(HisMessage)
        page = sign_in(scene.agent).get(f"{HOME}/recus/{found.id}").text
        assert "PAT-TROIS^DOMINIQUE" in page
        assert "<script>|" not in page
        assert "his_message.opened" in audited()

    def test_tell_the_portals_time_where_the_two_differ(self, scene: Scene, sign_in: SignIn) -> None:
        exchanges.tick()
        message = exchanges.siu(
            "S13", "M1", said_at=db.now() + timedelta(minutes=1), placer=scene.made.reference,
            start_at=scene.made.start_at + timedelta(hours=9),
        )  # fmt: skip
        assert exchanges.hear(scene.hospital.establishment.id, message).code == "AE"
        browser = sign_in(scene.agent)
        assert "Another time" in browser.get(f"{HOME}/ecarts").text
        assert browser.post(f"{HOME}/ecarts/{scene.made.id}/redire").status_code == 303
        exchanges.tick()
        assert "Both sides hold the same" in browser.get(f"{HOME}/ecarts").text

    def test_of_another_hospital_see_and_do_nothing(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        exchanges.hear(scene.hospital.establishment.id, exchanges.siu("S15", "M1", said_at=db.now(), filler="F1"))
        (message,) = rows(HisMessage)
        browser = sign_in(scene.far)
        assert scene.made.reference not in browser.get(f"{HOME}/envois").text
        assert browser.get(f"{HOME}/recus/{message.id}").status_code == 404
        for address in (f"envois/{found.id}/redire", f"envois/{found.id}/ecarter", f"ecarts/{scene.made.id}/redire"):
            assert browser.post(f"{HOME}/{address}").status_code == 404
        assert [each.state for each in rows(Delivery)] == ["refused"]

    def test_read_pages_at_a_fixed_price(self, app: Flask, scene: Scene, sign_in: SignIn) -> None:
        refused(scene)
        browser = sign_in(scene.both)
        for address in (HOME, f"{HOME}/envois", f"{HOME}/recus", f"{HOME}/ecarts", f"{HOME}/reglages"):
            browser.get(address)
            with executed(app) as statements:
                browser.get(address)
            assert len(statements) <= 12, address


class TestAdministrators:
    def test_set_the_hospitals_system_and_its_codes(self, scene: Scene, sign_in: SignIn) -> None:
        browser = sign_in(scene.administrator)
        assert scene.his.url in browser.get(f"{HOME}/reglages").text
        form = {"url": "mllp://agenda.exemple.test:2575", "codes": '{"units": {"1001": "CARDIO"}}', "stays": "none"}
        assert browser.post(f"{HOME}/reglages/990000017", data=form).status_code == 303
        with db.transaction(db.system("tests")):
            at = scene.hospital.establishment.id
            assert establishments.setting(at, dialect.ADDRESS) == "mllp://agenda.exemple.test:2575"
            assert dialect.read(establishments.setting(at, dialect.SETTING)).units == {"1001": "CARDIO"}
        assert {"his.changed", "his_dialect.changed"} <= set(audited())

    @pytest.mark.parametrize(
        "form",
        [
            {"url": "http://his"}, {"url": "mllp://his"}, {"url": "fhir+https://his/r4"}, {"url": "folder:/etc"},
            {"url": "none:", "codes": "["}, {"url": "none:", "codes": "[]"}, {"url": "none:", "codes": '{"other": 1}'},
            {"url": "none:", "codes": '{"units": {"a": "x", "b": "x"}}'},
            {"url": "none:", "codes": '{"with_ins": "yes"}'},
            {"url": "none:", "codes": '{"cancelled_because": "because"}'},
            {"url": "none:", "codes": '{"facility": "a\\rPID|1"}'},
            {"url": "none:", "codes": "[" * 9000},
        ],
    )  # fmt: skip
    def test_are_told_what_cannot_be_set(self, scene: Scene, sign_in: SignIn, form: dict[str, str]) -> None:
        answer = sign_in(scene.administrator).post(f"{HOME}/reglages/990000017", data=form)
        assert answer.status_code == 422
        with db.transaction(db.system("tests")):
            assert establishments.setting(scene.hospital.establishment.id, dialect.ADDRESS) == scene.his.url

    def test_name_no_host_inside_that_no_operator_named_but_keep_the_one_they_have(
        self, scene: Scene, sign_in: SignIn
    ) -> None:
        browser, before = sign_in(scene.administrator), reach.current()
        reach.configure(reach.read(""))  # as in production
        try:
            refused = browser.post(f"{HOME}/reglages/990000017", data={"url": "mllp://10.1.2.3:2575", "stays": "none"})
            kept = browser.post(f"{HOME}/reglages/990000017", data={"url": scene.his.url, "stays": "none"})
        finally:
            reach.configure(before)
        assert refused.status_code == 422
        assert "Whoever runs the portal must allow it first (PORTAL_INSIDE_HOSTS)" in refused.text
        assert "mllp://10.1.2.3:2575" in refused.text
        assert kept.status_code == 303

    def test_let_a_system_subscribe_try_it_and_see_its_secret_once(self, scene: Scene, sign_in: SignIn) -> None:
        browser = sign_in(scene.administrator)
        with SubscriberTwin() as subscriber:
            address = subscribe(browser, subscriber.url)
            secret = secret_of(browser.get(address).text)
            assert secret_of(browser.get(address).text) == ""
            browser.post(f"{address}/essayer")
            exchanges.tick()
            (call,) = subscriber.memory.calls
            assert signing.holds(secret, call.body, call.headers["parvis-signature"], db.now())
            assert json.loads(call.body)["event"] == "parvis.test"
        assert "Delivered" in browser.get(address).text

    def test_stop_start_renew_and_end_a_subscription(self, scene: Scene, sign_in: SignIn) -> None:
        browser = sign_in(scene.administrator)
        with SubscriberTwin() as subscriber:
            address = subscribe(browser, subscriber.url)
            first = secret_of(browser.get(address).text)
            browser.post(f"{address}/arreter")
            browser.post(f"{address}/essayer")
            exchanges.tick()
            assert subscriber.memory.calls == []
            browser.post(f"{address}/reprendre")
            browser.post(f"{address}/secret")
            second = secret_of(browser.get(address).text)
            exchanges.tick()
            (call,) = subscriber.memory.calls
        assert second not in ("", first)
        assert signing.holds(second, call.body, call.headers["parvis-signature"], db.now())
        assert browser.post(f"{address}/supprimer").status_code == 303
        assert browser.get(address).status_code == 404
        lines = {"added", "stopped", "tried", "resumed", "rotated", "ended"}
        assert {f"subscription.{each}" for each in lines} <= set(audited())

    def test_of_another_hospital_reach_nothing(self, scene: Scene, sign_in: SignIn) -> None:
        address = subscribe(sign_in(scene.administrator), "https://agenda.exemple.test/")
        browser = sign_in(scene.far)
        assert "agenda.exemple.test" not in browser.get(f"{HOME}/reglages").text
        assert browser.get(f"{HOME}/reglages/990000017").status_code == 404
        assert browser.get(address).status_code == 404
        for gesture in ("essayer", "secret", "arreter", "reprendre", "supprimer"):
            assert browser.post(f"{address}/{gesture}").status_code == 404

    def test_who_only_take_appointments_set_nothing(self, scene: Scene, sign_in: SignIn) -> None:
        assert sign_in(scene.agent).get(f"{HOME}/reglages").status_code == 403
        assert sign_in(scene.administrator).get(HOME).status_code == 403

    def test_cannot_make_a_subscription_of_what_is_not_one(self, scene: Scene, sign_in: SignIn) -> None:
        browser = sign_in(scene.administrator)
        wrong: dict[str, Any]
        for wrong in ({"url": "ftp://a"}, {"url": ""}, {"events": []}, {"events": ["patient.read"]}, {"name": ""},
                      {"establishment": "990000025"}):  # fmt: skip
            form = FORM | {"url": "https://a.exemple.test/", "once": str(uuid4())} | wrong
            assert browser.post(f"{HOME}/abonnements/ajouter", data=form).status_code == 422


FORM = {"establishment": "990000017", "name": "Agenda", "events": ["appointment.booked", "appointment.cancelled"]}


def subscribe(browser: FlaskClient, url: str) -> str:
    answer = browser.post(f"{HOME}/abonnements/ajouter", data=FORM | {"url": url, "once": str(uuid4())})
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def secret_of(page: str) -> str:
    found = re.search(r"<textarea[^>]*>([\w-]{43})</textarea>", page)
    return found[1] if found else ""


class TestTheTables:
    """Row-level security: whatever the queries forget."""

    @pytest.fixture
    def filled(self, scene: Scene) -> Scene:
        exchanges.tick()
        exchanges.hear(scene.hospital.establishment.id, exchanges.siu("S15", "M1", said_at=db.now(), filler="F1"))
        return scene

    def _actors(self, scene: Scene) -> dict[str, Actor]:
        at, away = scene.hospital.establishment.id, scene.elsewhere.establishment.id
        return {
            "nobody": ANONYMOUS,
            "the patient": Actor("patient", "", uuid4(), patients=frozenset({scene.patient.id})),
            "a practitioner": Actor("professional", "", uuid4(), professional_id=uuid4()),
            "a clerk": people.as_agent(scene.agent, at, "billing", "documents", "identity", "audit"),
            "another hospital": people.as_agent(scene.far, away, "appointments", "administration"),
        }

    @pytest.mark.parametrize("who", ["nobody", "the patient", "a practitioner", "a clerk", "another hospital"])
    def test_show_nothing_to_strangers(self, filled: Scene, who: str) -> None:
        with db.transaction(self._actors(filled)[who]):
            assert [session.scalar(select(func.count()).select_from(table)) for table in TABLES] == [0, 0, 0, 0]

    def test_show_the_admissions_office_nothing_of_appointments_but_the_line(self, filled: Scene) -> None:
        with db.transaction(people.as_agent(filled.agent, filled.hospital.establishment.id, "preadmission")):
            assert [session.scalar(select(func.count()).select_from(table)) for table in TABLES] == [1, 0, 0, 0]

    def test_show_the_agents_their_own(self, filled: Scene) -> None:
        with db.transaction(people.as_agent(filled.agent, filled.hospital.establishment.id, "appointments")):
            assert [session.scalar(select(func.count()).select_from(table)) for table in TABLES] == [1, 1, 1, 1]

    @pytest.mark.parametrize("who", ["nobody", "the patient", "another hospital"])
    def test_take_nothing_from_strangers(self, filled: Scene, who: str) -> None:
        with db.transaction(self._actors(filled)[who]):
            session.add(Follower(establishment_id=filled.hospital.establishment.id, kind="webhook", url="https://a/"))
            with pytest.raises(ProgrammingError):
                session.flush()
            session.rollback()

    def test_hold_messages_and_secrets_sealed(self, filled: Scene, sign_in: SignIn) -> None:
        subscribe(sign_in(filled.administrator), "https://agenda.exemple.test/")
        with db.transaction(db.system("tests")) as current:
            kept = current.connection().exec_driver_sql(
                "select body from his_message union select secret from follower"
            )
            texts = [text for (text,) in kept if text]
        assert len(texts) == 2
        assert all(text.startswith("sealed:") for text in texts)


def test_the_connectors_page_lists_who_is_told(scene: Scene, sign_in: SignIn) -> None:
    exchanges.tick()
    page = sign_in(scene.administrator).get("/admin/connecteurs").text
    assert "Who is told of appointments" in page
    assert "Working" in page
