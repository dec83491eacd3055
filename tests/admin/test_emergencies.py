"""A file opened in an emergency: one patient, an hour, a reason, and somebody who judges it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import DBAPIError

from auth.emergencies import actions, queries
from auth.emergencies.queries import Wanted
from auth.models import Account, EmergencyAccess, Patient
from portal import db
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, RIGHTS, Actor, Base
from portal.files import StoredFile
from portal.notifications import Notification
from services.appointments.models import Appointment
from services.documents.models import Document
from services.preadmission.models import Preadmission
from tests.factories import agents, appointments, documents, hospitals, people, preadmission
from tests.factories.hospitals import Hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
SHOWN: tuple[type[Base], ...] = (Appointment, Preadmission, Document, StoredFile)
REASON = "La patiente est aux urgences, inconsciente."


@dataclass(frozen=True)
class Ward:
    """The billing agent has no right to the patient's file; the auditor watches; the other patient is next door."""

    north: Hospital
    south: Hospital
    agent: Account
    auditor: Account
    stranger: Account
    patient: Patient
    neighbour: Patient

    def form(self, **changed: Any) -> dict[str, Any]:
        """A complete answer, by the number."""
        usual = {"establishment": "990000017", "ipp": "8001", "kind": "care", "reason": REASON, "once": str(uuid4())}
        return usual | changed


@pytest.fixture
def ward(app: Flask) -> Ward:
    with prepared():
        north, south = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital du sud")
        patient, neighbour = people.patient("LE GOFF", ("Anne-Marie",)), people.patient("MARTIN", ("PAULE",))
        for person, number in ((patient, "8001"), (neighbour, "8002")):
            people.known_at(person, north.establishment.id, number)
            people.known_at(person, south.establishment.id, number)
            _fill(person, north)
        documents.qualified(patient)
        _letter(patient, south, "lettre du sud")
        ward = Ward(
            north,
            south,
            people.agent(north.establishment.id, "billing", name="Odile Maresquier"),
            people.agent(north.establishment.id, "audit", name="Aude Auditrice"),
            people.agent(south.establishment.id, *RIGHTS, name="Sam Sud"),
            patient,
            neighbour,
        )
        people.grant(ward.agent, south.establishment.id, "billing")
        ward.auditor.email = "aude@hopital.test"
        return ward


def _fill(person: Patient, place: Hospital) -> None:
    """One appointment, one pre-admission sent, one letter on the shelf."""
    why = appointments.reason(place.unit, f"Consultation de {person.birth_name}")
    practitioner = hospitals.practitioner(place.unit, f"1000000{person.birth_name[:1]}", person.birth_name)
    opened = appointments.consultation(place, [why], practitioner=practitioner)
    appointments.booked(person, why, opened)
    preadmission.preadmission(person, place.unit, "submitted")
    _letter(person, place, f"Lettre de {person.birth_name}")


def _letter(person: Patient, place: Hospital, title: str) -> None:
    from services.documents import actions as shelf
    from services.documents.actions import Publication

    stored = documents.stored(documents.pdf(title))
    stored.state = "clean"
    shelf.publish(place.establishment, stored.id, Publication(person.id, title, "11490-0", "CR"))


def open_in(browser: FlaskClient, ward: Ward, **changed: Any) -> str:
    """Open the file; its address."""
    answer = browser.post("/admin/urgence?lang=en", data=ward.form(**changed))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def seen(actor: Actor, model: type[Base]) -> int:
    with db.transaction(actor) as current:
        return current.scalar(select(func.count()).select_from(model)) or 0


class TestOpening:
    def test_shows_the_file_of_one_patient(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        page = browser.get(open_in(browser, ward) + "?lang=en").text
        for told in ("Anne-Marie LE GOFF", "8001", "Consultation de LE GOFF", "Lettre de LE GOFF", "read only"):
            assert told.lower() in page.lower()
        assert "MARTIN" not in page
        assert "lettre du sud" not in page

    @pytest.mark.parametrize(
        "traits",
        [{"birth_name": "LE GOFF", "first_name": "ANNE-MARIE"}, {"birth_name": "Le-Goff", "first_name": "anne marie"}],
    )
    def test_finds_by_the_exact_traits(self, ward: Ward, sign_in: SignIn, traits: dict[str, str]) -> None:
        browser, day = sign_in(ward.agent), ward.patient.birth_on
        born = {"birth_on-day": day.day, "birth_on-month": day.month, "birth_on-year": day.year}
        assert open_in(browser, ward, ipp="", **traits, **born)

    @pytest.mark.parametrize(
        "wanted",
        [
            Wanted(ipp="8003"),
            Wanted(ipp="800"),
            Wanted(ipp="8%"),
            Wanted("", "LE GOF", "ANNE-MARIE", None),
            Wanted("", "", "", None),
        ],
    )
    def test_finds_nobody_by_halves(self, ward: Ward, wanted: Wanted) -> None:
        with db.transaction(people.as_agent(ward.agent, ward.north.establishment.id, "billing")):
            assert queries.find(ward.north.establishment.id, wanted) is None

    def test_finds_nobody_when_two_people_bear_the_same_traits(self, ward: Ward) -> None:
        with prepared():
            twin = people.patient("LE GOFF", ("Anne-Marie",))
            people.known_at(twin, ward.north.establishment.id, "8009")
            wanted = Wanted("", "LE GOFF", "Anne-Marie", ward.patient.birth_on)
            assert queries.find(ward.north.establishment.id, wanted) is None

    @pytest.mark.parametrize(
        "changed",
        [{"reason": ""}, {"reason": "urgent"}, {"kind": ""}, {"kind": "curiosity"}, {"ipp": ""}, {"ipp": "9999"},
         {"ipp": "", "birth_name": "LE GOFF"}, {"establishment": "990000033"}],
    )  # fmt: skip
    def test_asks_for_all_of_it(self, ward: Ward, sign_in: SignIn, changed: dict[str, str]) -> None:
        assert sign_in(ward.agent).post("/admin/urgence", data=ward.form(**changed)).status_code == 422
        assert rows(EmergencyAccess) == []

    def test_is_for_a_hospital_where_the_agent_works(self, ward: Ward, sign_in: SignIn) -> None:
        with prepared():
            elsewhere = people.agent(ward.south.establishment.id, "billing")
        answer = sign_in(elsewhere).post("/admin/urgence", data=ward.form())
        assert answer.status_code == 422
        with (
            pytest.raises(actions.NotOfThisHospital),
            db.transaction(people.as_agent(elsewhere, ward.south.establishment.id, "billing")),
        ):
            actions.open_file(ward.north.establishment.id, ward.patient.id, "care", REASON)

    def test_a_double_click_opens_once(self, ward: Ward, sign_in: SignIn) -> None:
        browser, form = sign_in(ward.agent), ward.form()
        answers = [browser.post("/admin/urgence", data=form) for _time in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(rows(EmergencyAccess)) == 1

    def test_ten_tries_an_hour_then_no_more(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        for _try in range(10):
            assert browser.post("/admin/urgence", data=ward.form(ipp="9999")).status_code == 422
        assert browser.post("/admin/urgence", data=ward.form()).status_code == 429
        assert rows(EmergencyAccess) == []

    def test_is_not_possible_while_the_portal_is_read_only(
        self, app: Flask, ward: Ward, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = sign_in(ward.agent)
        browser.get("/admin/urgence")
        settings = app.config["SETTINGS"].model_copy(update={"read_only": True})
        monkeypatch.setitem(app.config, "SETTINGS", settings)
        assert browser.post("/admin/urgence", data=ward.form()).status_code == 503
        assert rows(EmergencyAccess) == []

    def test_nobody_anonymous_and_no_patient(self, ward: Ward, client: FlaskClient, sign_in: SignIn) -> None:
        assert client.get("/admin/urgence").status_code == 303
        with prepared():
            account, _patient = people.patient_with_account()
        assert sign_in(account).get("/admin/urgence").status_code == 403

    def test_the_page_costs_few_statements(self, app: Flask, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        with executed(app) as statements:
            browser.get(address)
        assert len(statements) <= 12, statements


class TestTheHour:
    def test_ends_by_itself(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        with prepared():
            db.session.execute(update(EmergencyAccess).values(ends_at=db.now() - timedelta(seconds=1)))
        answer = browser.get(address + "?lang=en")
        assert answer.status_code == 404
        assert "This file is not open" in answer.text

    def test_ends_by_a_button(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        assert browser.post(address + "/fermer").status_code == 303
        assert browser.get(address).status_code == 404
        assert browser.post(address + "/fermer").status_code == 404

    def test_is_the_agents_own(self, ward: Ward, sign_in: SignIn) -> None:
        address = open_in(sign_in(ward.agent), ward)
        for other in (ward.auditor, ward.stranger):
            assert sign_in(other).get(address).status_code == 404
            assert sign_in(other).post(address + "/fermer").status_code == 404

    def test_ends_with_the_agents_last_right_there(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        with prepared():
            from sqlalchemy import delete

            from auth.models import StaffRight

            here = StaffRight.establishment_id == ward.north.establishment.id
            db.session.execute(delete(StaffRight).where(StaffRight.account_id == ward.agent.id, here))
        assert browser.get(address).status_code == 404


class TestDocuments:
    def test_open_and_each_is_written_down(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        letter = _document_of(ward.patient, ward.north)
        answer = browser.get(f"{address}/documents/{letter}")
        assert answer.status_code == 200
        assert answer.data.startswith(b"%PDF")
        assert audited()[-2:] == ["emergency.opened", "emergency.looked"]

    def test_of_another_patient_or_hospital_are_not_found(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        address = open_in(browser, ward)
        for person, place in ((ward.neighbour, ward.north), (ward.patient, ward.south)):
            letter = _document_of(person, place)
            assert browser.get(f"{address}/documents/{letter}").status_code == 404

    def test_are_not_opened_by_the_usual_pages(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.agent)
        open_in(browser, ward)
        assert browser.get("/admin/documents").status_code == 403


def _document_of(person: Patient, place: Hospital) -> UUID:
    with prepared():
        found = db.session.scalar(
            select(Document.id).where(
                Document.patient_id == person.id, Document.establishment_id == place.establishment.id
            )
        )
    assert found
    return found


class TestWhatTheDatabaseLetsThrough:
    def opened(self, ward: Ward, **facts: Any) -> Actor:
        with prepared():
            agents.emergency(ward.agent, ward.north.establishment.id, ward.patient, **facts)
        me = people.as_agent(ward.agent, ward.north.establishment.id, "billing")
        return Actor(me.kind, me.name, me.account_id, rights=me.rights, emergency=frozenset({ward.patient.id}))

    def test_one_patients_rows_at_one_hospital(self, ward: Ward) -> None:
        before = people.as_agent(ward.agent, ward.north.establishment.id, "billing")
        assert {model: seen(before, model) for model in SHOWN} == dict.fromkeys(SHOWN, 0)
        assert {model: seen(self.opened(ward), model) for model in SHOWN} == dict.fromkeys(SHOWN, 1)

    def test_nothing_once_it_has_ended_whatever_was_declared(self, ward: Ward) -> None:
        late = self.opened(ward, ends_at=db.now() - timedelta(seconds=1))
        assert {model: seen(late, model) for model in SHOWN} == dict.fromkeys(SHOWN, 0)

    def test_nothing_to_somebody_who_declares_another_ones_emergency(self, ward: Ward) -> None:
        self.opened(ward)
        liar = Actor("staff", "Sam", ward.auditor.id, rights={"audit": frozenset({ward.north.establishment.id})},
                     emergency=frozenset({ward.patient.id}))  # fmt: skip
        assert {model: seen(liar, model) for model in SHOWN} == dict.fromkeys(SHOWN, 0)

    def test_nothing_to_change(self, ward: Ward) -> None:
        me = self.opened(ward)
        for model in SHOWN:
            column = next(each for each in model.__table__.columns if not each.primary_key)
            with db.transaction(me) as current:
                assert current.execute(update(model).values({column.name: column})).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it

    def test_nobody_lengthens_their_own_hour(self, ward: Ward) -> None:
        me = self.opened(ward)
        with db.transaction(me) as current:
            later = update(EmergencyAccess).values(ends_at=db.now() + timedelta(days=1))
            assert current.execute(later).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it

    @pytest.mark.parametrize("who", ["anonymous", "patient", "professional", "agent elsewhere", "machine"])
    def test_a_stranger_sees_no_opening(self, ward: Ward, who: str) -> None:
        self.opened(ward)
        with prepared():
            account, patient = people.patient_with_account()
            strangers = {
                "anonymous": ANONYMOUS,
                "patient": people.as_patient(account, patient),
                "professional": people.as_professional(people.professional()),
                "agent elsewhere": people.as_agent(ward.stranger, ward.south.establishment.id, *RIGHTS),
                "machine": Actor("machine", "his"),
            }
        assert seen(strangers[who], EmergencyAccess) == 0
        forged = insert(EmergencyAccess).inline().values(
            id=uuid4(), account_id=ward.agent.id, establishment_id=ward.north.establishment.id,
            patient_id=ward.patient.id, kind="care", reason="x", opened_at=db.now(), ends_at=db.now(), review="",
        )  # fmt: skip
        with pytest.raises(DBAPIError, match="row-level security"), db.transaction(strangers[who]) as current:
            current.execute(forged)


class TestWhoIsTold:
    def test_the_auditors_at_once_without_a_name(self, ward: Ward, sign_in: SignIn, work_jobs: Any) -> None:
        open_in(sign_in(ward.agent), ward)
        work_jobs()
        (told,) = [row for row in rows(Notification) if row.recipient == "aude@hopital.test"]
        for secret in ("GOFF", "8001", REASON):
            assert secret not in told.body + told.subject
        assert "/admin/urgence/revues" in told.body

    def test_the_patient_sees_it_among_those_who_opened_their_file(self, ward: Ward, sign_in: SignIn) -> None:
        open_in(sign_in(ward.agent), ward)
        with prepared():
            own = people.account(name="Anne-Marie")
            people.give_access(own, ward.patient)
        with db.transaction(people.as_patient(own, ward.patient)) as current:
            assert "emergency.opened" in set(current.scalars(select(AuditEvent.action)))


class TestJudging:
    def waiting(self, ward: Ward) -> str:
        with prepared():
            opened = agents.emergency(ward.agent, ward.north.establishment.id, ward.patient)
        return f"/admin/urgence/revues/{opened.id}"

    def test_an_auditor_sees_who_why_and_what_and_says_what_they_think(
        self, ward: Ward, sign_in: SignIn, work_jobs: Any
    ) -> None:
        address, browser = self.waiting(ward), sign_in(ward.auditor)
        page = browser.get(address + "?lang=en").text
        assert "Odile Maresquier" in page
        assert "Le patient est aux urgences" in page
        assert browser.post(address, data={"verdict": "no", "comment": "Rien ne le demandait."}).status_code == 303
        (opened,) = rows(EmergencyAccess)
        assert (opened.justified, opened.reviewed_by) == (False, ward.auditor.id)
        work_jobs()
        assert ward.agent.email in {row.recipient for row in rows(Notification)}

    def test_is_done_once(self, ward: Ward, sign_in: SignIn) -> None:
        address, browser = self.waiting(ward), sign_in(ward.auditor)
        browser.post(address, data={"verdict": "yes", "comment": "Vu avec la cadre."})
        browser.post(address, data={"verdict": "no", "comment": "Finalement non."})
        (opened,) = rows(EmergencyAccess)
        assert opened.justified is True

    def test_asks_for_an_answer_and_a_comment(self, ward: Ward, sign_in: SignIn) -> None:
        address, browser = self.waiting(ward), sign_in(ward.auditor)
        for wrong in ({}, {"verdict": "yes"}, {"comment": "x"}, {"verdict": "maybe", "comment": "x"}):
            assert browser.post(address, data=wrong).status_code == 422

    def test_is_never_by_whoever_opened_it(self, ward: Ward, sign_in: SignIn) -> None:
        with prepared():
            people.grant(ward.agent, ward.north.establishment.id, "audit")
        address, browser = self.waiting(ward), sign_in(ward.agent)
        assert "another auditor judges it" in browser.get(address + "?lang=en").text
        assert browser.post(address, data={"verdict": "yes", "comment": "Bien sûr."}).status_code == 403

    def test_is_not_for_an_auditor_of_another_hospital(self, ward: Ward, sign_in: SignIn) -> None:
        address, browser = self.waiting(ward), sign_in(ward.stranger)
        assert browser.get(address).status_code == 404
        assert browser.post(address, data={"verdict": "yes", "comment": "x"}).status_code == 404
        assert "Odile" not in browser.get("/admin/urgence/revues").text

    def test_the_list_shows_what_waits_and_what_was_judged(self, ward: Ward, sign_in: SignIn) -> None:
        browser = sign_in(ward.auditor)
        assert "Nothing to judge" in browser.get("/admin/urgence/revues?lang=en").text
        address = self.waiting(ward)
        assert "Look and judge" in browser.get("/admin/urgence/revues?lang=en").text
        browser.post(address, data={"verdict": "yes", "comment": "Vu avec la cadre."})
        assert "Judged lately" in browser.get("/admin/urgence/revues?lang=en").text
