"""A unit closes: what is open there passes to the unit that was chosen, or goes back with a word, and nothing is left
behind."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from structlog.testing import capture_logs

from admin import actions_structure as structure
from admin import closings
from admin.actions_structure import Afterwards
from auth.models import Account, Professional
from portal import db
from portal.db import session
from portal.establishments import Site, Unit, UnitClosing
from portal.notifications import Notification
from services.appointments.models import Reason
from services.appointments.requests import actions as requests
from services.appointments.requests.models import AppointmentRequest, RequestMessage
from services.appointments.waiting import actions as waiting
from services.appointments.waiting.models import WaitingEntry
from services.appointments.wishes import Wishes
from services.documents.exchanges.models import Exchange, ExchangeMessage
from services.lines.models import Callback, Line
from services.preadmission.models import Preadmission
from services.questionnaires.models import SentQuestionnaire
from services.referrals.models import ReferralOffer, ReferralTarget
from tests.admin.test_hospital_structure import BASE, SignIn, _day
from tests.conftest import Database
from tests.english import in_english as in_english
from tests.factories import (
    appointments,
    documents,
    hospitals,
    lines,
    people,
    preadmission,
    questionnaires,
    referrals,
)
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today

GONE = "Le service a fermé. Appelez le 01 99 00 10 00."
Sent = tuple[type[Any], UUID]


@dataclass(frozen=True)
class Ward:
    """A unit with one of each open in its trays, and another unit of the hospital."""

    where: Hospital
    unit: Unit
    heir: Unit
    doctor: Professional

    def close(self, heir: Unit | None, *, unit: Unit | None = None, days_ago: int = 1) -> None:
        """As the administrator did, some days before."""
        with prepared():
            member = session.get_one(Unit, (unit or self.unit).id)
            last_on = today() - timedelta(days=days_ago)
            structure.close(member, last_on, Afterwards(heir.id if heir else None, GONE))

    def is_ready(self) -> None:
        """The other unit takes and gives the same."""
        with prepared():
            referrals.offer(session.get_one(Unit, self.heir.id))
            appointments.reason(session.get_one(Unit, self.heir.id))


@pytest.fixture
def ward(app: Flask) -> Ward:
    with prepared():
        where = hospitals.hospital(phone="01 99 00 10 00")
        heir = hospitals.unit(where.establishment, where.site, "1002", "Médecine")
        doctor = people.professional()
        referrals.send(doctor, referrals.offer(where.unit))
        account, person = people.patient_with_account()
        why = appointments.reason(where.unit)
        documents.exchange(where.unit, doctor, ("professional", doctor.full_name, "Un avis ?"))
        said = (("professional", doctor.full_name, "Un avis ?"), ("unit", "Inès", "Le voici."))
        documents.exchange(where.unit, doctor, *said, subject="Réponse")
        for each in (where.establishment, where.site, where.unit, heir, doctor, person, why):
            session.refresh(each)  # read by tests once this transaction is over
    wishes = Wishes([(today(), today() + timedelta(days=30))])
    with db.transaction(people.as_patient(account, person)):
        requests.send(person.id, requests.Asked(session.get_one(Unit, where.unit.id), None, wishes, "06 39 98 00 00"))
        waiting.enter(person.id, session.get_one(Reason, why.id), waiting.Asked(Wishes(), 24))
    return Ward(where, where.unit, heir, doctor)


def _trays() -> dict[str, set[tuple[UUID | None, str]]]:
    """Where everything is, and how it stands."""
    kinds: tuple[type[Any], ...] = (ReferralTarget, AppointmentRequest, WaitingEntry, Exchange)
    return {kind.__tablename__: {(each.unit_id, each.state) for each in rows(kind)} for kind in kinds}


def test_what_is_open_is_counted_and_leads_to_its_trays_before_the_unit_closes(ward: Ward, sign_in: SignIn) -> None:
    with prepared():
        agent = people.agent(ward.where.establishment.id, "administration", "referrals", "appointments", "documents")
    browser = sign_in(agent)
    page = f"{BASE}/unites/{ward.unit.id}/fermer"
    assert "Cardiologie has closed. Call 01 99 00 10 00" in browser.get(page).text
    shown = browser.post(page, data=_day(today()) | {"message": GONE, "heir_id": str(ward.heir.id)})
    for words, address in (
        ("Referrals that wait for an answer", f"/admin/orientations?unite={ward.unit.id}"),
        ("Requests for appointments that are open", f"?unit={ward.unit.id}"),
        ("Patients on the waiting list", f"?unit={ward.unit.id}"),
        ("Exchanges of messages that are not closed", f"/admin/documents/echanges?unite={ward.unit.id}"),
    ):
        assert f'{address}">{words}</a>: ' in shown.text
    assert "Exchanges of messages that are not closed</a>: 2" in shown.text
    sure = _day(today()) | {"message": GONE, "heir_id": str(ward.heir.id), "confirm": "1001"}
    assert browser.post(page, data=sure).status_code == 303
    assert [(each.heir_id, each.message) for each in rows(UnitClosing)] == [(ward.heir.id, GONE)]
    assert "passes to: Médecine" in browser.get(f"{BASE}/unites/{ward.unit.id}").text
    assert GONE in browser.get(page).text


def test_everything_passes_to_the_unit_that_was_chosen(ward: Ward) -> None:
    ward.is_ready()
    before = {name: {state for _unit, state in each} for name, each in _trays().items()}
    ward.close(ward.heir)
    closings.hand_over()
    assert _trays() == {name: {(ward.heir.id, state) for state in states} for name, states in before.items()}
    passed = ("referral.handed_over", "appointment_request.transferred", "waiting_entry.handed_over")
    lines = audited()
    assert [lines.count(each) for each in (*passed, "exchange.handed_over")] == [1, 1, 1, 2]
    closings.hand_over()
    assert audited() == lines


def test_nothing_moves_before_the_last_day_is_over(ward: Ward) -> None:
    before = _trays()
    ward.close(ward.heir, days_ago=0)
    closings.hand_over()
    assert _trays() == before


def test_without_anybody_to_take_over_each_goes_back_with_a_word(ward: Ward, work_jobs: Callable[[], None]) -> None:
    ward.close(None)
    closings.hand_over()
    assert {name: {state for _unit, state in each} for name, each in _trays().items()} == {
        "referral_target": {"refused"},
        "appointment_request": {"refused"},
        "waiting_entry": {"ended"},
        "exchange": {"closed"},
    }
    (target,), (request,) = rows(ReferralTarget), rows(AppointmentRequest)
    assert (target.why, target.advice, target.decided_by_name) == ("closed", GONE, "")
    assert request.refusal_reason == "unit_closed"
    assert [(each.text, each.from_staff, each.by_name) for each in rows(RequestMessage) if each.text == GONE] == [
        (GONE, True, "")
    ]
    assert [(each.sender, each.author_name) for each in rows(ExchangeMessage) if each.text == GONE] == [
        ("unit", "Cardiologie")  # whoever had the last word of the unit already is not written to again
    ]
    work_jobs()
    told = {each.subject for each in rows(Notification)}  # in the reader's language
    assert {"Your place on a waiting list has ended", "Votre place sur une liste d’attente a pris fin"} & told


def test_what_the_other_unit_does_not_do_goes_back(ward: Ward) -> None:
    ward.close(ward.heir)
    closings.hand_over()
    assert {name: {state for _unit, state in each} for name, each in _trays().items()} == {
        "referral_target": {"refused"},
        "appointment_request": {"sent"},
        "waiting_entry": {"ended"},
        "exchange": {"received", "delivered"},
    }


def test_a_unit_that_has_closed_too_passes_on_what_it_was_to_take(ward: Ward) -> None:
    with prepared():
        last = hospitals.unit(ward.where.establishment, ward.where.site, "1003", "Gériatrie")
    ward.close(ward.heir, days_ago=9)
    ward.close(last, unit=ward.heir, days_ago=2)
    closings.hand_over()
    assert {each.unit_id for each in rows(AppointmentRequest)} == {last.id}


def test_units_that_name_each_other_give_back(ward: Ward) -> None:
    ward.close(ward.heir, days_ago=9)
    with prepared():
        session.add(
            UnitClosing(
                unit_id=ward.heir.id, establishment_id=ward.heir.establishment_id, heir_id=ward.unit.id, message=GONE
            )
        )
        session.get_one(Unit, ward.heir.id).closes_on = today() - timedelta(days=2)
    closings.hand_over()
    assert {each.state for each in rows(AppointmentRequest)} == {"refused"}


def test_what_comes_after_the_last_day_does_not_stay_either(ward: Ward) -> None:
    ward.is_ready()
    ward.close(ward.heir)
    closings.hand_over()
    with prepared():
        doctor = session.get_one(Professional, ward.doctor.id)
        there = session.scalars(select(ReferralOffer).where(ReferralOffer.unit_id == ward.unit.id)).one()
        referrals.send(doctor, there)
    closings.hand_over()
    assert {each.unit_id for each in rows(ReferralTarget)} == {ward.heir.id}


def test_what_breaks_does_not_keep_the_others_and_is_tried_again(ward: Ward, database: Database) -> None:
    """The database refuses one of them for a reason that nobody foresaw."""
    ward.is_ready()
    ward.close(ward.heir)
    with psycopg.connect(database.superuser_url, autocommit=True) as owner:
        owner.execute(
            "create function refuse() returns trigger language plpgsql as $$begin raise 'unforeseen'; end$$;"
            "create trigger refuse before update on referral_target for each row execute function refuse()"
        )
        try:
            with capture_logs() as said:
                closings.hand_over()
        finally:
            owner.execute("drop function refuse() cascade")
    assert {each.unit_id for each in rows(ReferralTarget)} == {ward.unit.id}
    others = {name: {unit for unit, _state in each} for name, each in _trays().items() if name != "referral_target"}
    assert set.union(*others.values()) == {ward.heir.id}
    assert [(each["event"], each["kind"]) for each in said] == [("hospitals.not_handed_over", "referral_target")]
    closings.hand_over()
    assert {each.unit_id for each in rows(ReferralTarget)} == {ward.heir.id}


@dataclass(frozen=True)
class Rooms:
    """What else is open at the unit: files, questionnaires, a line with somebody who waits for its call."""

    later: UUID
    draft: UUID
    soon: UUID
    planned: UUID
    asked: UUID
    alert: UUID
    line: UUID
    call: UUID


@pytest.fixture
def rooms(ward: Ward) -> Rooms:
    with prepared():
        unit = session.get_one(Unit, ward.unit.id)
        _account, person = people.patient_with_account()
        later = preadmission.preadmission(person, unit, "in_review", agent="Nadia KHELIFI")
        draft = preadmission.preadmission(person, unit)
        soon = preadmission.preadmission(person, unit, "submitted", planned_on=today() - timedelta(days=3))
        planned = preadmission.preadmission(person, unit, "submitted")
        planned.origin = "hospital"
        form = questionnaires.questionnaire(ward.where.establishment.id)
        other = questionnaires.questionnaire(ward.where.establishment.id, questionnaires.ONE_MONTH)
        asked = questionnaires.sent(person, unit, form)
        alert = questionnaires.sent(person, unit, other)
        alert.state, alert.alert, alert.answer_version, alert.answered_at = "answered", "open", 1, db.now()
        line = lines.line(unit)
        call = lines.callback(line, session.get_one(Professional, ward.doctor.id))
        return Rooms(later.id, draft.id, soon.id, planned.id, asked.id, alert.id, line.id, call.id)


def _at(kind: type[Any], key: UUID) -> Any:
    with prepared():
        return session.get_one(kind, key)


class TestOtherRooms:
    """Files of later stays, questionnaires, practitioners who wait for a call."""

    def test_they_are_counted_before_the_unit_closes(self, ward: Ward, rooms: Rooms, sign_in: SignIn) -> None:
        with prepared():
            agent = people.agent(ward.where.establishment.id, "administration", "preadmission", "referrals", "care")
        page = f"{BASE}/unites/{ward.unit.id}/fermer"
        shown = sign_in(agent).post(page, data=_day(today()) | {"message": GONE, "heir_id": ""}).text
        for words in (
            f'/admin/pre-admissions?unite={ward.unit.id}">Pre-admissions for stays after that day</a>: 3',
            '/admin/lignes-directes/rappels">Practitioners who wait to be called back</a>: 1',
            f'/admin/questionnaires?unit={ward.unit.id}">Questionnaires that wait for answers, or for somebody to'
            " see to an alert</a>: 2",
            '/admin/lignes-directes">Direct lines</a>: 1',
        ):
            assert words in shown

    def test_they_pass_to_the_unit_that_was_chosen(self, ward: Ward, rooms: Rooms) -> None:
        with prepared():
            instead = lines.line(session.get_one(Unit, ward.heir.id), number="0199001299").id
        ward.close(ward.heir)
        closings.hand_over()
        files = [_at(Preadmission, key) for key in (rooms.later, rooms.draft, rooms.planned)]
        assert [(each.unit_id, each.state) for each in files] == [
            (ward.heir.id, "in_review"), (ward.heir.id, "draft"), (ward.heir.id, "submitted"),
        ]  # fmt: skip
        assert _at(Preadmission, rooms.soon).unit_id == ward.unit.id
        for key, state in ((rooms.asked, "waiting"), (rooms.alert, "answered")):
            sent = _at(SentQuestionnaire, key)
            assert (sent.unit_id, sent.state) == (ward.heir.id, state)
        call, line = _at(Callback, rooms.call), _at(Line, rooms.line)
        assert (call.unit_id, call.line_id, call.state) == (ward.heir.id, instead, "asked")
        assert (line.is_open, line.closed_note, line.alternative_id) == (False, GONE, instead)
        lines_ = audited()
        passed = ("preadmission.handed_over", "questionnaire.handed_over", "callback.handed_over", "line.closed")
        assert [lines_.count(each) for each in passed] == [3, 2, 1, 1]
        closings.hand_over()
        assert audited() == lines_

    def test_they_go_back_with_a_word_when_nobody_takes_over(self, ward: Ward, rooms: Rooms) -> None:
        ward.close(None)
        closings.hand_over()
        later, draft = _at(Preadmission, rooms.later), _at(Preadmission, rooms.draft)
        assert (later.state, later.decision_reason) == ("refused", GONE)
        assert (draft.state, draft.decision_reason) == ("cancelled_by_hospital", GONE)
        planned = _at(Preadmission, rooms.planned)  # the hospital's system says what becomes of its own stays
        assert (planned.unit_id, planned.state) == (ward.unit.id, "submitted")
        assert _at(SentQuestionnaire, rooms.asked).state == "withdrawn"
        alert = _at(SentQuestionnaire, rooms.alert)  # somebody must still see to it
        assert (alert.state, alert.alert) == ("answered", "open")
        call, line = _at(Callback, rooms.call), _at(Line, rooms.line)
        assert (call.state, line.is_open, line.closed_note) == ("lapsed", False, GONE)
        lines_ = audited()
        assert {"preadmission.refused", "preadmission.cancelled_there", "questionnaire.withdrawn"} <= set(lines_)
        assert lines_.count("callback.turned_away") == 1
        closings.hand_over()
        assert audited() == lines_

    def test_stays_of_the_hospital_wait_when_whoever_took_over_has_closed_too(self, ward: Ward, rooms: Rooms) -> None:
        ward.close(ward.heir, days_ago=2)
        ward.close(None, unit=ward.heir)
        closings.hand_over()
        assert _at(Preadmission, rooms.later).state == "refused"
        planned = _at(Preadmission, rooms.planned)
        assert (planned.unit_id, planned.state) == (ward.unit.id, "submitted")

    def test_a_line_that_named_another_one_of_the_unit_leads_to_whoever_takes_over(
        self, ward: Ward, rooms: Rooms
    ) -> None:
        with prepared():
            instead = lines.line(session.get_one(Unit, ward.heir.id), number="0199001299").id
            beside = lines.line(session.get_one(Unit, ward.unit.id), number="0199001298").id
            session.get_one(Line, rooms.line).alternative_id = beside
        ward.close(ward.heir)
        closings.hand_over()
        assert [_at(Line, key).alternative_id for key in (rooms.line, beside)] == [instead, instead]

    def test_a_unit_without_a_line_that_calls_back_gives_the_calls_back(self, ward: Ward, rooms: Rooms) -> None:
        with prepared():
            lines.line(session.get_one(Unit, ward.heir.id), takes_callbacks=False)
        ward.close(ward.heir)
        closings.hand_over()
        assert _at(Callback, rooms.call).state == "lapsed"

    def test_those_concerned_read_it(self, ward: Ward, rooms: Rooms, sign_in: SignIn) -> None:
        ward.close(None)
        closings.hand_over()
        with prepared():
            doctor = session.get_one(Account, session.get_one(Professional, ward.doctor.id).account_id)
        assert GONE in sign_in(doctor).get(f"/pro/lignes-directes/rappels/{rooms.call}").text


class TestChoosing:
    @pytest.fixture
    def browser(self, ward: Ward, sign_in: SignIn) -> FlaskClient:
        with prepared():
            administrator = people.agent(ward.where.establishment.id, "administration")
        return sign_in(administrator)

    def test_a_unit_that_closes_first_takes_nothing_over(self, ward: Ward, browser: FlaskClient) -> None:
        with prepared():
            session.get_one(Unit, ward.heir.id).closes_on = today() + timedelta(days=1)
        said = _day(today() + timedelta(days=1)) | {"heir_id": str(ward.heir.id), "message": GONE, "confirm": "1001"}
        answer = browser.post(f"{BASE}/unites/{ward.unit.id}/fermer", data=said)
        assert answer.status_code == 422
        assert "This unit closes too" in answer.text
        assert not count(UnitClosing)

    def test_another_hospital_s_unit_takes_nothing_over(self, ward: Ward, browser: FlaskClient) -> None:
        with prepared():
            elsewhere = hospitals.hospital("990000025", "Ailleurs").unit
        said = _day(today()) | {"heir_id": str(elsewhere.id), "message": GONE, "confirm": "1001"}
        assert browser.post(f"{BASE}/unites/{ward.unit.id}/fermer", data=said).status_code == 422
        with prepared(), pytest.raises(structure.ElsewhereInGroup):
            structure.close(session.get_one(Unit, ward.unit.id), today(), Afterwards(elsewhere.id, GONE))

    def test_a_word_is_always_left(self, ward: Ward, browser: FlaskClient) -> None:
        said = _day(today()) | {"heir_id": "", "message": " ", "confirm": "1001"}
        answer = browser.post(f"{BASE}/unites/{ward.unit.id}/fermer", data=said)
        assert answer.status_code == 422
        assert "Write what they are told." in answer.text

    def test_units_of_a_site_pass_to_a_unit_of_another_site(self, ward: Ward, browser: FlaskClient) -> None:
        with prepared():
            annexe = hospitals.site(ward.where.establishment, "990000066", "Annexe")
            other = hospitals.unit(ward.where.establishment, annexe, "2001", "Hôpital de jour")
        page = f"{BASE}/sites/{ward.where.site.id}/fermer"
        offered = browser.get(page).text
        assert str(other.id) in offered
        assert str(ward.heir.id) not in offered
        said = _day(today()) | {"heir_id": str(other.id), "message": GONE, "confirm": "990000017"}
        assert browser.post(page, data=said).status_code == 303
        assert {each.unit_id: each.heir_id for each in rows(UnitClosing)} == {
            ward.unit.id: other.id, ward.heir.id: other.id,
        }  # fmt: skip

    def test_what_was_chosen_is_forgotten_with_the_last_day(self, ward: Ward, browser: FlaskClient) -> None:
        ward.close(ward.heir, days_ago=-3)
        assert browser.post(f"{BASE}/unites/{ward.unit.id}/rouvrir").status_code == 303
        assert not count(UnitClosing)


def test_another_hospital_s_administrators_do_not_see_what_was_chosen(ward: Ward) -> None:
    ward.close(ward.heir)
    with prepared():
        other = hospitals.hospital("990000025", "Ailleurs").establishment.id
        here = ward.where.establishment.id
        stranger = people.as_agent(people.agent(other, "administration"), other, "administration")
        ours = people.as_agent(people.agent(here, "administration"), here, "administration")
        clerk = people.as_agent(people.agent(here, "appointments"), here, "appointments")
    for actor, seen in ((stranger, 0), (clerk, 0), (ours, 1)):
        with db.transaction(actor):
            assert len(session.scalars(select(UnitClosing)).all()) == seen
    assert count(Site) == 2
