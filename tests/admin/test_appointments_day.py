"""The desk's day: agendas with what is free, kept and full; arrivals; no-shows; the end of the day."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from portal import db
from portal.audit import AuditEvent
from portal.db import session
from portal.kpi import KpiEvent
from services.appointments import actions
from services.appointments.models import Appointment, AppointmentChange, Hold
from services.appointments.slots import Slot
from tests.admin.desk import Desk, cell_of, running
from tests.english import in_english as in_english
from tests.factories import appointments, hospitals, people
from tests.ground import audited, prepared, zone_at
from tests.statements import executed

MOST_STATEMENTS = 12
AGENDAS = 40

SignIn = Callable[..., FlaskClient]


@pytest.fixture
def desk(app: Flask, sign_in: SignIn) -> Desk:
    return _desk(sign_in)


def _desk(sign_in: SignIn, time_zone: str = "Europe/Paris") -> Desk:
    with prepared():
        where = hospitals.hospital(phone="01 99 00 00 00", time_zone=time_zone)
        why = appointments.reason(where.unit, bookable_online=False)
        opened = appointments.consultation(where, [why])
        caller = people.patient("LE GOFF", ("Soizic",), date(1951, 2, 28), mobile="+33639980042")
        people.known_at(caller, where.establishment.id, "8000042")
        agent = people.agent(where.establishment.id, "appointments", name="Bruno Castelain")
    return Desk(where, why, opened, caller, sign_in(agent))


@pytest.fixture
def visit(desk: Desk) -> Appointment:
    """Somebody was expected half an hour ago."""
    return _expected(desk, timedelta(minutes=-40))


def _expected(desk: Desk, shift: timedelta, **facts: object) -> Appointment:
    with prepared():
        opened = running(desk.hospital, [desk.reason])
        return appointments.past(desk.patient, desk.reason, opened, cell_of(opened, db.now() + shift), **facts)


def _now(visit: Appointment) -> Appointment:
    with prepared():
        return session.get_one(Appointment, visit.id)


# -- what the list shows -----------------------------------------------------------------------------------------


def test_a_line_says_who_how_to_call_them_and_why_they_come(desk: Desk) -> None:
    made = desk.book(2)
    page = desk.agent.get(desk.day).text
    for shown in ("Soizic LE GOFF", "8000042", "06 39 98 00 42", "Consultation de suivi", "Phone", "Expected"):
        assert shown in page
    assert f'href="/admin/rendez-vous/{made.id}"' in page


def test_free_times_are_those_that_may_be_booked_and_lead_to_a_booking(desk: Desk) -> None:
    desk.book(2)
    page = desk.agent.get(desk.day).text
    offered = [cell for cell in range(desk.opened.n_cells) if f'?slot={desk.opened.id}-{cell}"' in page]
    assert offered[0] == 0
    assert 3 not in offered
    assert 4 in offered
    assert desk.opened.n_cells - 1 not in offered, "the last quarter is too short for half an hour"
    assert desk.agent.get(f"/admin/rendez-vous/nouveau?slot={desk.opened.id}-4").status_code == 200


def test_each_practitioner_has_an_agenda_even_without_patients(desk: Desk) -> None:
    with prepared():
        colleague = hospitals.practitioner(desk.hospital.unit, "10000000025", "TRAN", "Minh")
        appointments.consultation(desk.hospital, [desk.reason], practitioner=colleague)
    page = desk.agent.get(desk.day).text
    assert "Dre Hélène MERCIER" in page
    assert "Dre Minh TRAN" in page


def test_a_time_kept_for_somebody_is_not_free_and_says_until_when(desk: Desk, sign_in: SignIn) -> None:
    with prepared():
        actions.keep_for(
            desk.patient.id, desk.reason.id, Slot(desk.opened.id, 0), db.now() + timedelta(minutes=20), "proposal"
        )
    page = desk.agent.get(desk.day).text
    assert "Kept until" in page
    assert "Proposed to a patient" in page
    assert f'?slot={desk.opened.id}-0"' not in page


def test_a_hold_that_ended_is_not_shown(desk: Desk) -> None:
    with prepared():
        actions.keep_for(
            desk.patient.id, desk.reason.id, Slot(desk.opened.id, 0), db.now() + timedelta(minutes=20), "proposal"
        )
        session.execute(update(Hold).values(expires_at=db.now()))
    assert "Kept until" not in desk.agent.get(desk.day).text


def test_somebody_added_and_somebody_hidden_from_their_proxies_are_marked(desk: Desk) -> None:
    desk.book(0)
    with prepared():
        other = people.patient("AUTRE")
        people.known_at(other, desk.hospital.establishment.id)
        made = actions.book_by_phone(other.id, desk.reason.id, Slot(desk.opened.id, 0), beyond=True)
        made.masked, made.channel = True, "city"
    page = desk.agent.get(desk.day).text
    for mark in ("In addition", "Confidential", "City practitioner"):
        assert mark in page


def test_cancelled_visits_are_shown_to_those_who_ask(desk: Desk) -> None:
    made = desk.book()
    with prepared():
        actions.cancel_for_patient(session.get_one(Appointment, made.id), "unit_closed")
    assert "LE GOFF" not in desk.agent.get(desk.day).text
    assert "LE GOFF" in desk.agent.get(f"{desk.day}&state=cancelled").text


def test_the_list_narrows_to_a_practitioner_and_to_a_state(desk: Desk) -> None:
    desk.book()
    with prepared():
        colleague = hospitals.practitioner(desk.hospital.unit, "10000000025", "TRAN", "Minh")
        appointments.consultation(desk.hospital, [desk.reason], practitioner=colleague)
    alone = desk.agent.get(f"{desk.day}&practitioner={colleague.id}").text
    assert "LE GOFF" not in alone
    assert "Dre Minh TRAN" in alone
    assert "LE GOFF" not in desk.agent.get(f"{desk.day}&state=missed").text
    free = desk.agent.get(f"{desk.day}&state=free").text
    assert "LE GOFF" not in free
    assert "?slot=" in free


@pytest.mark.parametrize("odd", ["practitioner=x", "state=x", "practitioner=00000000-0000-4000-8000-000000000000"])
def test_odd_filters_are_forgiven(desk: Desk, odd: str) -> None:
    assert desk.agent.get(f"{desk.day}&{odd}").status_code == 200


def test_the_last_unit_looked_at_is_remembered(desk: Desk) -> None:
    with prepared():
        other = hospitals.unit(desk.hospital.establishment, desk.hospital.site, "1002", "Zoologie")
        appointments.reason(other)
    assert "Cardiologie: list of the day" in desk.agent.get("/admin/rendez-vous").text
    desk.agent.get(f"/admin/rendez-vous?unit={other.id}")
    assert "Zoologie: list of the day" in desk.agent.get("/admin/rendez-vous").text


def test_the_present_moment_is_drawn_in_a_day_that_runs(app: Flask, sign_in: SignIn) -> None:
    desk = _desk(sign_in, zone_at(12))
    page = desk.agent.get(desk.day_of(_expected(desk, timedelta(minutes=-40)))).text
    assert page.count('class="app-agenda__now"') == 1
    assert 'class="app-agenda__now"' not in desk.agent.get(desk.day).text


def test_forty_agendas_ask_the_database_no_more_than_one(app: Flask, desk: Desk) -> None:
    with prepared():
        for number in range(AGENDAS):
            doctor = hospitals.practitioner(desk.hospital.unit, f"2{number:010d}", f"NOM {number}", "Prénom")
            opened = appointments.consultation(desk.hospital, [desk.reason], practitioner=doctor)
            person = people.patient(f"PATIENT {number}")
            people.known_at(person, desk.hospital.establishment.id)
            appointments.booked(person, desk.reason, opened, 2)
    for page in ("", "/semaine", "/imprimer", "/tableur", "/fin-de-journee"):
        with executed(app) as statements:
            assert desk.agent.get(desk.day.replace("?", f"{page}?", 1)).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


# -- arrivals ----------------------------------------------------------------------------------------------------


def test_somebody_arrives_is_called_in_and_is_seen(desk: Desk, visit: Appointment) -> None:
    for gesture, state in (("arrive", "arrived"), ("call_in", "arrived"), ("finish", "done")):
        answer = desk.say(gesture, visit)
        assert answer.location.endswith(f"#v-{visit.id}"), "back to the same line"
        assert _now(visit).state == state
    done = _now(visit)
    assert done.arrived_at is not None
    assert done.called_at is not None
    assert {"appointment.arrived", "appointment.called_in", "appointment.finished"} <= set(audited())
    with prepared():
        events = set(session.scalars(select(KpiEvent.event)))
        authors = set(session.scalars(select(AppointmentChange.by_name).where(AppointmentChange.to_state != "booked")))
    assert {"appointment_arrived", "appointment_finished"} <= events
    assert authors == {"Bruno Castelain"}


def test_what_was_said_by_mistake_is_taken_back(desk: Desk, visit: Appointment) -> None:
    desk.say("arrive", visit)
    desk.say("correct", visit)
    again = _now(visit)
    assert (again.state, again.arrived_at, again.missed_because) == ("booked", None, "")


def test_two_agents_at_once_the_second_is_told_what_the_first_said(desk: Desk, visit: Appointment) -> None:
    desk.say("arrive", visit)
    answer = desk.say("arrive", visit)
    assert "had changed meanwhile: “Arrived”" in desk.agent.get(answer.location).text
    with prepared():
        arrivals = select(AppointmentChange).where(AppointmentChange.to_state == "arrived")
        assert len(session.scalars(arrivals).all()) == 1


def test_nobody_arrives_next_week(desk: Desk) -> None:
    made = desk.book()
    answer = desk.say("arrive", made)
    assert "too early" in desk.agent.get(answer.location).text
    assert desk.say("finish", made).status_code == 303
    assert _now(made).state == "booked"
    assert f'name="arrive" value="{made.id}"' not in desk.agent.get(desk.day).text, "nor is it proposed"


@pytest.mark.parametrize("posted", [{}, {"arrive": "x"}, {"explode": "00000000-0000-4000-8000-000000000000"},
                                    {"arrive": "00000000-0000-4000-8000-000000000000"}])  # fmt: skip
def test_a_forged_gesture_does_nothing(desk: Desk, posted: dict[str, str]) -> None:
    assert desk.agent.post("/admin/rendez-vous/accueil", data=posted).status_code in (400, 404)


def test_a_gesture_of_another_hospital_does_not_reach_it(desk: Desk, visit: Appointment, sign_in: SignIn) -> None:
    with prepared():
        far = hospitals.hospital("990000025", "Autre hôpital")
        appointments.reason(far.unit)
        colleague = people.agent(far.establishment.id, "appointments")
    stranger = sign_in(colleague)
    assert stranger.post("/admin/rendez-vous/accueil", data={"arrive": str(visit.id)}).status_code == 404
    assert stranger.post(f"/admin/rendez-vous/{visit.id}/absent", data={"why": "unknown"}).status_code == 404
    assert _now(visit).state == "booked"


# -- those who did not come --------------------------------------------------------------------------------------


def test_a_no_show_has_a_motive(desk: Desk, visit: Appointment) -> None:
    address = f"/admin/rendez-vous/{visit.id}/absent"
    assert desk.agent.post(address, data={"why": "laziness"}).status_code == 422
    assert desk.agent.post(address, data={"why": "transport"}).status_code == 303
    missed = _now(visit)
    assert (missed.state, missed.missed_because) == ("missed", "transport")
    with prepared():
        event = session.scalars(select(KpiEvent).where(KpiEvent.event == "appointment_missed")).one()
    assert event.dimension == "transport"
    assert "Transport" in desk.agent.get(desk.day_of(visit)).text


def test_nobody_fails_to_come_before_the_time(desk: Desk) -> None:
    made = desk.book()
    assert desk.agent.post(f"/admin/rendez-vous/{made.id}/absent", data={"why": "unknown"}).status_code == 303
    assert _now(made).state == "booked"


def test_the_desk_is_reminded_of_past_visits_without_an_answer(desk: Desk, visit: Appointment) -> None:
    with prepared():
        session.execute(update(Appointment).values(end_at=db.now() - timedelta(minutes=1)))
    page = desk.agent.get(desk.day).text
    assert "what became of these visits" in page
    assert desk.day_of(visit, "/fin-de-journee").replace("&", "&amp;") in page
    desk.agent.post(f"/admin/rendez-vous/{visit.id}/absent", data={"why": "unknown"})
    assert "what became of these visits" not in desk.agent.get(desk.day).text


def _over(desk: Desk, count: int = 3) -> list[Appointment]:
    """Visits that are over, of one session."""
    made = []
    with prepared():
        opened = running(desk.hospital, [desk.reason])
        for number in range(count):
            person = people.patient(f"PATIENT {number}")
            people.known_at(person, desk.hospital.establishment.id)
            made.append(appointments.past(person, desk.reason, opened, 2 * number))
    return made


@pytest.mark.parametrize("state", ["done", "missed"])
def test_a_day_is_ended_at_once_for_those_who_were_named(desk: Desk, state: str) -> None:
    first, second, third = _over(desk)
    page = desk.agent.get(desk.day_of(first, "/fin-de-journee"))
    assert page.text.count("checked") == 3
    answer = desk.agent.post(
        desk.day_of(first, "/fin-de-journee"), data={"visits": [str(first.id), str(second.id)], "state": state}
    )
    assert answer.status_code == 303
    assert [_now(each).state for each in (first, second, third)] == [state, state, "booked"]
    assert "2 visits written down" in desk.agent.get(answer.location).text


def test_whoever_answered_meanwhile_is_right(desk: Desk) -> None:
    first, second, _third = _over(desk)
    desk.agent.post(f"/admin/rendez-vous/{first.id}/absent", data={"why": "transport"})
    form = {"visits": [str(first.id), str(second.id)], "state": "done"}
    answer = desk.agent.post(desk.day_of(first, "/fin-de-journee"), data=form)
    assert [_now(first).state, _now(second).state] == ["missed", "done"]
    assert "1 had changed meanwhile" in desk.agent.get(answer.location).text


@pytest.mark.parametrize(("form", "status"), [
    ({"state": "done"}, 422), ({"visits": ["x"], "state": "done"}, 404), ({"visits": ["x"], "state": "cancelled"}, 422),
])  # fmt: skip
def test_an_empty_or_forged_end_of_day_is_refused(desk: Desk, form: dict[str, object], status: int) -> None:
    (first,) = _over(desk, 1)
    assert desk.agent.post(desk.day_of(first, "/fin-de-journee"), data=form).status_code == status


def test_the_end_of_a_day_reaches_no_other_unit_and_no_future_visit(desk: Desk) -> None:
    (theirs,), later = _over(desk, 1), desk.book()
    with prepared():
        ward = hospitals.unit(desk.hospital.establishment, desk.hospital.site, "1002", "Zoologie")
        appointments.reason(ward)
    form = {"visits": [str(theirs.id)], "state": "done"}
    desk.agent.post(f"/admin/rendez-vous/fin-de-journee?unit={ward.id}", data=form)
    desk.agent.post(f"{desk.day.replace('?', '/fin-de-journee?')}", data=form | {"visits": [str(later.id)]})
    assert [_now(theirs).state, _now(later).state] == ["booked", "booked"]


def test_a_day_without_anything_left_to_say_says_so(desk: Desk) -> None:
    assert "Nothing is left to say" in desk.agent.get(desk.day.replace("?", "/fin-de-journee?")).text


# -- on paper, in a spreadsheet, in a week -----------------------------------------------------------------------


def test_the_sheet_of_the_day_has_all_that_a_desk_without_a_portal_needs(desk: Desk) -> None:
    made = desk.book()
    page = desk.agent.get(desk.day.replace("?", "/imprimer?"))
    for shown in ("Soizic LE GOFF", "8000042", "06 39 98 00 42", "Consultation de suivi", "Printed by Bruno Castelain"):
        assert shown in page.text
    assert _lines("appointment_list.printed") == [(desk.hospital.unit.id, {"day": desk.opened.local_date.isoformat()})]
    assert made.reference not in page.text


def test_the_spreadsheet_has_a_line_for_each_visit_and_is_audited(desk: Desk) -> None:
    made = desk.book()
    with prepared():
        session.get_one(Appointment, made.id).patient.used_name = "=CMD()"
    answer = desk.agent.get(desk.day.replace("?", "/tableur?"))
    assert answer.mimetype == "text/csv"
    (_headers, line) = answer.data.decode("utf-8-sig").strip().split("\r\n")
    assert made.reference in line
    assert "LE GOFF" in line
    assert "'=CMD()" in line
    assert [object_id for object_id, _ in _lines("appointment_list.downloaded")] == [desk.hospital.unit.id]


def _lines(action: str) -> list[tuple[UUID | None, dict[str, object]]]:
    with prepared():
        rows = session.execute(select(AuditEvent.object_id, AuditEvent.details).where(AuditEvent.action == action))
        return [(object_id, details) for object_id, details in rows]


def test_a_week_says_how_full_each_day_is(desk: Desk) -> None:
    desk.book()
    page = desk.agent.get(desk.day.replace("?", "/semaine?")).text
    assert "1 patient" in page
    assert "17% full" in page
    assert "2 h 30 free" in page
    assert "LE GOFF" not in page, "counts, not names"
    assert desk.day.replace("&", "&amp;") in page, "each day leads to its list"


def test_a_practitioner_s_week_has_names_and_is_audited(desk: Desk) -> None:
    desk.book()
    page = desk.agent.get(f"{desk.day.replace('?', '/semaine?')}&practitioner={desk.hospital.practitioner.id}").text
    assert "LE GOFF" in page
    assert [sorted(details) for _, details in _lines("appointment_list.opened")] == [["day", "until"]]


@pytest.mark.parametrize("page", ["", "/semaine"])
def test_a_hospital_without_reasons_says_so_on_each_page(app: Flask, sign_in: SignIn, page: str) -> None:
    with prepared():
        bare = hospitals.hospital()
        agent = people.agent(bare.establishment.id, "appointments")
    assert "No unit takes appointments" in sign_in(agent).get(f"/admin/rendez-vous{page}").text
