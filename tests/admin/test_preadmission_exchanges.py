"""What is exchanged about pre-admissions, on the screens of the admissions office."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import ProgrammingError

from auth.models import Account, Patient
from portal import db, establishments
from portal.db import ANONYMOUS, Actor, session
from portal.gateways.his.twin import HisTrouble, HisTwin
from services.exchanges import dialect
from services.exchanges.models import Delivery, HisMessage
from services.preadmission import actions
from services.preadmission.exchanges import states
from services.preadmission.models import Preadmission
from tests.english import in_english as in_english
from tests.factories import exchanges, hospital_messages, hospitals, people, preadmission
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
HOME = "/admin/echanges-pre-admissions"
SETTINGS = "/admin/echanges-agenda/reglages/990000017"


@dataclass(frozen=True)
class Scene:
    """A hospital whose system is told of stays, a file, and those who look."""

    hospital: Hospital
    elsewhere: Hospital
    patient: Patient
    file: Preadmission
    clerk: Account
    administrator: Account
    far: Account
    appointments: Account
    his: HisTwin


@pytest.fixture
def scene(app: Flask) -> Iterator[Scene]:
    with HisTwin() as his:
        with prepared():
            here, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Autre hôpital")
            hospital_messages.follow(here.establishment.id, his.url)
            account, patient = people.patient_with_account()
            file = preadmission.preadmission(patient, here.unit, "in_review", account_id=account.id)
            preadmission.settle(file)
            at, away = here.establishment.id, elsewhere.establishment.id
            found = Scene(
                here, elsewhere, patient, file, people.agent(at, "preadmission"), people.agent(at, "administration"),
                people.agent(away, "preadmission", "administration"), people.agent(at, "appointments"), his,
            )  # fmt: skip
        with prepared():
            actions.validate(session.get_one(Preadmission, file.id))
        yield found


def refused(scene: Scene) -> Delivery:
    """The one message, refused by the hospital's system."""
    scene.his.faults.trouble, scene.his.faults.once = HisTrouble.REFUSES, True
    exchanges.tick()
    (found,) = rows(Delivery)
    return found


def said(scene: Scene, trigger: str, **facts: object) -> HisMessage:
    """The hospital's system says something of the file."""
    with prepared():
        file = session.get_one(Preadmission, scene.file.id)
        session.refresh(file, ["patient"])
        message = hospital_messages.said_of(file, trigger, uuid4().hex[:16], **facts)
    hospital_messages.hear(scene.hospital.establishment.id, message)
    return rows(HisMessage)[-1]


class TestTheOffice:
    def test_sees_what_was_refused_first_and_why(self, scene: Scene, sign_in: SignIn) -> None:
        refused(scene)
        page = sign_in(scene.clerk).get(HOME).text
        assert scene.file.reference in page
        assert "Praticien inconnu" in page

    def test_reads_a_message_in_words_without_the_social_security_number(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        page = sign_in(scene.clerk).get(f"{HOME}/envois/{found.id}").text
        for word in (scene.patient.birth_name, "Our pre-admission", "Expected on", "Health cover"):
            assert word in page
        assert preadmission.NIR not in page.replace(" ", "")
        assert "•" in page
        assert "delivery.opened" in audited()

    def test_sends_a_refused_message_again(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        assert sign_in(scene.clerk).post(f"{HOME}/envois/{found.id}/redire").status_code == 303
        exchanges.tick()
        assert [each.state for each in rows(Delivery)] == ["accepted"]

    def test_sets_a_message_aside(self, scene: Scene, sign_in: SignIn) -> None:
        found = refused(scene)
        assert sign_in(scene.clerk).post(f"{HOME}/envois/{found.id}/ecarter").status_code == 303
        assert [each.state for each in rows(Delivery)] == ["set_aside"]

    def test_sends_a_day_again(self, scene: Scene, sign_in: SignIn) -> None:
        exchanges.tick()
        browser, day = sign_in(scene.clerk), db.now()
        form = {"follower": str(rows(Delivery)[0].follower_id), "day-day": str(day.day), "day-month": str(day.month),
                "day-year": str(day.year), "reach": "since", "once": str(uuid4())}  # fmt: skip
        assert browser.post(f"{HOME}/redire", data=form).status_code == 303
        assert [each.round for each in rows(Delivery)] == [1]
        assert browser.post(f"{HOME}/redire", data=form | {"day-day": "", "once": str(uuid4())}).status_code == 422

    def test_finds_the_messages_of_a_file(self, scene: Scene, sign_in: SignIn) -> None:
        exchanges.tick()
        browser = sign_in(scene.clerk)
        assert "A05" in browser.get(f"{HOME}?reference={scene.file.reference.lower()}").text
        assert "Nothing here" in browser.get(f"{HOME}?reference=ZZZZ-ZZZZ").text

    def test_reads_what_the_hospital_said_and_settles_it(self, scene: Scene, sign_in: SignIn) -> None:
        message = said(scene, "A01", visit="", ipp="8000000001")
        browser = sign_in(scene.clerk)
        assert "is missing" in browser.get(f"{HOME}/recus?state=refused").text
        assert "The patient" in browser.get(f"{HOME}/recus/{message.id}").text
        assert browser.post(f"{HOME}/recus/{message.id}/regle").status_code == 303
        assert "Nothing waits for anybody" in browser.get(f"{HOME}/recus?state=refused").text
        assert {"his_message.opened", "his_message.settled"} <= set(audited())

    def test_sees_a_planned_stay_that_cannot_be_invited_as_something_to_do(self, scene: Scene, sign_in: SignIn) -> None:
        hospital_messages.hear(
            scene.hospital.establishment.id, hospital_messages.adt("A05", "1", visit="240001", ipp="8000000077")
        )
        assert "invite the person" in sign_in(scene.clerk).get(f"{HOME}/recus?state=refused").text

    @pytest.mark.parametrize("address", ["", "/recus", "/recus?state=refused"])
    def test_sees_empty_pages_that_say_so(self, app: Flask, sign_in: SignIn, address: str) -> None:
        with prepared():
            clerk = people.agent(hospitals.hospital().establishment.id, "preadmission")
        assert sign_in(clerk).get(f"{HOME}{address}").status_code == 200

    def test_asks_the_database_little(self, app: Flask, scene: Scene, sign_in: SignIn) -> None:
        refused(scene)
        message, found = said(scene, "A01", visit="1"), rows(Delivery)[0]
        browser = sign_in(scene.clerk)
        for address in ("", "/recus", f"/recus/{message.id}"):
            browser.get(f"{HOME}{address}")
            with executed(app) as seen:
                browser.get(f"{HOME}{address}")
            assert len(seen) <= 12, (address, seen)
        with executed(app) as seen:
            browser.get(f"{HOME}/envois/{found.id}")
        assert len(seen) <= 14, seen


class TestOthers:
    @pytest.mark.parametrize("who", ["far", "appointments", "administrator"])
    def test_see_and_change_nothing(self, scene: Scene, sign_in: SignIn, who: str) -> None:
        found, message = refused(scene), said(scene, "A01", visit="")
        browser = sign_in(getattr(scene, who))
        assert browser.get(f"{HOME}/envois/{found.id}").status_code in (403, 404)
        assert browser.get(f"{HOME}/recus/{message.id}").status_code in (403, 404)
        assert browser.post(f"{HOME}/envois/{found.id}/redire").status_code in (403, 404)
        assert browser.post(f"{HOME}/recus/{message.id}/regle").status_code in (403, 404)

    def test_who_follow_appointments_do_not_see_messages_about_stays(self, scene: Scene, sign_in: SignIn) -> None:
        refused(scene)
        said(scene, "A01", visit="")
        browser = sign_in(scene.appointments)
        assert "A05" not in browser.get("/admin/echanges-agenda/envois").text
        assert "A01" not in browser.get("/admin/echanges-agenda/recus").text


class TestAdministrators:
    def test_say_how_the_system_takes_preadmissions(self, scene: Scene, sign_in: SignIn) -> None:
        browser = sign_in(scene.administrator)
        form = {"url": scene.his.url, "codes": '{"charset": "8859/15"}', "stays": "csv"}
        assert browser.post(SETTINGS, data=form).status_code == 303
        with prepared():
            at = scene.hospital.establishment.id
            assert establishments.setting(at, states.FORMAT) == "csv"
            assert "8859/15" in establishments.setting(at, dialect.SETTING)
        assert "his_format.changed" in audited()
        assert browser.post(SETTINGS, data=form | {"stays": "fax"}).status_code == 422
        assert browser.post(SETTINGS, data=form | {"codes": '{"charset": "EBCDIC"}'}).status_code == 422


class TestTheTables:
    """Row-level security: whatever the queries forget."""

    @pytest.fixture
    def filled(self, scene: Scene) -> Scene:
        exchanges.tick()
        said(scene, "A01", visit="240001")
        return scene

    def _actors(self, scene: Scene) -> dict[str, Actor]:
        at, away = scene.hospital.establishment.id, scene.elsewhere.establishment.id
        return {
            "nobody": ANONYMOUS,
            "the patient": Actor("patient", "", uuid4(), patients=frozenset({scene.patient.id})),
            "an agent of appointments": people.as_agent(scene.appointments, at, "appointments", "billing", "care"),
            "another hospital": people.as_agent(scene.far, away, "preadmission", "administration"),
        }

    @pytest.mark.parametrize("who", ["nobody", "the patient", "an agent of appointments", "another hospital"])
    def test_show_nothing_to_strangers(self, filled: Scene, who: str) -> None:
        with db.transaction(self._actors(filled)[who]):
            assert [session.scalar(select(func.count()).select_from(table)) for table in (Delivery, HisMessage)] == [
                0,
                0,
            ]

    def test_show_the_office_its_own(self, filled: Scene) -> None:
        with db.transaction(people.as_agent(filled.clerk, filled.hospital.establishment.id, "preadmission")):
            assert [session.scalar(select(func.count()).select_from(table)) for table in (Delivery, HisMessage)] == [
                1,
                1,
            ]

    @pytest.mark.parametrize("who", ["nobody", "an agent of appointments", "another hospital"])
    def test_take_nothing_from_strangers(self, filled: Scene, who: str) -> None:
        follower = rows(Delivery)[0].follower_id
        with db.transaction(self._actors(filled)[who]):
            session.add(
                Delivery(
                    follower_id=follower, establishment_id=filled.hospital.establishment.id, control_id="x",
                    subject_kind="preadmission", subject_id=filled.file.id, event="A38",
                )
            )  # fmt: skip
            with pytest.raises(ProgrammingError):
                session.flush()
            session.rollback()
