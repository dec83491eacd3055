"""A link shows what the hospital has, and nothing else; undone, it takes exactly that back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from auth.account.models import DataExport
from auth.enrolment import actions
from auth.enrolment.actions import AlreadyLinked, AlreadyUndone, NumberHeld, UnknownNumber
from auth.enrolment.models import EnrolmentMove, Link
from auth.models import Account, Patient, PatientRecord
from portal import db
from portal.audit import AuditEvent
from portal.db import Actor, session
from portal.files import StoredFile
from portal.notifications import Notification
from services.appointments.models import Appointment, AppointmentChange, Claim
from services.billing.models import Bill
from services.documents.models import Document
from tests.auth.enrolment.conftest import IPP, Ground
from tests.factories import billing, documents, people
from tests.ground import audited, count, prepared, rows

HELD = (Bill, Appointment, Document)
SignIn = Callable[[Account | UUID], FlaskClient]


def seen(actor: Actor) -> dict[str, int]:
    with db.transaction(actor):
        return {model.__tablename__: len(session.scalars(select(model)).all()) for model in HELD}


def linked(ground: Ground, patient: Patient | None = None) -> UUID:
    with db.transaction(ground.unit):
        return actions.link((patient or ground.patient).id, ground.here, IPP, "agent").id


def undone(ground: Ground, link_id: UUID) -> None:
    with db.transaction(ground.unit):
        actions.undo_link(link_id, "wrong_person")


def test_undone_takes_back_the_copies_that_held_what_it_brought(
    ground: Ground, sign_in: SignIn, work_jobs: Callable[[], None]
) -> None:
    link_id, (browser, page) = linked(ground), (sign_in(ground.me.account_id), "/mon-compte/donnees/copie")  # type: ignore[arg-type]  # the account is there
    browser.post(page)
    work_jobs()
    (copy,) = rows(DataExport)
    assert browser.get(f"{page}/{copy.id}").status_code == 200
    browser.post(page)
    undone(ground, link_id)
    assert browser.get(f"{page}/{copy.id}").status_code == 404
    work_jobs()  # the one that was under way is not handed over either
    assert {each.state for each in rows(DataExport)} == {"ready", "expired"}
    browser.post(page)
    work_jobs()
    assert sum(each.expires_at is not None and each.expires_at > db.now() for each in rows(DataExport)) == 1


class TestALink:
    def test_shows_what_was_booked_billed_and_sent_before_it(self, ground: Ground) -> None:
        assert seen(ground.me) == {"bill": 0, "appointment": 0, "document": 0}
        linked(ground)
        assert seen(ground.me) == {"bill": 2, "appointment": 1, "document": 1}

    def test_gives_the_number_to_the_account_and_keeps_the_hospitals_description_aside(self, ground: Ground) -> None:
        linked(ground)
        with prepared():
            assert session.get_one(PatientRecord, (ground.patient.id, ground.here)).ipp == IPP
            assert session.get(PatientRecord, (ground.known.id, ground.here)) is None
            assert session.get(Patient, ground.known.id) is not None

    def test_brings_the_qualified_identity_along(self, ground: Ground) -> None:
        linked(ground)
        with prepared():
            mine = session.get_one(Patient, ground.patient.id)
            assert mine.identity_status == "QUAL"
            assert mine.shown_ins == ground.known.ins != ""

    def test_shows_the_history_of_an_appointment_to_whoever_sees_it(self, ground: Ground) -> None:
        with db.transaction(ground.me):
            assert session.scalars(select(AppointmentChange)).all() == []
        linked(ground)
        with db.transaction(ground.me):
            assert len(session.scalars(select(AppointmentChange)).all()) == 1

    def test_takes_the_persons_time_with_the_appointment(self, ground: Ground) -> None:
        linked(ground)
        assert {claim.patient_id for claim in rows(Claim)} == {ground.patient.id}
        assert ground.known.id not in {claim.resource_id for claim in rows(Claim)}

    def test_tells_the_person_and_the_audit(self, ground: Ground) -> None:
        linked(ground)
        (told,) = [each for each in rows(Notification) if each.account_id == ground.account.id]
        assert IPP not in told.body + told.subject
        assert "link.made" in audited()

    def test_is_for_one_account_at_a_time(self, ground: Ground) -> None:
        linked(ground)
        with pytest.raises(NumberHeld), db.transaction(ground.unit):
            actions.link(ground.other_patient.id, ground.here, IPP, "agent")
        with pytest.raises(AlreadyLinked), db.transaction(ground.unit):
            actions.link(ground.patient.id, ground.here, IPP, "agent")

    def test_needs_a_number_that_the_hospital_gave(self, ground: Ground) -> None:
        with pytest.raises(UnknownNumber), db.transaction(ground.unit):
            actions.link(ground.patient.id, ground.here, "1", "agent")

    def test_of_two_accounts_at_once_is_made_once(self, app: Flask, ground: Ground) -> None:
        def attempt(patient_id: UUID) -> str:
            with app.app_context():
                try:
                    with db.transaction(ground.unit):
                        actions.link(patient_id, ground.here, IPP, "agent")
                except NumberHeld:
                    return "held"
                return "linked"

        with ThreadPoolExecutor(2) as pool:
            outcomes = sorted(pool.map(attempt, [ground.patient.id, ground.other_patient.id]))
        assert outcomes == ["held", "linked"]
        assert count(Link) == 1

    def test_sends_the_next_bill_of_the_number_to_the_account(self, ground: Ground) -> None:
        linked(ground)
        with prepared():
            record = session.scalars(select(PatientRecord).where(PatientRecord.ipp == IPP)).one()
        assert record.patient_id == ground.patient.id

    def test_brings_the_next_letter_to_the_account(self, ground: Ground) -> None:
        linked(ground)
        with prepared():
            about = documents.traits(session.get_one(Patient, ground.patient.id))
            letter = documents.received(ground.hospital.establishment, documents.letter(about, unique_id="1.2.3.4"))
        assert (letter.state, letter.patient_id) == ("filed", ground.patient.id)

    def test_files_the_letters_of_the_number_that_waited_in_the_tray(self, ground: Ground) -> None:
        with prepared():
            about = replace(documents.traits(ground.known), ins="", ins_oid="", ipp=IPP)
            waiting = documents.received(ground.hospital.establishment, documents.letter(about, unique_id="1.2.3.5"))
            assert waiting.state == "tray"
        linked(ground)
        with db.transaction(ground.me):
            assert session.get_one(Document, waiting.id).state == "filed"


class TestAPushedLink:
    def test_is_made_when_every_trait_is_the_same(self, ground: Ground) -> None:
        with db.transaction(db.system("his")):
            assert actions.push_link(ground.here, IPP, ground.patient.id) is not None

    def test_is_left_to_a_person_when_one_differs(self, ground: Ground) -> None:
        with db.transaction(db.system("his")):
            assert actions.push_link(ground.here, IPP, ground.other_patient.id) is None
        assert count(Link) == 0


class TestAWrongLinkUndone:
    def test_hides_everything_at_once(self, ground: Ground) -> None:
        undone(ground, linked(ground))
        assert seen(ground.me) == {"bill": 0, "appointment": 0, "document": 0}

    def test_gives_each_row_back_to_whom_it_was(self, ground: Ground) -> None:
        before = _owners()
        undone(ground, linked(ground))
        with prepared():
            session.get_one(Bill, ground.unclaimed.id).patient_id = None  # it had no owner: now the hospital's
        assert _owners() == before

    def test_gives_back_what_came_for_the_number_since(self, ground: Ground) -> None:
        made = linked(ground)
        with prepared():
            billing.bill(ground.hospital.establishment, ground.patient, reference="F2026003", ipp=IPP)
        undone(ground, made)
        assert seen(ground.me)["bill"] == 0
        assert {bill.patient_id for bill in rows(Bill)} == {ground.known.id}

    def test_leaves_the_person_what_is_theirs(self, ground: Ground) -> None:
        with prepared():
            people.known_at(ground.patient, ground.here)
            mine = billing.bill(ground.hospital.establishment, ground.patient, reference="F1")
        undone(ground, linked(ground))
        with db.transaction(ground.me):
            assert [bill.id for bill in session.scalars(select(Bill))] == [mine.id]

    def test_takes_the_qualified_identity_back(self, ground: Ground) -> None:
        undone(ground, linked(ground))
        with prepared():
            mine = session.get_one(Patient, ground.patient.id)
            assert (mine.ins, mine.identity_status) == ("", "PROV")

    def test_closes_the_files_of_an_open_session(self, ground: Ground, sign_in: SignIn) -> None:
        made, browser = linked(ground), sign_in(ground.account)
        with db.transaction(ground.me):
            file_id = session.scalars(select(StoredFile.id)).first()
            assert file_id is not None
        undone(ground, made)
        assert browser.get(f"/documents/{ground.document.id}").status_code == 404
        with db.transaction(ground.me):
            assert session.get(StoredFile, file_id) is None

    def test_is_undone_once(self, ground: Ground) -> None:
        made = linked(ground)
        undone(ground, made)
        with pytest.raises(AlreadyUndone):
            undone(ground, made)

    def test_lets_the_right_account_be_linked(self, ground: Ground) -> None:
        undone(ground, linked(ground, ground.other_patient))
        linked(ground)
        assert seen(ground.me) == {"bill": 2, "appointment": 1, "document": 1}

    def test_shows_the_unit_what_was_seen_meanwhile(self, ground: Ground, sign_in: SignIn) -> None:
        made = linked(ground)
        sign_in(ground.account).get(f"/documents/{ground.document.id}")
        undone(ground, made)
        with db.transaction(ground.unit):
            seen_then = session.scalars(select(AuditEvent.action).where(AuditEvent.actor == ground.me.label)).all()
        assert seen_then == ["document.opened"]

    def test_tells_the_person(self, ground: Ground) -> None:
        undone(ground, linked(ground))
        told = [each for each in rows(Notification) if each.account_id == ground.account.id]
        assert len(told) == 2


def _owners() -> dict[UUID, UUID | None]:
    held: list[Bill | Appointment | Document] = [*rows(Bill), *rows(Appointment), *rows(Document)]
    claims = {claim.owner_id: claim.patient_id for claim in rows(Claim)}
    return {each.id: each.patient_id for each in held} | claims


def test_what_moved_is_remembered_row_by_row(ground: Ground) -> None:
    linked(ground)
    moved = {(move.room, move.table, move.row_id) for move in rows(EnrolmentMove)}
    assert moved == {
        ("billing", "bill", ground.bill.id),
        ("billing", "bill", ground.unclaimed.id),
        ("appointments", "appointment", ground.appointment.id),
        ("documents", "document", ground.document.id),
    }
