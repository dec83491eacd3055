"""The units' side of referrals: the tray, one request, every gesture in every state, who may, and who was quicker."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert
from sqlalchemy.exc import ProgrammingError

from auth.agents.models import StaffUnit
from auth.models import Account, Professional
from auth.news.models import News
from portal import db
from portal.notifications import Notification
from services.appointments import actions
from services.appointments.city.models import SentAppointment
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.slots import Slot
from services.preadmission.invitations.models import StayInvitation
from services.referrals import states
from services.referrals.actions import following, leaving
from services.referrals.models import Referral, ReferralMessage, ReferralOffer, ReferralTarget
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people, referrals
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows, today
from tests.statements import executed

SignIn = Callable[..., FlaskClient]
HERE = "/admin/orientations"


@dataclass
class Desk:
    north: Hospital
    south: Hospital
    offer: ReferralOffer
    elsewhere: ReferralOffer
    doctor: Professional
    agent: Account
    colleague: Account
    stranger: Account
    reason: Reason
    opened: ConsultationSession
    referral_id: UUID

    @property
    def first(self) -> ReferralTarget:
        return next(each for each in rows(ReferralTarget) if each.offer_id == self.offer.id)

    @property
    def path(self) -> str:
        return f"{HERE}/{self.first.id}"


@pytest.fixture
def desk(app: Flask) -> Desk:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        here = north.establishment.id
        offer, elsewhere = referrals.offer(north.unit), referrals.offer(south.unit, name="Consultation du Sud")
        doctor = people.professional()
        agent = people.agent(here, "referrals", "appointments", "preadmission", name="Sylvie SECRÉTAIRE")
        colleague = people.agent(here, "referrals", name="Karim COLLÈGUE")
        stranger = people.agent(south.establishment.id, "referrals", "appointments", name="Agent du Sud")
        reason = appointments.reason(north.unit)
        opened = appointments.consultation(north, [reason], today() + timedelta(days=7))
    with prepared():
        referral_id = referrals.send(doctor, offer, elsewhere).id
    return Desk(north, south, offer, elsewhere, doctor, agent, colleague, stranger, reason, opened, referral_id)


@pytest.fixture
def browser(desk: Desk, sign_in: SignIn) -> FlaskClient:
    return sign_in(desk.agent)


def _day(name: str, ahead: int) -> dict[str, str]:
    day = today() + timedelta(days=ahead)
    return {f"{name}-day": str(day.day), f"{name}-month": str(day.month), f"{name}-year": str(day.year)}


def _slot(browser: FlaskClient, desk: Desk) -> str:
    page = browser.get(f"{desk.path}/rendez-vous?motif={desk.reason.id}").text
    found = re.search(r'name="slot"[^>]*value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def _post(browser: FlaskClient, path: str, data: dict[str, Any]) -> Any:
    return browser.post(path, data={"once": str(uuid4()), **data})


# -- reading -------------------------------------------------------------------------------------------------------


def test_the_tray_shows_what_presses_and_never_names_anybody_in_an_address(browser: FlaskClient, desk: Desk) -> None:
    page = browser.get(HERE)
    assert page.status_code == 200
    assert "FERRAND" in page.text
    assert "Paul LEROY" in page.text
    assert "FERRAND" not in " ".join(re.findall(r'href="([^"]+)"', page.text))


def test_every_page_costs_a_dozen_statements_at_most(app: Flask, browser: FlaskClient, desk: Desk) -> None:
    page = desk.path
    browser.get(HERE)
    with executed(app) as seen:
        browser.get(HERE)
    assert len(seen) <= 12, "\n".join(seen)
    with executed(app) as seen:
        assert browser.get(page).status_code == 200
    assert len(seen) <= 13, "\n".join(seen)  # one of them says that it was read


def test_opening_a_request_is_written_down_and_the_practitioner_sees_it(browser: FlaskClient, desk: Desk) -> None:
    page = browser.get(desk.path)
    assert page.status_code == 200
    assert "Dyspnée" in page.text
    assert "referral.opened" in audited()
    assert desk.first.unit_seen_at is not None


def test_one_goes_through_the_requests_to_answer_forwards_and_backwards(browser: FlaskClient, desk: Desk) -> None:
    with prepared():
        referrals.send(desk.doctor, desk.offer)
    earlier, later = sorted(
        (each for each in rows(ReferralTarget) if each.offer_id == desk.offer.id), key=lambda each: each.answer_by
    )
    for unit in ("toutes", earlier.unit_id):
        first, second = (browser.get(f"{HERE}/{each.id}?unite={unit}").text for each in (earlier, later))
        assert f"{HERE}/{later.id}?" in first
        assert "Previous request to answer" not in first
        assert re.search(rf'{HERE}/{earlier.id}\?[^"]*" data-key="p"', second)
        assert "Next request to answer" not in second


def test_a_search_goes_by_post_and_finds_by_reference_and_by_name_and_day(browser: FlaskClient, desk: Desk) -> None:
    reference = rows(Referral)[0].reference
    assert "FERRAND" in _post(browser, f"{HERE}/recherche", {"words": reference.lower()}).text
    born = {"born_on-day": "3", "born_on-month": "2", "born_on-year": "1951"}
    assert "FERRAND" in _post(browser, f"{HERE}/recherche", {"words": "ferrand", **born}).text
    assert "No request found" in _post(browser, f"{HERE}/recherche", {"words": "DURAND", **born}).text
    assert _post(browser, f"{HERE}/recherche", {}).status_code == 422


@pytest.mark.parametrize("address", ["", "/rendez-vous", "/sejour", "/accepter", "/refuser", "/avis", "/demander"])
def test_an_agent_of_another_hospital_finds_nothing(desk: Desk, sign_in: SignIn, address: str) -> None:
    assert sign_in(desk.stranger).get(f"{desk.path}{address}").status_code == 404


def test_an_agent_without_the_right_does_not_come_in(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        other = people.agent(desk.north.establishment.id, "appointments", "billing")
    assert sign_in(other).get(HERE).status_code == 403
    assert sign_in(other).get(desk.path).status_code == 403


def test_the_unit_that_waits_for_its_turn_sees_nothing_yet(desk: Desk, sign_in: SignIn) -> None:
    second = next(each for each in rows(ReferralTarget) if each.offer_id == desk.elsewhere.id)
    far = sign_in(desk.stranger)
    assert far.get(f"{HERE}/{second.id}").status_code == 404
    assert "FERRAND" not in far.get(HERE).text


# -- answering -----------------------------------------------------------------------------------------------------


def test_accepting_books_the_time_and_the_practitioner_follows_it(browser: FlaskClient, desk: Desk) -> None:
    data = {"slot": _slot(browser, desk), "text": "À jeun, s’il vous plaît."}
    answer = _post(browser, f"{desk.path}/rendez-vous?motif={desk.reason.id}", data)
    assert answer.status_code == 303, answer.text
    (made,) = rows(Appointment)
    target = desk.first
    assert (target.state, target.outcome_kind, target.outcome_id) == ("accepted", "appointment", made.id)
    assert target.outcome_at == made.start_at
    assert made.patient_id == target.patient_id
    (sent,) = rows(SentAppointment)
    assert (sent.appointment_id, sent.professional_id) == (made.id, desk.doctor.id)
    assert made.professional_id == desk.doctor.id
    assert rows(ReferralMessage)[0].text == "À jeun, s’il vous plaît."


def test_a_time_that_was_taken_meanwhile_is_told_and_nothing_is_half_done(browser: FlaskClient, desk: Desk) -> None:
    slot = _slot(browser, desk)
    with prepared():
        other = people.patient("AUTRE")
        people.known_at(other, desk.north.establishment.id)
        actions.book_by_phone(other.id, desk.reason.id, Slot.parse(slot))
    answer = _post(browser, f"{desk.path}/rendez-vous?motif={desk.reason.id}", {"slot": slot})
    assert answer.status_code == 409
    assert "has just been taken" in answer.text
    assert desk.first.state == "received"
    assert count(SentAppointment) == 0
    assert count(Appointment) == 1


def test_accepting_plans_a_stay_that_the_patient_is_invited_to_prepare(browser: FlaskClient, desk: Desk) -> None:
    data = {"unit_id": str(desk.north.unit.id), "stay_kind": "inpatient", **_day("planned_on", 12)}
    answer = _post(browser, f"{desk.path}/sejour", data)
    assert answer.status_code == 303, answer.text
    (invitation,) = rows(StayInvitation)
    assert (desk.first.state, desk.first.outcome_kind, desk.first.outcome_id) == ("accepted", "stay", invitation.id)
    assert (invitation.birth_name, invitation.planned_on) == ("FERRAND", today() + timedelta(days=12))


def test_a_stay_in_the_past_is_refused_and_nothing_is_half_done(browser: FlaskClient, desk: Desk) -> None:
    data = {"unit_id": str(desk.north.unit.id), "stay_kind": "inpatient", **_day("planned_on", -2)}
    answer = _post(browser, f"{desk.path}/sejour", data)
    assert answer.status_code == 422
    assert "This day has passed" in answer.text
    assert desk.first.state == "received"
    assert count(StayInvitation) == 0


def test_a_refusal_says_why_and_what_to_do_and_the_next_unit_is_asked(
    browser: FlaskClient, desk: Desk, work_jobs: Callable[[], None]
) -> None:
    assert _post(browser, f"{desk.path}/refuser", {"why": "no_place", "advice": " "}).status_code == 422
    assert _post(browser, f"{desk.path}/refuser", {"why": "x", "advice": "Voir ailleurs"}).status_code == 422
    assert _post(browser, f"{desk.path}/refuser", {"why": "no_place", "advice": "Voir ailleurs"}).status_code == 303
    work_jobs()
    assert {each.state for each in rows(ReferralTarget)} == {"refused", "received"}


GESTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "asked": ("demander", {"text": "Merci de joindre l’ECG."}),
    "accepted": ("accepter", {"kind": "appointment"}),
    "completed by an opinion": ("avis", {"text": "Augmenter la dose."}),
    "refused": ("refuser", {"why": "not_ours", "advice": "Voir la pneumologie."}),
    "redirected": ("autre-unite", {"text": "Mieux placés."}),
    "received": ("rouvrir", {}),
    "completed": ("terminer", {}),
}


@pytest.mark.parametrize("gesture", GESTURES)
@pytest.mark.parametrize("state", sorted(set(states.TARGET) - {"", "waiting"}))
def test_each_gesture_in_each_state_moves_as_the_rules_say_or_changes_nothing(
    browser: FlaskClient, desk: Desk, state: str, gesture: str
) -> None:
    target_id = desk.first.id
    with prepared():
        db.session.get_one(ReferralTarget, target_id).state = state
    where, data = GESTURES[gesture]
    if where == "autre-unite":
        data = data | {"offer_id": str(desk.elsewhere.id)}
    answer = _post(browser, f"{HERE}/{target_id}/{where}", data)
    to = gesture.partition(" ")[0]
    allowed = to in states.TARGET[state]
    assert answer.status_code == (303 if allowed else 409), answer.text
    assert desk.first.state == (to if allowed else state)
    assert count(ReferralMessage) == (1 if allowed and to == "asked" else 0)


def test_two_agents_decide_at_once_and_one_wins(desk: Desk, sign_in: SignIn) -> None:
    one, other = sign_in(desk.agent), sign_in(desk.colleague)
    assert _post(one, f"{desk.path}/accepter", {"kind": "appointment"}).status_code == 303
    late = _post(other, f"{desk.path}/refuser", {"why": "no_place", "advice": "Voir ailleurs"})
    assert late.status_code == 409
    assert "Somebody was quicker" in late.text
    assert desk.first.state == "accepted"
    assert desk.first.decided_by_name == "Sylvie SECRÉTAIRE"


def test_only_who_books_appointments_accepts_with_one(desk: Desk, sign_in: SignIn) -> None:
    other = sign_in(desk.colleague)
    assert other.get(f"{desk.path}/rendez-vous").status_code == 403
    assert other.get(f"{desk.path}/sejour").status_code == 403
    assert "Accept and book a time" not in other.get(desk.path).text


def test_a_request_is_taken_given_and_left(browser: FlaskClient, desk: Desk) -> None:
    browser.post(f"{desk.path}/prendre")
    assert desk.first.assigned_id == desk.agent.id
    assert "FERRAND" in browser.get(f"{HERE}?bac=mine").text
    assert _post(browser, f"{desk.path}/confier", {"agent": str(desk.colleague.id)}).status_code == 303
    assert desk.first.assigned_name == "Karim COLLÈGUE"
    assert _post(browser, f"{desk.path}/confier", {"agent": str(desk.stranger.id)}).status_code == 400


def test_the_patient_is_told_once_there_is_an_answer(browser: FlaskClient, desk: Desk) -> None:
    assert _post(browser, f"{desk.path}/patient-prevenu", {"by": "post"}).status_code == 409
    assert browser.post(f"{desk.path}/lettre").status_code == 409
    _post(browser, f"{desk.path}/accepter", {"kind": "stay", **_day("day", 9)})
    letter = browser.post(f"{desk.path}/lettre")
    assert letter.status_code == 200
    assert letter.data.startswith(b"%PDF")
    assert "FERRAND" in browser.get(f"{HERE}?bac=to_tell").text
    assert _post(browser, f"{desk.path}/patient-prevenu", {"by": "account"}).status_code == 400
    assert _post(browser, f"{desk.path}/patient-prevenu", {"by": "post"}).status_code == 303
    assert desk.first.told_by == "post"
    assert "FERRAND" not in browser.get(f"{HERE}?bac=to_tell").text


def test_both_sides_write_in_one_thread(browser: FlaskClient, desk: Desk) -> None:
    assert _post(browser, f"{desk.path}/ecrire", {"text": ""}).status_code == 422
    assert _post(browser, f"{desk.path}/ecrire", {"text": "<b>Merci</b>"}).status_code == 303
    assert "&lt;b&gt;Merci" in browser.get(desk.path).text


# -- who it is -----------------------------------------------------------------------------------------------------


def test_only_the_identity_unit_says_who_it_is(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        known = people.patient("FERRAND", ("ODILE",), referrals.ODILE.birth_on)
        people.known_at(known, desk.north.establishment.id, "IPP-42")
        chief = people.agent(desk.north.establishment.id, "referrals", "identity", name="Cellule")
    other = sign_in(desk.colleague)
    page = other.get(f"{desk.path}/identite")
    assert "The identity unit decides" in page.text
    assert "IPP-42" not in page.text
    assert _post(other, f"{desk.path}/identite", {"ipp": "IPP-42"}).status_code == 403
    decider = sign_in(chief)
    assert "IPP-42" in decider.get(f"{desk.path}/identite").text
    assert _post(decider, f"{desk.path}/identite", {"ipp": "NOBODY"}).status_code == 422
    assert _post(decider, f"{desk.path}/identite", {"ipp": "IPP-42"}).status_code == 303
    assert "IPP-42" in decider.get(desk.path).text


def _follow() -> None:
    with prepared():
        following.look_at(following.agreed())


def _escalate(now: datetime) -> int:
    with prepared():
        return following.escalate_late(now)


# -- afterwards ----------------------------------------------------------------------------------------------------


def _accepted_with_appointment(browser: FlaskClient, desk: Desk) -> UUID:
    data = {"slot": _slot(browser, desk)}
    _post(browser, f"{desk.path}/rendez-vous?motif={desk.reason.id}", data)
    return rows(Appointment)[0].id


@pytest.mark.parametrize(
    ("visit", "request_state"),
    [
        ("booked", "accepted"),
        ("arrived", "completed"),
        ("done", "completed"),
        ("missed", "received"),
        ("cancelled", "received"),
    ],
)
def test_the_request_follows_the_visit_that_it_became(
    browser: FlaskClient, desk: Desk, visit: str, request_state: str
) -> None:
    appointment_id = _accepted_with_appointment(browser, desk)
    with prepared():
        db.session.get_one(Appointment, appointment_id).state = visit
    _follow()
    assert desk.first.state == request_state
    if request_state == "received":
        assert desk.first.answer_by is not None
        assert desk.first.outcome_id is None
    _follow()
    assert desk.first.state == request_state


def test_a_visit_that_moves_is_told_at_its_new_hour(browser: FlaskClient, desk: Desk) -> None:
    appointment_id = _accepted_with_appointment(browser, desk)
    with prepared():
        made = db.session.get_one(Appointment, appointment_id)
        made.start_at, made.end_at = made.start_at + timedelta(days=1), made.end_at + timedelta(days=1)
        moved_to = made.start_at
    _follow()
    assert (desk.first.state, desk.first.outcome_at) == ("accepted", moved_to)


def test_whoever_is_late_is_told_once_a_day_then_gives_way_to_the_next_unit(
    desk: Desk, work_jobs: Callable[[], None]
) -> None:
    target = desk.first
    assert target.answer_by is not None
    soon = target.answer_by + timedelta(minutes=1)
    assert _escalate(target.answer_by - timedelta(minutes=1)) == 0
    assert desk.first.escalated_at is None
    assert _escalate(soon) == 0
    assert desk.first.escalated_at == soon
    _escalate(soon + timedelta(hours=1))
    assert desk.first.escalated_at == soon, "once a day"
    assert _escalate(soon + timedelta(days=20)) == 1
    work_jobs()
    assert desk.first.state == "lapsed"
    assert {each.state for each in rows(ReferralTarget)} == {"lapsed", "received"}


def test_agents_of_a_quick_unit_are_told_at_once_and_read_nothing_of_whom(
    desk: Desk, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        place = desk.north.establishment.id
        db.session.add(StaffUnit(account_id=desk.agent.id, unit_id=desk.north.unit.id, establishment_id=place))
    work_jobs()
    (told,) = [each for each in rows(News) if each.account_id == desk.agent.id]
    assert (told.kind, told.path, told.urgent) == ("referrals", desk.path, True)


def test_whoever_heads_the_unit_is_told_by_mail_without_a_word_of_whom(
    desk: Desk, work_jobs: Callable[[], None]
) -> None:
    with prepared():
        db.session.get_one(ReferralOffer, desk.offer.id).escalate_to = "cadre@exemple.test"
    assert desk.first.answer_by is not None
    _escalate(desk.first.answer_by + timedelta(minutes=1))
    work_jobs()
    (mail,) = [each for each in rows(Notification) if each.recipient == "cadre@exemple.test"]
    assert "FERRAND" not in mail.subject + mail.body
    assert "Dyspnée" not in mail.body


def test_nobody_gives_way_when_no_other_unit_waits(desk: Desk) -> None:
    with prepared():
        second = next(each for each in db.session.get_one(Referral, desk.referral_id).targets if each.position == 1)
        second.state = "withdrawn"
    assert _escalate(db.now() + timedelta(days=90)) == 0
    assert desk.first.state == "received"


def test_a_practitioner_who_takes_it_back_leaves_nothing_to_answer(browser: FlaskClient, desk: Desk) -> None:
    with prepared():
        leaving.withdraw(db.session.get_one(Referral, desk.referral_id), "not_needed")
    assert "FERRAND" not in browser.get(HERE).text
    assert _post(browser, f"{desk.path}/accepter", {"kind": "appointment"}).status_code == 409
    assert "Taken back" in browser.get(desk.path).text


# -- in the database itself ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("who", "may"), [("agent", True), ("stranger", False), ("without", False), ("doctor", False)])
def test_only_the_unit_that_was_asked_lets_the_sender_follow_an_appointment(
    desk: Desk, browser: FlaskClient, who: str, may: bool
) -> None:
    slot, patient_id = Slot.parse(_slot(browser, desk)), desk.first.patient_id
    assert patient_id is not None
    with prepared():
        appointment_id = actions.book_by_phone(patient_id, desk.reason.id, slot).id
        other = people.professional("10000000033", "AUTRE", "Anne")
    actors = {
        "agent": people.as_agent(desk.agent, desk.north.establishment.id, "referrals"),
        "stranger": people.as_agent(desk.stranger, desk.south.establishment.id, "referrals"),
        "without": people.as_agent(desk.agent, desk.north.establishment.id, "appointments"),
        "doctor": people.as_professional(other),
    }
    sent_id = desk.first.sent_patient_id
    row = {"appointment_id": appointment_id, "sent_patient_id": sent_id, "professional_id": desk.doctor.id}
    try:
        with db.transaction(actors[who]):
            db.session.execute(insert(SentAppointment).inline(), [row])
    except ProgrammingError:
        assert not may
    assert count(SentAppointment) == (1 if may else 0)
