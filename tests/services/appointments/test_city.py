"""A practitioner of the city books for a patient they send, and learns nothing of whom the hospital knows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from auth.enrolment import belongings
from auth.enrolment.belongings import Move
from auth.identity.models import PossibleDuplicate
from auth.models import Account, Delegation, Patient, PatientRecord, Professional, WebSession
from portal import db, kpi
from portal.db import Actor, session
from portal.notifications import Notification
from services.appointments import actions
from services.appointments.city.models import SentAppointment
from services.appointments.models import Appointment, Claim, ConsultationSession
from services.sent_patients import actions as describing
from services.sent_patients.actions import Described
from services.sent_patients.models import SentPatient
from tests.factories import appointments, hospitals, people
from tests.ground import audited, count, prepared, rows, today
from tests.pages import parsed
from tests.services.appointments.conftest import Ground
from tests.statements import executed
from tests.writers import all_rolled_up

TYPED = {
    "patient": "new", "birth_name": "Ferrand", "first_name": "Odile", "birth_on-day": "3", "birth_on-month": "2",
    "birth_on-year": "1951", "sex": "F", "mobile": "", "email": "",
}  # fmt: skip
_ROOMS = ("appointments", "sent_patients")
TYPED_ON = date(1951, 2, 3)


@dataclass(frozen=True)
class Practice:
    doctor: Professional
    browser: FlaskClient

    @property
    def actor(self) -> Actor:
        return people.as_professional(self.doctor)

    def book(self, ground: Ground, cell: int = 0, reason_id: UUID | None = None, **typed: str) -> TestResponse:
        form = TYPED | {
            "reason": str(reason_id or ground.reason.id),
            "slot": str(ground.slot(cell)),
            "once": str(uuid4()),
        }
        return self.browser.post("/pro/rendez-vous/confirmer", data=form | typed)


@pytest.fixture
def practice(app: Flask, ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]) -> Practice:
    with prepared():
        doctor = people.professional()
    return Practice(doctor, sign_in(doctor.account_id))


def heading(answer: TestResponse) -> str:
    return str(parsed(answer.text).findtext(".//h1"))


def sent_id() -> UUID:
    return rows(SentAppointment)[0].appointment_id


class TestBooking:
    def test_goes_from_a_reason_to_a_receipt(self, practice: Practice, ground: Ground) -> None:
        browser = practice.browser
        assert "/pro/rendez-vous/choisir" in browser.get("/pro/rendez-vous").text
        assert ground.reason.name in browser.get("/pro/rendez-vous/choisir").text
        times = browser.get(f"/pro/rendez-vous/choisir-un-creneau?reason={ground.reason.id}")
        assert str(ground.slot()) in times.text
        onward = browser.get(f"/pro/rendez-vous/choisir-un-creneau?reason={ground.reason.id}&slot={ground.slot()}")
        assert browser.get(onward.location).status_code == 200
        answer = practice.book(ground)
        assert answer.status_code == 303
        receipt = browser.get(answer.location).text
        assert "Odile FERRAND" in receipt
        made = rows(Appointment)[0]
        assert (made.channel, made.professional_id, made.reference in receipt) == ("city", practice.doctor.id, True)

    def test_names_nobody_in_an_address(self, practice: Practice, ground: Ground) -> None:
        answer = practice.book(ground)
        assert "ferrand" not in answer.location.lower()

    def test_registers_a_provisional_person_at_that_hospital(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        person = next(each for each in rows(Patient) if each.birth_name == "FERRAND")
        assert (person.identity_status, person.first_names) == ("PROV", ["Odile"])
        records = [each for each in rows(PatientRecord) if each.patient_id == person.id]
        assert [(each.establishment_id, each.ipp) for each in records] == [(ground.hospital.establishment.id, None)]
        assert {"patient.described", "appointment.booked"} <= set(audited())

    def test_answers_the_same_whether_or_not_the_hospital_knows_them(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            _account, known = people.patient_with_account(
                birth_name="FERRAND", first_names=("ODILE",), birth_on=TYPED_ON
            )
            people.known_at(known, ground.hospital.establishment.id, "800777")
        answer = practice.book(ground)
        page = practice.browser.get(answer.location).text
        assert answer.status_code == 303
        assert "800777" not in page
        assert str(known.id) not in page
        assert count(Patient) == 3
        assert rows(Appointment)[0].patient_id != known.id
        assert count(PossibleDuplicate) == 1, "the identity unit is told"

    def test_takes_what_patients_may_not_book_themselves(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            why = appointments.reason(ground.hospital.unit, "Avis spécialisé", by_referral_only=True)
            opened = appointments.consultation(ground.hospital, [why], ground.opened.local_date + timedelta(days=1))
            slot = f"{opened.id}-0"
        assert "Avis spécialisé" in practice.browser.get("/pro/rendez-vous/choisir").text
        assert practice.book(ground, reason_id=why.id, slot=slot).status_code == 303

    def test_does_not_take_what_is_closed_to_practitioners(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            why = appointments.reason(ground.hospital.unit, "Fermé à la ville", open_to_city=False)
            opened = appointments.consultation(ground.hospital, [why], ground.opened.local_date + timedelta(days=1))
            slot = f"{opened.id}-0"
        assert "Fermé à la ville" not in practice.browser.get("/pro/rendez-vous/choisir").text
        assert practice.browser.get(f"/pro/rendez-vous/choisir-un-creneau?reason={why.id}").status_code == 404
        assert practice.book(ground, reason_id=why.id, slot=slot).status_code == 404

    def test_sees_the_times_meant_for_the_city(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            opened = db.session.get_one(ConsultationSession, ground.opened.id)
            opened.for_web, opened.for_city = 0, 0b1100
        page = practice.browser.get(f"/pro/rendez-vous/choisir-un-creneau?reason={ground.reason.id}").text
        assert str(ground.slot(2)) in page
        assert str(ground.slot(0)) not in page
        assert practice.book(ground, 2).status_code == 303

    def test_that_lost_its_time_keeps_what_was_typed(self, practice: Practice, ground: Ground) -> None:
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot())
        answer = practice.book(ground)
        assert answer.status_code == 409
        assert 'value="Ferrand"' in answer.text
        assert str(ground.slot(2)) in answer.text
        assert count(SentPatient) == 0
        assert practice.book(ground, 2).status_code == 303

    def test_does_not_tell_that_the_patient_is_elsewhere_at_that_time(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with prepared():
            other = hospitals.practitioner(ground.hospital.unit, "20000000001")
            opened = appointments.consultation(
                ground.hospital, [ground.reason], ground.opened.local_date, practitioner=other
            )
            slot = f"{opened.id}-0"
        answer = practice.book(ground, patient=str(rows(SentPatient)[0].id), slot=slot)
        assert answer.status_code == 409
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot(4))
        taken = practice.book(ground, 4)
        assert heading(answer) == heading(taken)

    def test_again_for_the_same_patient_describes_them_once(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        known = str(rows(SentPatient)[0].id)
        page = practice.browser.get(f"/pro/rendez-vous/confirmer?reason={ground.reason.id}&slot={ground.slot(4)}")
        assert known in page.text
        assert practice.book(ground, 4, patient=known, birth_name="", first_name="").status_code == 303
        assert (count(SentPatient), count(Appointment)) == (1, 2)
        assert len({each.patient_id for each in rows(Appointment)}) == 1

    def test_again_begins_at_what_was_booked_before(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        known = str(rows(SentPatient)[0].id)
        with prepared():
            for number in range(12):
                told = Described(f"AUTRE {number}", "Anne", TYPED_ON, "F")
                describing.describe(practice.doctor.id, ground.hospital.establishment.id, told)
        assert f"patient={known}" in practice.browser.get(f"/pro/rendez-vous/{sent_id()}").text
        assert f"patient={known}" in practice.browser.get(f"/pro/rendez-vous/choisir?patient={known}").text
        chosen = f"reason={ground.reason.id}&slot={ground.slot(4)}"
        onward = practice.browser.get(f"/pro/rendez-vous/choisir-un-creneau?{chosen}&patient={known}").location
        page = parsed(practice.browser.get(onward).text)
        assert page.xpath("//input[@name='patient'][@checked]/@value") == [known]
        assert practice.book(ground, 4, patient=known).status_code == 303

    def test_at_another_hospital_describes_them_there_too(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre")
            why = appointments.reason(elsewhere.unit)
            opened = appointments.consultation(elsewhere, [why])
            slot = f"{opened.id}-4"
        known = str(rows(SentPatient)[0].id)
        assert practice.book(ground, reason_id=why.id, slot=slot, patient=known).status_code == 303
        assert len({each.patient_id for each in rows(SentPatient)}) == 2
        page = practice.browser.get(f"/pro/rendez-vous/confirmer?reason={ground.reason.id}&slot={ground.slot(4)}")
        assert page.text.count("Odile FERRAND") == 1

    def test_twice_by_one_double_click_books_once(self, practice: Practice, ground: Ground) -> None:
        key = str(uuid4())
        first, again = practice.book(ground, once=key), practice.book(ground, once=key)
        assert first.location == again.location
        assert count(Appointment) == 1

    @pytest.mark.parametrize(
        "typed",
        [
            {"birth_name": ""}, {"birth_name": " "}, {"first_name": ""}, {"sex": "x"}, {"sex": ""},
            {"birth_on-day": "32"},
            {"birth_on-year": "2999"}, {"birth_on-year": "1800"}, {"email": "nobody"}, {"mobile": "<script>"},
            {"patient": "x"}, {"patient": ""}, {"patient": "00000000-0000-4000-8000-000000000000"},
            {"birth_name": "x" * 101},
        ],
    )  # fmt: skip
    def test_says_what_is_wrong(self, practice: Practice, ground: Ground, typed: dict[str, str]) -> None:
        answer = practice.book(ground, **typed)
        expected = 303 if "patient" in typed and typed["patient"] == "" else 422
        assert answer.status_code in (expected, 422)
        assert count(Appointment) == (1 if answer.status_code == 303 else 0)

    @pytest.mark.parametrize(
        "slot", ["", "x", "1-1", "00000000-0000-4000-8000-000000000000-0", "00000000-0000-4000-8000-000000000000-99"]
    )
    def test_makes_nothing_of_a_slot_that_is_none(self, practice: Practice, ground: Ground, slot: str) -> None:
        assert practice.book(ground, slot=slot).status_code == 404
        address = f"/pro/rendez-vous/confirmer?reason={ground.reason.id}&slot={slot}"
        assert practice.browser.get(address).status_code == 404

    def test_is_counted_apart(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        events = [(each.event, each.channel) for each in rows(kpi.KpiEvent)]
        assert ("appointment_booked", "city") in events
        all_rolled_up()
        with prepared():
            days = today() - timedelta(days=1), today() + timedelta(days=1)
            period = kpi.Period(*days, ground.hospital.establishment.id)
            figures = {code: kpi.definition(code).compute(period).value for code in ("R1", "R1c")}
        assert figures == {"R1": 0, "R1c": 1}

    def test_tells_the_patient_by_mail_when_there_is_an_address(
        self, practice: Practice, ground: Ground, work_jobs: Callable[[], None]
    ) -> None:
        practice.book(ground, email="odile@exemple.test")
        practice.book(ground, 4, birth_name="Sans-Adresse")
        work_jobs()
        (written,) = rows(Notification)
        assert written.recipient == "odile@exemple.test"
        for told in ("Cardiologie", "MERCIER", "Ferrand", "FERRAND"):
            assert told not in written.subject + written.body

    def test_asks_a_steady_number_of_statements(self, app: Flask, practice: Practice, ground: Ground) -> None:
        for path in ("", "/choisir", f"/choisir-un-creneau?reason={ground.reason.id}",
                     f"/confirmer?reason={ground.reason.id}&slot={ground.slot(6)}"):  # fmt: skip
            with executed(app) as seen:
                assert practice.browser.get(f"/pro/rendez-vous{path}").status_code == 200
            assert len(seen) <= 12, path


class TestAfterwards:
    def test_moves(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        address = f"/pro/rendez-vous/{sent_id()}/deplacer"
        assert str(ground.slot(4)) in practice.browser.get(address).text
        answer = practice.browser.post(address, data={"slot": str(ground.slot(4)), "once": str(uuid4())})
        assert answer.status_code == 303
        assert rows(Appointment)[0].start_at == ground.opened.at(4)
        assert len(rows(Claim)) == 12

    def test_does_not_move_to_a_time_that_is_taken(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with db.transaction(ground.actor):
            actions.book(ground.patient.id, ground.reason.id, ground.slot(4))
        address = f"/pro/rendez-vous/{sent_id()}/deplacer"
        for slot, status in ((ground.slot(4), 409), ("x", 404), ("", 422)):
            answer = practice.browser.post(address, data={"slot": str(slot), "once": str(uuid4())})
            assert answer.status_code == status

    def test_cancels_with_a_reason(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        address = f"/pro/rendez-vous/{sent_id()}/annuler"
        assert practice.browser.get(address).status_code == 200
        assert practice.browser.post(address, data={"why": "x"}).status_code == 422
        assert practice.browser.post(address, data={"why": "not_needed"}).status_code == 303
        assert rows(Appointment)[0].state == "cancelled"
        assert count(Claim) == 0
        assert practice.browser.get(f"/pro/rendez-vous/{sent_id()}").status_code == 200
        assert practice.browser.get(address).status_code == 302

    def test_is_too_late_within_the_cut_off(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with prepared():
            db.session.merge(ground.reason).cancel_cutoff_hours = 24 * 30
        for path, form in (
            ("annuler", {"why": "other"}),
            ("deplacer", {"slot": str(ground.slot(4)), "once": str(uuid4())}),
        ):
            address = f"/pro/rendez-vous/{sent_id()}/{path}"
            assert practice.browser.get(address).status_code == 200
            assert practice.browser.post(address, data=form).status_code == 409
        assert rows(Appointment)[0].state == "booked"

    def test_follows_when_the_hospital_moves_it(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with prepared():
            agent = people.agent(ground.hospital.establishment.id, "appointments")
        with db.transaction(people.as_agent(agent, ground.hospital.establishment.id, "appointments")):
            actions.move_for_patient(session.get_one(Appointment, sent_id()), ground.slot(6), "patient_asked")
        assert practice.browser.get(f"/pro/rendez-vous/{sent_id()}").status_code == 200
        answer = practice.browser.post(f"/pro/rendez-vous/{sent_id()}/annuler", data={"why": "other"})
        assert answer.status_code == 303
        assert count(Claim) == 0, "nothing stays taken, whoever moved it"

    def test_is_seen_by_the_hospital_with_who_sent_them(
        self, practice: Practice, ground: Ground, sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        practice.book(ground)
        with prepared():
            agent = people.agent(ground.hospital.establishment.id, "appointments")
        page = sign_in(agent).get(f"/admin/rendez-vous/{sent_id()}")
        assert page.status_code == 200
        assert practice.doctor.full_name in page.text

    def test_is_seen_by_the_patient_with_who_booked_it(
        self, practice: Practice, ground: Ground, sign_in: Callable[[Account], FlaskClient]
    ) -> None:
        practice.book(ground)
        with prepared():
            own = people.account(name="Odile FERRAND")
            people.give_access(own, session.get_one(Patient, rows(SentPatient)[0].patient_id))
        page = sign_in(own).get(f"/rendez-vous/{sent_id()}")
        assert page.status_code == 200
        assert practice.doctor.full_name in page.text


class TestSomebodyOfThePractice:
    @pytest.fixture
    def secretary(self, practice: Practice, sign_in: Callable[[Account | UUID], FlaskClient]) -> Practice:
        with prepared():
            delegate = people.professional("10000000066", "SIMON", "Léa")
            session.add(Delegation(id=uuid4(), professional_id=practice.doctor.id, delegate_id=delegate.id))
        browser = sign_in(delegate.account_id)
        with prepared():
            session.execute(
                update(WebSession)
                .where(WebSession.account_id == delegate.account_id)
                .values(on_behalf_of=practice.doctor.id)
            )
        return Practice(practice.doctor, browser)

    def test_books_and_cancels_in_the_practitioner_s_stead(
        self, practice: Practice, secretary: Practice, ground: Ground
    ) -> None:
        assert secretary.book(ground).status_code == 303
        assert rows(Appointment)[0].professional_id == practice.doctor.id
        assert practice.browser.get(f"/pro/rendez-vous/{sent_id()}").status_code == 200
        answer = practice.browser.post(f"/pro/rendez-vous/{sent_id()}/annuler", data={"why": "other"})
        assert answer.status_code == 303
        assert count(Claim) == 0, "another account booked it"

    def test_moves_what_the_practitioner_booked(self, practice: Practice, secretary: Practice, ground: Ground) -> None:
        practice.book(ground)
        form = {"slot": str(ground.slot(4)), "once": str(uuid4())}
        assert secretary.browser.post(f"/pro/rendez-vous/{sent_id()}/deplacer", data=form).status_code == 303
        assert len(rows(Claim)) == 12


class TestWhenTheHospitalFindsWhoItIs:
    def test_what_was_booked_follows_and_comes_back(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        sent = rows(SentPatient)[0]
        there = Move(ground.hospital.establishment.id, sent.patient_id, ground.patient.id, "")
        with prepared():
            moved = {room.room: room.adopt(there) for room in belongings.rooms() if room.room in _ROOMS}
        assert rows(SentPatient)[0].patient_id == rows(Appointment)[0].patient_id == ground.patient.id
        assert practice.browser.get(f"/pro/rendez-vous/{sent_id()}").status_code == 200
        assert practice.book(ground, 4, patient=str(sent.id)).status_code == 303
        assert practice.browser.post(f"/pro/rendez-vous/{sent_id()}/annuler", data={"why": "other"}).status_code == 303
        back = Move(ground.hospital.establishment.id, ground.patient.id, sent.patient_id, "", db.now())
        with prepared():
            for room in belongings.rooms():
                if room.room in moved:
                    room.release(back, moved[room.room])
        assert rows(SentPatient)[0].patient_id == sent.patient_id


class TestAnotherPractitioner:
    @pytest.fixture
    def other(self, practice: Practice, ground: Ground, sign_in: Callable[[Account | UUID], FlaskClient]) -> Practice:
        practice.book(ground)
        with prepared():
            doctor = people.professional("10000000033", "AUTRE", "Anne")
        return Practice(doctor, sign_in(doctor.account_id))

    @pytest.mark.parametrize("path", ["", "/confirme", "/annuler", "/deplacer"])
    def test_opens_nothing_of_it(self, other: Practice, path: str) -> None:
        assert other.browser.get(f"/pro/rendez-vous/{sent_id()}{path}").status_code == 404

    def test_reads_and_changes_no_row_of_it(self, other: Practice) -> None:
        with db.transaction(other.actor):
            for table in (SentPatient, SentAppointment, Appointment, Claim, Patient, PatientRecord):
                assert session.scalar(select(func.count()).select_from(table)) == 0, table
            assert session.execute(delete(Claim)).rowcount == 0
            assert session.execute(update(Appointment).values(state="cancelled")).rowcount == 0

    def test_is_offered_none_of_their_patients(self, other: Practice, ground: Ground) -> None:
        address = f"/pro/rendez-vous/confirmer?reason={ground.reason.id}&slot={ground.slot(4)}"
        assert "FERRAND" not in other.browser.get(address).text
        assert "FERRAND" not in other.browser.get(f"{address}&patient={rows(SentPatient)[0].id}").text
        assert other.book(ground, 4, patient=str(rows(SentPatient)[0].id)).status_code == 422

    def test_writes_nothing_in_their_name(self, practice: Practice, other: Practice, ground: Ground) -> None:
        sent = rows(SentPatient)[0]
        values = {column.name: getattr(sent, column.name) for column in SentPatient.__table__.columns} | {"id": uuid4()}
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(other.actor):
            session.execute(insert(SentPatient).inline().values(values))
        record = {"patient_id": ground.patient.id, "establishment_id": ground.hospital.establishment.id}
        with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(other.actor):
            session.execute(insert(PatientRecord).inline().values(record))


class TestThePractitionerThemselves:
    def test_reads_their_own_words_and_never_the_hospital_s(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with prepared():
            person = session.get_one(Patient, rows(SentPatient)[0].patient_id)
            person.birth_name, person.ins, person.identity_status = "FERRAND-VRAI", "279035121518989", "QUAL"
        page = practice.browser.get(f"/pro/rendez-vous/{sent_id()}").text
        assert "FERRAND-VRAI" not in page
        with db.transaction(practice.actor):
            assert session.scalar(select(func.count()).select_from(Patient)) == 0
            assert session.scalar(select(func.count()).select_from(PatientRecord)) == 0

    def test_gives_no_number_to_whom_they_send(self, practice: Practice, ground: Ground) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Autre").establishment.id
        with db.transaction(practice.actor):
            sent = describing.describe(
                practice.doctor.id, ground.hospital.establishment.id, Described("A", "B", TYPED_ON, "F")
            )
            patient_id = sent.patient_id
        for place, ipp in ((elsewhere, None), (elsewhere, "800777")):
            record = {"patient_id": patient_id, "establishment_id": place, "ipp": ipp}
            with pytest.raises(ProgrammingError, match="row-level security"), db.transaction(practice.actor):
                session.execute(insert(PatientRecord).inline().values(record))

    def test_does_not_change_what_they_said(self, practice: Practice, ground: Ground) -> None:
        practice.book(ground)
        with db.transaction(practice.actor):
            assert session.execute(update(SentPatient).values(birth_name="X")).rowcount == 0
            assert session.execute(delete(SentPatient)).rowcount == 0
            assert session.execute(delete(SentAppointment)).rowcount == 0


def test_the_practitioners_menu_leads_to_both_rooms(practice: Practice) -> None:
    """A card of the same code would take the other's place."""
    menu = practice.browser.get("/pro/rendez-vous").text
    assert 'href="/pro/rendez-vous"' in menu
    assert 'href="/pro"' in menu
