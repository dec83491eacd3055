"""The identity unit's screens: decide, link, undo, compare, give codes, and see nothing of other hospitals."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.enrolment import actions
from auth.enrolment.models import EnrolmentMove, Link, LinkCode, LinkRequest, LinkTry
from auth.identity import actions as identity
from auth.identity import nir
from auth.identity.models import PossibleDuplicate
from auth.models import Account, Identity, Patient, PatientRecord, WebSession
from auth.records import register_patient
from portal import db
from portal.audit import AuditEvent
from portal.db import Actor, Base, session
from portal.notifications import Notification
from services.billing.models import Bill
from tests.auth.enrolment.conftest import IPP, Ground
from tests.factories import billing, people
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

SignIn = Callable[[Account | UUID], FlaskClient]
HERE = "/admin/identites"


@pytest.fixture
def desk(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.agent)


@pytest.fixture
def asked(ground: Ground) -> LinkRequest:
    with db.transaction(ground.me):
        return actions.ask(ground.patient.id, ground.here)


def once(browser: FlaskClient, page: str) -> str:
    """The key that the page drew for its post."""
    found = re.search(r'name="once"[^>]*value="([^"]+)"', browser.get(page).text)
    assert found
    return found[1]


class TestTheQueue:
    def test_is_quiet_when_nothing_waits(self, ground: Ground, desk: FlaskClient) -> None:
        assert "No link waits" in desk.get(HERE).text

    def test_shows_who_asks_and_whom_the_hospital_knows(
        self, ground: Ground, desk: FlaskClient, asked: LinkRequest
    ) -> None:
        assert "LE GOFF" in desk.get(HERE).text
        page = desk.get(f"{HERE}/demandes/{asked.id}").text
        assert f"Number {IPP}" in page
        assert "No trait differs" in page

    def test_links_what_the_agent_checked(self, ground: Ground, desk: FlaskClient, asked: LinkRequest) -> None:
        page = f"{HERE}/demandes/{asked.id}"
        answer = desk.post(f"{page}", data={"ipp": IPP, "proof": "file_compared", "once": once(desk, page)})
        assert answer.status_code == 303
        assert rows(LinkRequest)[0].decision == "linked"
        with db.transaction(ground.me):
            assert len(session.scalars(select(Bill)).all()) == 2

    def test_says_when_a_number_is_wrong(self, ground: Ground, desk: FlaskClient, asked: LinkRequest) -> None:
        page = f"{HERE}/demandes/{asked.id}"
        answer = desk.post(f"{page}", data={"ipp": "0", "proof": "file_compared", "once": once(desk, page)})
        assert answer.status_code == 422
        assert "gave this number to nobody" in answer.text

    def test_closes_what_cannot_be_linked_and_tells(
        self, ground: Ground, desk: FlaskClient, asked: LinkRequest
    ) -> None:
        page = f"{HERE}/demandes/{asked.id}/refuser"
        desk.post(page, data={"reason": "traits", "once": once(desk, page)})
        assert rows(LinkRequest)[0].decision == "refused"
        assert len([each for each in rows(Notification) if each.account_id == ground.account.id]) == 1

    def test_of_another_hospital_is_not_found(self, ground: Ground, sign_in: SignIn, asked: LinkRequest) -> None:
        elsewhere = sign_in(ground.other_agent)
        assert elsewhere.get(f"{HERE}/demandes/{asked.id}").status_code == 404
        assert "LE GOFF" not in elsewhere.get(HERE).text

    def test_is_for_the_identity_unit(self, ground: Ground, sign_in: SignIn) -> None:
        with prepared():
            clerk = people.agent(ground.here, "billing")
        assert sign_in(clerk).get(HERE).status_code == 403

    def test_asks_little_of_the_database(
        self, app: Flask, ground: Ground, desk: FlaskClient, asked: LinkRequest
    ) -> None:
        pages = (HERE, f"{HERE}/demandes/{asked.id}", f"{HERE}/patients/{ground.known.id}")
        for page in pages:
            with executed(app) as statements:
                desk.get(page)
            assert len(statements) <= 12, (page, statements)


class TestAPatientsPage:
    def test_is_found_by_number_and_by_traits(self, ground: Ground, desk: FlaskClient) -> None:
        by_number = desk.post(f"{HERE}/rechercher", data={"ipp": IPP})
        born = {"birth_on-day": "2", "birth_on-month": "3", "birth_on-year": "1951", "name": "le-goff"}
        for answer in (by_number, desk.post(f"{HERE}/rechercher", data=born)):
            assert str(ground.known.id) in answer.text

    def test_is_searched_with_something_that_narrows(self, ground: Ground, desk: FlaskClient) -> None:
        assert desk.post(f"{HERE}/rechercher", data={"name": "LE GOFF"}).status_code == 422

    def test_shows_no_ins_before_it_is_qualified(self, ground: Ground, desk: FlaskClient) -> None:
        with prepared():
            session.get_one(Patient, ground.known.id).identity_status = "VALI"
        assert ground.known.ins not in desk.get(f"{HERE}/patients/{ground.known.id}").text

    def test_gives_a_code_once(self, ground: Ground, desk: FlaskClient) -> None:
        page = desk.post(f"{HERE}/patients/{ground.known.id}/{ground.finess}/code")
        assert re.search(r"(?:[BCDFGHJKLMNPQRSTVWXZ2-9]{4}-){2}[BCDFGHJKLMNPQRSTVWXZ2-9]{4}", page.text)
        assert count(LinkCode) == 1
        assert "link_code.made" in audited()

    def test_of_a_patient_of_another_hospital_is_not_found(self, ground: Ground, desk: FlaskClient) -> None:
        assert desk.get(f"{HERE}/patients/{ground.other_patient.id}").status_code == 404

    def test_hides_the_beneficiary_number_until_a_reason_is_given(self, ground: Ground, desk: FlaskClient) -> None:
        here = f"{HERE}/patients/{ground.known.id}"
        desk.post(f"{here}/{ground.finess}/nir", data={"nir": "2 51 03 2A 004 012 05"})
        assert "2 51 03 •• ••• ••• ••" in desk.get(here).text
        assert desk.post(f"{here}/{ground.finess}/nir/voir", data={"reason": ""}).status_code == 422
        shown = desk.post(f"{here}/{ground.finess}/nir/voir", data={"reason": "pension file"})
        assert "2 51 03 2A 004 012 05" in shown.text
        (line,) = [each for each in rows(AuditEvent) if each.action == "nir.revealed"]
        assert line.details["reason"] == "pension file"

    def test_keeps_the_beneficiary_number_sealed(self, ground: Ground, desk: FlaskClient) -> None:
        desk.post(f"{HERE}/patients/{ground.known.id}/{ground.finess}/nir", data={"nir": "251032A00401205"})
        with prepared():
            kept = session.get_one(Patient, ground.known.id)
            assert kept.nir_sealed is not None
            assert b"2510" not in kept.nir_sealed
            found = session.scalars(select(Patient).where(Patient.nir_index == nir.index("251032A00401205"))).one()
            assert found.id == kept.id


class TestALinkUndoneAtTheDesk:
    def test_says_what_came_and_what_was_seen(self, ground: Ground, desk: FlaskClient, sign_in: SignIn) -> None:
        with db.transaction(ground.unit):
            link_id = actions.link(ground.patient.id, ground.here, IPP, "agent").id
        sign_in(ground.account).get(f"/documents/{ground.document.id}")
        page = f"{HERE}/liens/{link_id}"
        answer = desk.post(f"{page}/defaire", data={"reason": "wrong_person", "once": once(desk, page)})
        assert answer.status_code == 303
        shown = desk.get(page).text
        assert "opened a letter" in shown
        assert "Undone" in shown


def married(ground: Ground) -> tuple[Account, Patient]:
    """The same woman after a change of civil status: FranceConnect gives another subject, one trait differs."""
    with prepared():
        account, patient = people.patient_with_account(
            birth_name="LE GOFF",
            first_names=("ANNE-MARIE",),
            birth_on=ground.patient.birth_on,
            birthplace_insee="2A004",
            sex="M",
        )
        session.add(Identity(issuer="https://fc", subject="new", account_id=account.id))
        people.known_at(ground.patient, ground.here)
        identity.note_duplicates(patient, has_account=True)
    return account, patient


class TestTwoAccountsOfOnePerson:
    def test_wait_and_are_never_merged(self, ground: Ground) -> None:
        _account, patient = married(ground)
        (pair,) = rows(PossibleDuplicate)
        assert (pair.patient_id, pair.older_id, pair.kind, pair.differs) == (
            patient.id, ground.patient.id, "accounts", "sex",
        )  # fmt: skip

    def test_are_not_found_by_mail_address(self, ground: Ground) -> None:
        with prepared():
            account, patient = people.patient_with_account(birth_name="AUTRE", first_names=("LUCIE",))
            account.email = ground.account.email
            people.known_at(ground.patient, ground.here)
            assert identity.note_duplicates(patient, has_account=True) == 0

    def test_are_joined_by_an_agent_and_parted_again(self, ground: Ground, desk: FlaskClient, sign_in: SignIn) -> None:
        account, patient = married(ground)
        browser = sign_in(account)
        with prepared():
            people.known_at(patient, ground.here)
            mine = billing.bill(ground.hospital.establishment, patient, reference="F77")
        page = f"{HERE}/doublons/{rows(PossibleDuplicate)[0].id}"
        proof = {"proof": "civil_record"}
        desk.post(f"{page}/decider", data={**proof, "same": "1", "once": once(desk, page)})
        with prepared():
            assert session.scalars(select(Identity)).one().account_id == ground.account.id
            assert session.get_one(Bill, mine.id).patient_id == ground.patient.id
        assert browser.get("/mon-compte").status_code == 303, "the former account's sessions are closed"
        assert {each.account_id for each in rows(Notification)} == {account.id, ground.account.id}
        desk.post(f"{page}/separer", data={**proof, "once": once(desk, page)})
        with prepared():
            assert session.scalars(select(Identity)).one().account_id == account.id
            assert session.get_one(Bill, mine.id).patient_id == patient.id
            assert session.get_one(Account, account.id).closed_at is None

    def test_are_not_joined_while_the_newer_one_holds_a_number(self, ground: Ground, desk: FlaskClient) -> None:
        _account, patient = married(ground)
        with prepared():
            people.known_at(patient, ground.here, "77")
        page = f"{HERE}/doublons/{rows(PossibleDuplicate)[0].id}"
        desk.post(f"{page}/decider", data={"proof": "civil_record", "same": "1", "once": once(desk, page)})
        assert rows(PossibleDuplicate)[0].decision == ""
        assert "undo that link first" in desk.get(page).text

    def test_may_be_two_people(self, ground: Ground, desk: FlaskClient) -> None:
        married(ground)
        page = f"{HERE}/doublons/{rows(PossibleDuplicate)[0].id}"
        desk.post(f"{page}/decider", data={"proof": "called_back", "different": "1", "once": once(desk, page)})
        assert rows(PossibleDuplicate)[0].decision == "different"
        assert "Nobody to compare" in desk.get(HERE).text

    def test_of_another_hospital_are_not_shown(self, ground: Ground, sign_in: SignIn) -> None:
        married(ground)
        page = f"{HERE}/doublons/{rows(PossibleDuplicate)[0].id}"
        assert sign_in(ground.other_agent).get(page).status_code == 404


class TestAPatientEnteredByPhone:
    def test_who_has_an_account_waits_to_be_compared(self, ground: Ground, desk: FlaskClient) -> None:
        with prepared():
            people.known_at(ground.patient, ground.here)
        with db.transaction(ground.unit):
            phoned = register_patient(
                ground.here, birth_name="Le Goff", first_name="Anne-Marie", birth_on=ground.patient.birth_on
            )
        pairs = [pair for pair in rows(PossibleDuplicate) if pair.older_id == ground.patient.id]
        assert [(pair.patient_id, pair.kind) for pair in pairs] == [(phoned.id, "record")]

    def test_gives_what_was_entered_to_the_account(self, ground: Ground, desk: FlaskClient) -> None:
        with prepared():
            people.known_at(ground.patient, ground.here)
        with db.transaction(ground.unit):
            phoned = register_patient(
                ground.here, birth_name="Le Goff", first_name="Anne-Marie", birth_on=ground.patient.birth_on
            )
        with prepared():
            owed = billing.bill(ground.hospital.establishment, phoned, reference="F78")
        page = f"{HERE}/doublons/{next(p.id for p in rows(PossibleDuplicate) if p.older_id == ground.patient.id)}"
        desk.post(f"{page}/decider", data={"proof": "called_back", "same": "1", "once": once(desk, page)})
        with prepared():
            assert session.get_one(Bill, owed.id).patient_id == ground.patient.id
        desk.post(f"{page}/separer", data={"proof": "called_back", "once": once(desk, page)})
        with prepared():
            assert session.get_one(Bill, owed.id).patient_id == phoned.id


TABLES = (Link, EnrolmentMove, LinkRequest, LinkCode, LinkTry, PossibleDuplicate)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_a_stranger_sees_and_changes_nothing_of_it(ground: Ground, table: type[Base]) -> None:
    married(ground)
    with db.transaction(ground.me):
        actions.ask(ground.patient.id, ground.here)
        actions.count_try(ground.here)
    with db.transaction(ground.unit):
        actions.make_code(ground.here, session.get_one(Patient, ground.known.id))
        actions.link(ground.patient.id, ground.here, IPP, "agent")
    professional = Actor("professional", "Paul")
    elsewhere = people.as_agent(ground.other_agent, ground.other_hospital.establishment.id, *db.RIGHTS)
    assert count(table) > 0
    for stranger in (ground.other, elsewhere, professional, db.ANONYMOUS, Actor("machine", "his")):
        with db.transaction(stranger):
            assert session.scalars(select(table)).all() == []
            column = next(each for each in table.__table__.columns if not each.primary_key)
            touched = session.execute(table.__table__.update().values({column.name: column}))  # type: ignore[attr-defined]  # a table, and not any other source of rows
            assert touched.rowcount == 0  # type: ignore[attr-defined]  # what an update gives has it


def test_the_hospitals_own_description_is_for_its_unit_alone(ground: Ground) -> None:
    with db.transaction(ground.unit):
        actions.link(ground.patient.id, ground.here, IPP, "agent")
    clerk = people.as_agent(ground.agent, ground.here, "billing")
    for actor, expected in ((ground.unit, True), (clerk, False), (ground.me, False)):
        with db.transaction(actor):
            assert (session.get(Patient, ground.known.id) is not None) is expected


def test_a_persons_pages_ask_little_of_the_database(app: Flask, ground: Ground, sign_in: SignIn) -> None:
    browser = sign_in(ground.account)
    for page in ("hopitaux", f"hopitaux/{ground.finess}", "identite", "coordonnees"):
        with executed(app) as statements:
            browser.get(f"/mon-compte/{page}")
        assert len(statements) <= 12, (page, statements)


def test_sessions_of_a_joined_account_are_counted_closed(ground: Ground) -> None:
    """So that nobody goes on under a closed account."""
    account, _patient = married(ground)
    with prepared():
        session.add(
            WebSession(digest=b"x", account_id=account.id, provider="x", expires_at=db.now() + timedelta(days=1))
        )
    with db.transaction(ground.unit):
        identity.decide_same(session.scalars(select(PossibleDuplicate)).one(), "civil_record")
    assert all(each.ended_at for each in rows(WebSession) if each.account_id == account.id)
    assert count(PatientRecord) > 0
