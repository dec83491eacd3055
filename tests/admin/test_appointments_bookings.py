"""Bookings by agents: from a free time, beyond what is free, twice by mistake, now, and moved."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from auth.models import PatientAccess
from portal import db
from portal.db import session
from services.appointments import actions
from services.appointments.models import Appointment, AppointmentChange, Reason, SessionReason
from services.appointments.slots import Slot
from tests.admin.desk import Desk, once, running
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.ground import audited, prepared
from tests.statements import executed

MOST_STATEMENTS = 12

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    with prepared():
        where = hospitals.hospital(phone="01 99 00 00 00")
        why = appointments.reason(where.unit, bookable_online=False)
        opened = appointments.consultation(where, [why])
        caller = people.patient("LE GOFF", ("Soizic",), date(1951, 2, 28), mobile="+33639980042")
        people.known_at(caller, where.establishment.id, "8000042")
        agent = people.agent(where.establishment.id, "appointments", name="Bruno Castelain")
    return Desk(where, why, opened, caller, sign_in(agent))


def _all() -> list[Appointment]:
    with prepared():
        return list(session.scalars(select(Appointment).order_by(Appointment.booked_at)))


def _somebody_at(desk: Desk, cell: int = 0) -> Appointment:
    """Another patient has this time."""
    with prepared():
        other = people.patient("AUTRE")
        people.known_at(other, desk.hospital.establishment.id)
        return actions.book_by_phone(other.id, desk.reason.id, Slot(desk.opened.id, cell))


# -- a time pointed at in an agenda ------------------------------------------------------------------------------


def _cell(desk: Desk, cell: int = 0) -> str:
    return f"/admin/rendez-vous/nouveau/{desk.patient.id}/motif?slot={desk.opened.id}-{cell}"


def _book_cell(desk: Desk, cell: int = 0, **more: str) -> TestResponse:
    form = once(desk.agent.get(_cell(desk, cell))) | {"reason": str(desk.reason.id)} | more
    return desk.agent.post(_cell(desk, cell), data=form)


def test_from_a_free_time_to_the_appointment(desk: Desk) -> None:
    slot = f"{desk.opened.id}-2"
    search = {"establishment": str(desk.hospital.establishment.id), "ipp": "8000042"}
    found = desk.agent.post(f"/admin/rendez-vous/nouveau?slot={slot}", data=search)
    assert _cell(desk, 2) in found.text, "the time is kept while the person is found"
    answer = _book_cell(desk, 2)
    assert answer.status_code == 303
    (made,) = _all()
    assert (made.patient_id, made.first_cell, made.channel, made.beyond) == (desk.patient.id, 2, "phone", False)
    assert "give the patient the reference" in desk.agent.get(answer.location).text, "nobody can be written to"


def test_somebody_new_keeps_the_time_too(desk: Desk) -> None:
    slot, hospital = f"{desk.opened.id}-2", desk.hospital.establishment.id
    address = f"/admin/rendez-vous/nouveau/patient?slot={slot}"
    form = once(desk.agent.get(f"{address}&establishment={hospital}"))
    new = {"establishment": str(hospital), "birth_name": "NEUF", "first_name": "Ana", "birth_on-day": "1",
           "birth_on-month": "6", "birth_on-year": "1990", "sex": "F"}  # fmt: skip
    answer = desk.agent.post(address, data=form | new)
    assert f"slot={slot}" in answer.location
    assert desk.agent.get(answer.location).status_code == 200


def test_the_same_post_twice_books_once(desk: Desk) -> None:
    form = once(desk.agent.get(_cell(desk))) | {"reason": str(desk.reason.id)}
    first, second = (desk.agent.post(_cell(desk), data=form) for _ in range(2))
    assert first.location == second.location
    assert len(_all()) == 1


def test_going_beyond_what_is_free_says_what_it_exceeds_and_waits_for_a_yes(desk: Desk) -> None:
    _somebody_at(desk)
    page = _book_cell(desk)
    assert page.status_code == 409
    assert "1 patient is already expected at that time" in page.text
    assert len(_all()) == 1, "nothing is booked by asking"
    assert _book_cell(desk, beyond="y").status_code == 303
    made = _all()[-1]
    assert (made.patient_id, made.beyond) == (desk.patient.id, True)
    assert "appointment.overbooked" in audited()
    assert "In addition" in desk.agent.get(f"/admin/rendez-vous/{made.id}").text


def test_saying_yes_to_a_time_that_is_free_after_all_is_no_overbooking(desk: Desk) -> None:
    assert _book_cell(desk, beyond="y").status_code == 303
    assert [one.beyond for one in _all()] == [False]


def test_what_is_kept_wanting_or_closed_is_said(desk: Desk) -> None:
    with prepared():
        other = people.patient("AUTRE")
        actions.keep_for(
            other.id, desk.reason.id, Slot(desk.opened.id, 0), db.now() + timedelta(minutes=20), "proposal"
        )
        session.execute(update(Reason).values(grid_min=60))
    assert "kept for somebody" in _book_cell(desk, 0).text
    assert "usually begins every 60 minutes" in _book_cell(desk, 6).text


def test_what_no_yes_can_make_possible_is_refused(desk: Desk) -> None:
    assert "Nothing can be booked at this time" in desk.agent.get(_cell(desk, 11)).text
    form = once(desk.agent.get(_cell(desk))) | {"reason": str(desk.reason.id), "beyond": "y"}
    page = desk.agent.post(_cell(desk, 11), data=form)
    assert page.status_code == 409
    assert _all() == []


def test_a_past_time_is_not_booked(desk: Desk) -> None:
    with prepared():
        opened = running(desk.hospital, [desk.reason])
    address = f"/admin/rendez-vous/nouveau/{desk.patient.id}/motif?slot={opened.id}-0"
    assert "Nothing can be booked at this time" in desk.agent.get(address).text
    form = once(desk.agent.get(_cell(desk))) | {"reason": str(desk.reason.id), "beyond": "y"}
    assert desk.agent.post(address, data=form).status_code == 409
    assert _all() == []


def test_a_session_that_has_its_fill_of_a_reason_says_so(desk: Desk) -> None:
    with prepared():
        session.execute(update(SessionReason).values(most=1, taken=1))
    assert "1 booked of 1" in desk.agent.get(_cell(desk)).text


@pytest.mark.parametrize("slot", ["x", "00000000-0000-4000-8000-000000000000-0", ""])
def test_a_forged_time_does_not_exist(desk: Desk, slot: str) -> None:
    assert desk.agent.get(f"/admin/rendez-vous/nouveau/{desk.patient.id}/motif?slot={slot}").status_code == 404


def test_a_time_of_another_hospital_does_not_exist(desk: Desk) -> None:
    with prepared():
        far = hospitals.hospital("990000025", "Autre hôpital")
        theirs = appointments.consultation(far, [appointments.reason(far.unit)])
    for page in (f"nouveau?slot={theirs.id}-0", f"nouveau/{desk.patient.id}/motif?slot={theirs.id}-0"):
        assert desk.agent.get(f"/admin/rendez-vous/{page}").status_code == 404


def test_a_reason_of_another_session_is_refused(desk: Desk) -> None:
    with prepared():
        stranger = appointments.reason(desk.hospital.unit, "Ailleurs")
    assert _book_cell(desk, reason=str(stranger.id)).status_code == 404


# -- booked twice by mistake -------------------------------------------------------------------------------------


def test_a_second_appointment_on_the_same_day_asks_again(desk: Desk) -> None:
    desk.book(0)
    page = _book_cell(desk, 4)
    assert page.status_code == 409
    assert "On the same day" in page.text
    assert _book_cell(desk, 4, anyway="y").status_code == 303
    assert len(_all()) == 2


def test_a_second_appointment_for_the_same_reason_asks_again(desk: Desk) -> None:
    with prepared():
        later = appointments.consultation(desk.hospital, [desk.reason], desk.opened.local_date + timedelta(days=9))
        actions.book_by_phone(desk.patient.id, desk.reason.id, Slot(later.id, 0))
    address = f"/admin/rendez-vous/nouveau/{desk.patient.id}?reason={desk.reason.id}"
    page = desk.agent.get(address)
    assert "1 appointment to come already" in page.text
    form = once(page) | {"slot": f"{desk.opened.id}-0"}
    asked = desk.agent.post(address, data=form)
    assert asked.status_code == 409
    assert "For the same reason" in asked.text
    assert desk.agent.post(address, data=form | {"anyway": "y"}).status_code == 303


def test_the_very_same_time_is_refused_at_once(desk: Desk) -> None:
    desk.book(0)
    page = _book_cell(desk, 1, beyond="y")
    assert page.status_code == 409
    assert "already has an appointment at that time" in page.text


# -- somebody without an appointment -----------------------------------------------------------------------------


def _now(desk: Desk) -> str:
    return f"/admin/rendez-vous/nouveau/{desk.patient.id}/maintenant?unit={desk.hospital.unit.id}"


def test_whoever_comes_without_an_appointment_is_received_and_there(desk: Desk) -> None:
    with prepared():
        opened = running(desk.hospital, [desk.reason])
    assert "Choose a reason" in desk.agent.get(_now(desk)).text
    page = desk.agent.get(f"{_now(desk)}&reason={desk.reason.id}")
    free = page.text.split('value="free:')[1].split('"')[0]
    answer = desk.agent.post(f"{_now(desk)}&reason={desk.reason.id}", data=once(page) | {"place": f"free:{free}"})
    assert answer.status_code == 303
    (made,) = _all()
    assert (made.channel, made.state, made.session_id, made.beyond) == ("walk_in", "arrived", opened.id, False)
    assert made.arrived_at is not None
    assert "Without appointment" in desk.agent.get(desk.day_of(made)).text


def test_when_nothing_is_free_they_are_received_in_addition(desk: Desk) -> None:
    with prepared():
        opened = running(desk.hospital, [desk.reason])
        session.execute(update(type(opened)).where(type(opened).id == opened.id).values(free=0))
    page = desk.agent.get(f"{_now(desk)}&reason={desk.reason.id}")
    assert 'value="free:' not in page.text
    beyond = page.text.split('value="beyond:')[1].split('"')[0]
    post = f"{_now(desk)}&reason={desk.reason.id}"
    assert desk.agent.post(post, data=once(page) | {"place": f"free:{beyond}"}).status_code == 409
    assert desk.agent.post(post, data=once(page) | {"place": f"beyond:{beyond}"}).status_code == 303
    assert [(one.channel, one.beyond) for one in _all()] == [("walk_in", True)]


def test_nobody_receives_now(desk: Desk) -> None:
    assert "Nobody receives for this reason now" in desk.agent.get(f"{_now(desk)}&reason={desk.reason.id}").text


@pytest.mark.parametrize(("place", "status"), [("", 422), ("free:x", 404), ("x", 404)])
def test_a_forged_place_is_refused(desk: Desk, place: str, status: int) -> None:
    with prepared():
        running(desk.hospital, [desk.reason])
    address = f"{_now(desk)}&reason={desk.reason.id}"
    key = once(desk.agent.get(address))
    assert desk.agent.post(address, data=key | {"place": place}).status_code == status


# -- another time ------------------------------------------------------------------------------------------------


def _move(desk: Desk, made: Appointment, cell: int = 4, **more: str) -> TestResponse:
    address = f"/admin/rendez-vous/{made.id}/deplacer"
    form = once(desk.agent.get(address)) | {"slot": f"{desk.opened.id}-{cell}", "why": "patient_asked"} | more
    return desk.agent.post(address, data=form)


def test_an_agent_moves_an_appointment_and_says_why(desk: Desk) -> None:
    made = desk.book()
    assert _move(desk, made).status_code == 303
    (moved,) = _all()
    assert (moved.id, moved.first_cell) == (made.id, 4)
    with prepared():
        why = session.scalars(select(AppointmentChange.reason).where(AppointmentChange.reason != "")).all()
    assert why == ["patient_asked"]
    page = desk.agent.get(f"/admin/rendez-vous/{made.id}").text
    assert "Moved" in page
    assert "Bruno Castelain" in page


def test_a_move_needs_a_time_and_a_motive(desk: Desk) -> None:
    made = desk.book()
    assert _move(desk, made, why="boredom").status_code == 422
    assert _move(desk, made, slot="").status_code == 422
    assert _move(desk, made, slot="x").status_code == 404
    assert [one.first_cell for one in _all()] == [0]


def test_a_time_taken_meanwhile_leaves_the_appointment_where_it_was(desk: Desk) -> None:
    made = desk.book()
    address = f"/admin/rendez-vous/{made.id}/deplacer"
    form = once(desk.agent.get(address)) | {"slot": f"{desk.opened.id}-4", "why": "patient_asked"}
    _somebody_at(desk, 4)
    page = desk.agent.post(address, data=form)
    assert page.status_code == 409
    assert "just been taken" in page.text
    assert _all()[0].first_cell == 0


def test_moving_what_a_colleague_cancelled_says_so(desk: Desk) -> None:
    made = desk.book()
    address = f"/admin/rendez-vous/{made.id}/deplacer"
    form = once(desk.agent.get(address)) | {"slot": f"{desk.opened.id}-4", "why": "patient_asked"}
    desk.agent.post(f"/admin/rendez-vous/{made.id}/annuler", data={"why": "unit_closed"})
    answer = desk.agent.post(address, data=form)
    assert "had changed meanwhile: “Cancelled”" in desk.agent.get(answer.location).text
    assert desk.agent.get(address).status_code == 303, "nor does the page open any more"


# -- one patient -------------------------------------------------------------------------------------------------


def test_a_patient_s_page_has_their_visits_at_the_agent_s_hospitals_alone(desk: Desk) -> None:
    made = desk.book()
    with prepared():
        far = hospitals.hospital("990000025", "Hôpital lointain")
        why = appointments.reason(far.unit, "Motif lointain")
        elsewhere = appointments.consultation(far, [why], desk.opened.local_date + timedelta(days=1))
        actions.book_by_phone(desk.patient.id, why.id, Slot(elsewhere.id, 0))
    page = desk.agent.get(f"/admin/rendez-vous/patients/{desk.patient.id}").text
    assert f"/admin/rendez-vous/{made.id}" in page
    assert "Motif lointain" not in page
    assert audited()[-1] == "appointment_list.opened"


def test_a_stranger_s_page_does_not_exist(desk: Desk) -> None:
    with prepared():
        stranger = people.patient("INCONNU")
    assert desk.agent.get(f"/admin/rendez-vous/patients/{stranger.id}").status_code == 404


def test_those_who_act_for_a_child_are_named(desk: Desk) -> None:
    with prepared():
        parent = people.account(name="Marie LE GOFF")
        session.add(PatientAccess(account_id=parent.id, patient_id=desk.patient.id, relation="parent"))
    page = desk.agent.get(f"/admin/rendez-vous/patients/{desk.patient.id}").text
    assert "Marie LE GOFF acts for them (parent)" in page


def test_what_is_hidden_from_proxies_is_said_to_be(desk: Desk) -> None:
    made = desk.book()
    with prepared():
        session.get_one(Appointment, made.id).masked = True
    assert "Speak of it to the patient alone" in desk.agent.get(f"/admin/rendez-vous/{made.id}").text


def test_pages_are_thrifty(app: Flask, desk: Desk) -> None:
    made = [desk.book(cell) for cell in (0, 2, 4)]
    for page in (
        _cell(desk, 6), f"/admin/rendez-vous/patients/{desk.patient.id}", f"/admin/rendez-vous/{made[0].id}/deplacer",
        f"{_now(desk)}&reason={desk.reason.id}", f"/admin/rendez-vous/nouveau?slot={desk.opened.id}-6",
    ):  # fmt: skip
        with executed(app) as statements:
            assert desk.agent.get(page).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, page + "\n".join(statements)
