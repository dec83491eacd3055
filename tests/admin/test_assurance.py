"""The staff's side of assurance: what a hospital asks for, and the desk that helps who lost a telephone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from auth import assurance
from auth.factors.models import Factor, FactorReset, RecoveryCode
from auth.local import actions as local
from auth.models import Account, Patient, WebSession
from portal import db
from portal.audit import AuditEvent
from portal.notifications import Notification
from tests.factories import factors, people
from tests.factories.hospitals import Hospital, hospital
from tests.ground import audited, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account], FlaskClient]
LOST = "/admin/identites/facteurs-perdus"
DESK = "/mon-compte/securite/code-du-guichet"


@pytest.fixture
def north(app: Flask) -> Hospital:
    with prepared():
        return hospital()


@pytest.fixture
def south(app: Flask) -> Hospital:
    with prepared():
        return hospital("990000025", "Hôpital du sud")


@pytest.fixture
def lost(north: Hospital) -> tuple[Account, Patient]:
    """A patient of the north who has a telephone as a factor, and lost it."""
    with prepared():
        account, patient = people.patient_with_account()
        people.known_at(patient, north.establishment.id, "800001")
        factors.telephone(account)
    return account, patient


def agent_of(place: Hospital, *rights: str) -> Account:
    with prepared():
        made = people.agent(place.establishment.id, *rights)
        made.locale = "en"
        return made


def chosen(**other: str) -> dict[str, str]:
    return dict.fromkeys(assurance.SERVICES, "two_factors") | {"mail_codes": ""} | other


class TestTheScreen:
    def test_shows_each_hospital_and_what_applies(self, north: Hospital, sign_in: SignIn) -> None:
        page = sign_in(agent_of(north, "administration")).get("/admin/securite")
        assert page.status_code == 200
        assert north.establishment.finess in page.text

    def test_changes_what_is_asked_and_writes_each_change_down(self, north: Hospital, sign_in: SignIn) -> None:
        browser = sign_in(agent_of(north, "administration"))
        address = f"/admin/securite/{north.establishment.finess}"
        answer = browser.post(address, data=chosen(documents="substantial", local_accounts="y"))
        assert answer.status_code == 303
        with prepared():
            assert assurance.minimum("documents") == "substantial"
            assert assurance.minimum("billing") == "two_factors"
            assert assurance.rules().local_accounts
        assert audited().count("assurance.changed") == 2
        assert "selected" in browser.get(address).text

    def test_refuses_less_than_two_factors(self, north: Hospital, sign_in: SignIn) -> None:
        browser = sign_in(agent_of(north, "administration"))
        answer = browser.post(f"/admin/securite/{north.establishment.finess}", data=chosen(billing="single_factor"))
        assert answer.status_code == 422

    def test_is_for_those_who_administer_that_hospital(self, north: Hospital, south: Hospital, sign_in: SignIn) -> None:
        assert sign_in(agent_of(north, "identity")).get("/admin/securite").status_code == 403
        browser = sign_in(agent_of(north, "administration"))
        address = f"/admin/securite/{south.establishment.finess}"
        assert browser.get(address).status_code == 404
        assert browser.post(address, data=chosen(documents="substantial")).status_code == 404

    def test_costs_few_statements(self, app: Flask, north: Hospital, south: Hospital, sign_in: SignIn) -> None:
        browser = sign_in(agent_of(north, "administration"))
        with executed(app) as statements:
            browser.get("/admin/securite")
        assert len(statements) <= 12


class TestTheDesk:
    def code(self, browser: FlaskClient, place: Hospital, patient: Patient) -> str:
        address = f"{LOST}/{place.establishment.id}/{patient.id}"
        once = re.search(r'name="once"[^>]*value="([^"]*)"', browser.get(address).text)
        assert once
        page = browser.post(address, data={"document": "passport", "is_present": "y", "once": once[1]})
        found = re.search(r"<strong>([A-Z0-9]{4}(-[A-Z0-9]{4}){2})<", page.text)
        assert found, page.text
        return found[1]

    def test_finds_the_person_and_helps_them_start_again(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        account, patient = lost
        desk = sign_in(agent_of(north, "identity"))
        assert patient.birth_name in desk.post(LOST, data={"ipp": "800001"}).text
        code = self.code(desk, north, patient)
        browser = sign_in(account)
        answer = browser.post(DESK, data={"code": code.lower()})
        assert answer.headers["Location"].startswith("/mon-compte/securite/ajouter")
        assert [row.removed_at is not None for row in rows(Factor)] == [True]
        assert rows(RecoveryCode) == []
        assert {"factor_reset.issued", "factor_reset.used"} <= set(audited())
        assert len([row for row in rows(Notification) if row.account_id == account.id]) == 2

    def test_asks_for_what_was_not_given_before_it_searches(self, north: Hospital, sign_in: SignIn) -> None:
        answer = sign_in(agent_of(north, "identity")).post(LOST, data={"name": "DURAND"})
        assert answer.status_code == 422
        assert "Give a patient number, or a birth date" in answer.text

    def test_writes_which_document_and_whose_file(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        agent = agent_of(north, "identity")
        self.code(sign_in(agent), north, lost[1])
        (line,) = [row for row in rows(AuditEvent) if row.action == "factor_reset.issued"]
        assert (line.patient_id, line.establishment_id) == (lost[1].id, north.establishment.id)
        assert line.details["document"] == "passport"
        assert line.actor == f"staff:{agent.id}"

    def test_code_opens_nothing_by_itself(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn, client: FlaskClient
    ) -> None:
        code = self.code(sign_in(agent_of(north, "identity")), north, lost[1])
        assert client.post(DESK, data={"code": code}).headers["Location"].startswith("/connexion")
        browser = sign_in(lost[0])
        with prepared():
            db.session.execute(update(WebSession).values(amr="pwd"))
        browser.post(DESK, data={"code": code})
        assert browser.get("/documents").headers["Location"].startswith("/mon-compte/verification")

    def test_code_puts_out_whoever_is_inside_with_what_was_lost(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        code = self.code(sign_in(agent_of(north, "identity")), north, lost[1])
        thief, browser = sign_in(lost[0]), sign_in(lost[0])
        assert browser.post(DESK, data={"code": code}).status_code == 303
        assert thief.get("/mon-compte/securite").headers["Location"].startswith("/connexion")
        assert browser.get("/mon-compte/securite").status_code == 200

    def test_code_is_for_one_person_once_for_fifteen_minutes(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        with prepared():
            other = people.patient_with_account(birth_name="DURAND")[0]
        desk = sign_in(agent_of(north, "identity"))
        former, code = self.code(desk, north, lost[1]), self.code(desk, north, lost[1])
        assert sign_in(other).post(DESK, data={"code": code}).status_code == 422
        assert sign_in(lost[0]).post(DESK, data={"code": former}).status_code == 422
        assert sign_in(lost[0]).post(DESK, data={"code": code}).status_code == 303
        assert sign_in(lost[0]).post(DESK, data={"code": code}).status_code == 422
        late = self.code(desk, north, lost[1])
        with prepared():
            db.session.execute(update(FactorReset).values(expires_at=db.now() - timedelta(seconds=1)))
        assert sign_in(lost[0]).post(DESK, data={"code": late}).status_code == 422

    def test_must_have_the_person_and_a_document_in_front(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        desk = sign_in(agent_of(north, "identity"))
        address = f"{LOST}/{north.establishment.id}/{lost[1].id}"
        for data in (
            {},
            {"document": "passport"},
            {"is_present": "y"},
            {"document": "library_card", "is_present": "y"},
        ):
            assert desk.post(address, data=data).status_code == 422
        assert rows(FactorReset) == []

    def test_of_another_hospital_or_without_the_right_helps_nobody(
        self, north: Hospital, south: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        patient = lost[1]
        stranger = sign_in(agent_of(south, "identity"))
        for place in (north, south):
            assert stranger.get(f"{LOST}/{place.establishment.id}/{patient.id}").status_code == 404
        clerk = sign_in(agent_of(north, "billing", "administration"))
        assert clerk.get(f"{LOST}/{north.establishment.id}/{patient.id}").status_code == 403

    def test_says_when_there_is_no_account(self, north: Hospital, sign_in: SignIn) -> None:
        with prepared():
            patient = people.patient()
            people.known_at(patient, north.establishment.id)
        page = sign_in(agent_of(north, "identity")).get(f"{LOST}/{north.establishment.id}/{patient.id}")
        assert (page.status_code, "No account" in page.text) == (200, True)

    def test_prints_a_new_link_for_an_account_without_franceconnect(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        from auth.local.models import LocalInvitation

        with prepared():
            local.invite(lost[0].id)
            db.session.execute(update(LocalInvitation).values(used_at=db.now()))
        desk = sign_in(agent_of(north, "identity"))
        address = f"{LOST}/{north.establishment.id}/{lost[1].id}"
        page = desk.post(address, data={"document": "id_card", "is_present": "y"})
        assert local.PATH in page.text
        assert "<svg" in page.text

    def test_shows_no_factor_to_the_agent(
        self, north: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        page = sign_in(agent_of(north, "identity")).get(f"{LOST}/{north.establishment.id}/{lost[1].id}")
        assert "00 02" not in page.text


class TestOtherActors:
    def test_see_nothing_of_the_tables_of_factors(
        self, north: Hospital, south: Hospital, lost: tuple[Account, Patient], sign_in: SignIn
    ) -> None:
        from auth.factors.models import FactorChallenge
        from auth.local.models import LocalInvitation, LocalPassword
        from auth.tries import FailedTries

        account, _patient = lost
        with prepared():
            other, person = people.patient_with_account(birth_name="DURAND")
            there = people.agent(south.establishment.id, *db.RIGHTS)
            here = people.agent(north.establishment.id, *db.RIGHTS)
            doctor = people.professional()
            db.session.add(LocalPassword(account_id=account.id, login="AAAA-BBBB", hash="x"))
            local.invite(account.id)
            from uuid import uuid4

            db.session.add(RecoveryCode(id=uuid4(), account_id=account.id, digest=b"x"))
            db.session.add(
                FactorChallenge(id=uuid4(), account_id=account.id, kind="sms", digest=b"y", expires_at=db.now())
            )
            db.session.add(FailedTries(digest=b"z", failures=1, first_at=db.now()))
        tables = (Factor, RecoveryCode, FactorChallenge, LocalInvitation, LocalPassword, FailedTries, FactorReset)
        actors = [
            db.ANONYMOUS,
            people.as_patient(other, person),
            people.as_agent(there, south.establishment.id, *db.RIGHTS),
            people.as_agent(here, north.establishment.id, *db.RIGHTS),
            people.as_professional(doctor),
        ]
        for actor in actors:
            with db.transaction(actor) as current:
                assert [len(current.scalars(select(table)).all()) for table in tables] == [0] * len(tables)
                assert current.execute(update(Factor).values(label="mine now")).rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it
        with db.transaction(people.as_patient(account)) as current:
            assert len(current.scalars(select(Factor)).all()) == 1
            assert current.scalars(select(LocalInvitation)).all() == []
