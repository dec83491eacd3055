"""Agents make agendas, see what would change before it does, and place again those whom an absence leaves stranded."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal import db
from portal.db import session
from portal.establishments import Establishment
from services.appointments.agendas.models import Absence, CallToMake, SchoolHoliday, SessionTemplate, TemplateDay
from services.appointments.models import Appointment, AppointmentChange, ConsultationSession, Reason
from tests.english import in_english as in_english
from tests.factories import agendas, appointments, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.statements import executed

MOST_STATEMENTS = 12


@dataclass(frozen=True)
class Desk:
    hospital: Hospital
    reason: Reason
    day: date
    agent: FlaskClient

    @property
    def new(self) -> str:
        return f"/admin/agendas/modeles/nouveau?unit={self.hospital.unit.id}"

    def typed(self, **other: str) -> dict[str, str]:
        return {
            "practitioner": str(self.hospital.practitioner.id), "weekday": str(self.day.weekday()), "opens": "09:00",
            "closes": "12:00", "step": "15", "rhythm": "w1", "first_on": self.day.isoformat(), "last_on": "",
            "capacity": "1", "room": "", "reasons": str(self.reason.id), "school_holidays": "any", "online": "all",
            "city": "all", "on_public_holidays": "y",
        } | other  # fmt: skip


@pytest.fixture
def desk(app: Flask, sign_in: Callable[..., FlaskClient]) -> Desk:
    with prepared():
        where = hospitals.hospital()
        why = appointments.reason(where.unit)
        agent = people.agent(where.establishment.id, "appointments", name="Bruno Castelain")
        day = agendas.next_day(where, 1)
    return Desk(where, why, day, sign_in(agent))


def _once(page: TestResponse) -> dict[str, str]:
    found = re.search(r'name="once"[^>]*value="([^"]+)"', page.text)
    assert found
    return {"once": found[1]}


def _post(desk: Desk, address: str, typed: dict[str, str], **more: str) -> TestResponse:
    return desk.agent.post(address, data=typed | _once(desk.agent.get(address)) | more)


def _published(desk: Desk, **other: str) -> SessionTemplate:
    assert _post(desk, desk.new, desk.typed(**other), confirm="1").status_code == 303
    return rows(SessionTemplate)[-1]


def test_nothing_is_published_before_it_was_seen(desk: Desk) -> None:
    page = _post(desk, desk.new, desk.typed())
    assert page.status_code == 200
    assert "Nothing is changed yet" in page.text
    assert count(SessionTemplate) == count(ConsultationSession) == 0
    published = desk.agent.post(desk.new, data=desk.typed() | _once(page) | {"confirm": "1"})
    assert published.location.endswith(f"/admin/agendas/praticiens/{desk.hospital.practitioner.id}")
    assert count(ConsultationSession) > 50
    assert "session_template.published" in audited()
    week = desk.agent.get(published.location)
    assert "09:00–12:00" in week.text


def test_one_may_go_back_from_the_preview_to_what_was_typed(desk: Desk) -> None:
    page = _post(desk, desk.new, desk.typed(closes="12:30"))
    again = desk.agent.post(desk.new, data=desk.typed(closes="12:30") | _once(page) | {"back": "1"})
    assert again.status_code == 200
    assert 'value="12:30' in again.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": ""}, {"closes": "12:07"}, {"closes": "09:10"}, {"capacity": "0"}, {"reasons": ""}, {"weekday": "9"},
        {"online": "part"}, {"step": "7"}, {"last_on": "2020-01-01"}, {"first_on": "x"}, {"release_days": "-1"},
        {"opens": "00:00", "closes": "23:55", "step": "5"}, {"practitioner": "x"}, {"rhythm": "m9"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(desk: Desk, wrong: dict[str, str]) -> None:
    page = _post(desk, desk.new, desk.typed(**wrong), confirm="1")
    assert page.status_code == 422
    assert count(SessionTemplate) == 0


def test_how_many_of_a_reason_at_most(desk: Desk) -> None:
    assert _post(desk, desk.new, desk.typed(**{f"most-{desk.reason.id}": "x"}), confirm="1").status_code == 422
    _published(desk, **{f"most-{desk.reason.id}": "3"})
    page = desk.agent.get(f"/admin/agendas?unit={desk.hospital.unit.id}")
    assert "3 at most" in page.text


def test_a_preview_names_those_who_would_be_stranded(desk: Desk) -> None:
    made = _published(desk)
    expected = _booked(desk)
    address = f"/admin/agendas/modeles/{made.id}"
    page = _post(desk, address, desk.typed(closes="11:00"))
    assert expected.patient.full_name in page.text
    assert "stranded_list.opened" in audited()
    assert rows(SessionTemplate)[0].closes == time(12)
    assert _post(desk, address, desk.typed(closes="11:00"), confirm="1").status_code == 303
    assert expected.patient.full_name in desk.agent.get("/admin/agendas/a-replacer").text


def _booked(desk: Desk, cell: int = 10, name: str = "MARCHAND") -> Appointment:
    with prepared():
        opened = session.scalars(select(ConsultationSession).where(ConsultationSession.local_date == desk.day)).one()
        made = appointments.booked(people.patient(name, mobile="+33639980001"), desk.reason, opened, cell)
        assert made.patient.full_name
        return made


def test_a_copy_starts_from_the_other_template(desk: Desk) -> None:
    made = _published(desk, closes="11:45")
    page = desk.agent.get(f"{desk.new}&copy={made.id}")
    assert 'value="11:45' in page.text


def test_one_day_is_closed_and_follows_the_rule_again(desk: Desk) -> None:
    made = _published(desk)
    address = f"/admin/agendas/modeles/{made.id}/jours"
    typed = {"day": desk.day.isoformat(), "how": "closed"}
    assert "Nothing is changed yet" in _post(desk, address, typed).text
    assert count(TemplateDay) == 0
    assert _post(desk, address, typed, confirm="1").status_code == 303
    assert "Follow the rule again" in desk.agent.get(address).text
    assert desk.agent.post(f"{address}/{desk.day}/oublier").status_code == 303
    assert count(TemplateDay) == 0
    assert desk.agent.post(f"{address}/nimporte/oublier").status_code == 404


@pytest.mark.parametrize("wrong", [{"day": ""}, {"day": "2020-01-01"}, {"how": ""}, {"opens": "09:03"}])
def test_a_day_that_makes_no_sense_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    made = _published(desk)
    typed = {"day": desk.day.isoformat(), "how": "open"} | wrong
    assert _post(desk, f"/admin/agendas/modeles/{made.id}/jours", typed, confirm="1").status_code == 422


# -- absences ----------------------------------------------------------------------------------------------------


def _away(desk: Desk, **other: str) -> dict[str, str]:
    return {
        "whom": f"practitioner_id:{desk.hospital.practitioner.id}", "first_on": desk.day.isoformat(),
        "last_on": desk.day.isoformat(), "why": "illness",
    } | other  # fmt: skip


def _announced(desk: Desk) -> str:
    return _post(desk, "/admin/agendas/absences/nouvelle", _away(desk), confirm="1").location


def test_an_absence_is_shown_then_announced_and_its_patients_moved_together(desk: Desk) -> None:
    _published(desk)
    first, second = _booked(desk, 0, "PREMIER"), _booked(desk, 2, "SECONDE")
    page = _post(desk, "/admin/agendas/absences/nouvelle", _away(desk))
    assert "PREMIER" in page.text
    assert count(Absence) == 0
    listed = desk.agent.get(_announced(desk))
    assert "2 patients to place again" in listed.text
    chosen = {f"slot-{each.id}": _proposed(listed.text, each) for each in (first, second)}
    assert len(set(chosen.values())) == 2, "nobody is proposed first what is proposed first to somebody else"
    back = desk.agent.post(
        "/admin/agendas/a-replacer", data={"what": "move", "who": [str(first.id), str(second.id)], **chosen}
    )
    assert back.status_code == 303
    with prepared():
        for each in (first, second):
            moved = session.get_one(Appointment, each.id)
            assert moved.start_at.date() != desk.day
            assert f"{moved.session_id}-{moved.first_cell}" == chosen[f"slot-{each.id}"]
    assert "Everybody has a place" in desk.agent.get(listed.request.path).text


def _proposed(page: str, appointment: Appointment) -> str:
    found = re.search(rf'name="slot-{appointment.id}"><option value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_time_taken_meanwhile_is_said_and_the_others_are_moved(desk: Desk) -> None:
    _published(desk)
    first, second = _booked(desk, 0, "PREMIER"), _booked(desk, 2, "SECONDE")
    page = desk.agent.get(_announced(desk))
    same = _proposed(page.text, first)
    back = desk.agent.post(
        "/admin/agendas/a-replacer",
        data={
            "what": "move", "who": [str(first.id), str(second.id)], f"slot-{first.id}": same, f"slot-{second.id}": same,
        },
        follow_redirects=True,
    )  # fmt: skip
    assert "1 patient is moved" in back.text
    assert "1 patient could not be moved" in back.text


def test_who_is_moved_because_a_unit_is_closed_is_told_so(desk: Desk) -> None:
    _published(desk)
    one = _booked(desk)
    away = _away(desk, whom=f"unit_id:{desk.hospital.unit.id}", why="works")
    address = _post(desk, "/admin/agendas/absences/nouvelle", away, confirm="1").location
    slot = _proposed(desk.agent.get(address).text, one)
    chosen = {"what": "move", "who": str(one.id), f"slot-{one.id}": slot, "absence": address.rpartition("/")[2]}
    assert desk.agent.post("/admin/agendas/a-replacer", data=chosen).location.endswith(address)
    assert [each.reason for each in rows(AppointmentChange) if each.from_state == "booked"] == ["unit_closed"]


def test_patients_are_called_and_leave_the_list_when_they_have_a_place(desk: Desk) -> None:
    _published(desk)
    one = _booked(desk)
    _announced(desk)
    desk.agent.post("/admin/agendas/a-replacer", data={"what": "call", "who": str(one.id)})
    page = desk.agent.get("/admin/agendas/appels")
    assert "1 call left" in page.text
    assert one.patient.mobile in page.text
    call = rows(CallToMake)[0]
    desk.agent.post(f"/admin/agendas/appels/{call.id}", data={"state": "no_answer"})
    desk.agent.post(f"/admin/agendas/appels/{call.id}", data={"state": "left_message"})
    page = desk.agent.get("/admin/agendas/appels")
    assert "Message left" in page.text
    assert "2 tries" in page.text
    desk.agent.post(
        "/admin/agendas/a-replacer", data={"what": "cancel", "who": str(one.id), "why": "practitioner_absent"}
    )
    assert "Nobody to call" in desk.agent.get("/admin/agendas/appels").text
    assert {"call_to_patient.listed", "call_to_patient.no_answer", "call_to_patient.left_message"} <= set(audited())


def test_an_absence_that_ends_sooner_gives_the_time_back(desk: Desk) -> None:
    _published(desk)
    _booked(desk)
    address = _announced(desk)
    assert desk.agent.post(f"{address}/fin", data={"day": ""}).status_code == 422
    assert desk.agent.post(f"{address}/fin", data={"day": desk.day.isoformat()}).status_code == 303
    assert "Everybody has a place" in desk.agent.get("/admin/agendas/a-replacer").text
    assert desk.agent.post(f"{address}/fin", data={"day": desk.day.isoformat()}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"whom": ""}, {"whom": "unit_id:x"}, {"first_on": ""}, {"last_on": "2020-01-01"}, {"why": "holiday"},
     {"begins": "12:00", "ends": "11:00"}],
)  # fmt: skip
def test_an_absence_that_makes_no_sense_is_refused(desk: Desk, wrong: dict[str, str]) -> None:
    page = _post(desk, "/admin/agendas/absences/nouvelle", _away(desk, **wrong), confirm="1")
    assert page.status_code == 422
    assert count(Absence) == 0


@pytest.mark.parametrize("what", [{"what": "move"}, {"what": "x", "who": "x"}, {}])
def test_nothing_is_done_for_nobody(desk: Desk, what: dict[str, str]) -> None:
    assert desk.agent.post("/admin/agendas/a-replacer", data=what).status_code == 303
    assert desk.agent.post("/admin/agendas/a-replacer", data={"what": "move", "who": "x"}).status_code == 404


# -- holidays ----------------------------------------------------------------------------------------------------


def test_an_administrator_says_when_the_hospital_works(desk: Desk, sign_in: Callable[..., FlaskClient]) -> None:
    place = desk.hospital.establishment
    address = f"/admin/agendas/jours-feries/{place.id}"
    asked = {"holidays": "alsace-moselle", "school_zone": "B", "opens_at": "08:30", "closes_at": "18:00"}
    assert desk.agent.post(address, data=asked).status_code == 403
    with prepared():
        boss = people.agent(place.id, "appointments", "administration", name="Dina Directrice")
    browser = sign_in(boss)
    assert browser.post(address, data=asked).status_code == 303
    assert browser.post(address, data=asked | {"holidays": "mars"}).status_code == 422
    for opens_at, closes_at in (("08:30", ""), ("08:30", "25:00"), ("08:30", "08:00"), ("08:30", "09:29"),
                                ("23:30", "23:30"), ("23:10", "23:15")):  # fmt: skip
        refused = browser.post(address, data=asked | {"opens_at": opens_at, "closes_at": closes_at})
        assert refused.status_code == 422
    period = {"name": "Printemps", "first_on": "2031-04-12", "last_on": "2031-04-27"}
    assert browser.post(f"{address}/vacances", data=period).status_code == 303
    assert browser.post(f"{address}/vacances", data=period | {"last_on": "2031-04-01"}).status_code == 422
    page = browser.get("/admin/agendas/jours-feries")
    assert "Printemps" in page.text
    assert "December 26" in page.text
    assert "Offices open from 08:30 to 18:00" in page.text
    one_working_day = datetime(2031, 4, 7, 8, tzinfo=UTC)
    with prepared():
        office = db.session.get_one(Establishment, place.id).office
        assert office.worked(one_working_day, one_working_day + timedelta(days=1)) == timedelta(hours=9.5)
    one = rows(SchoolHoliday)[-1]
    assert browser.post(f"{address}/vacances/{one.id}/oublier").status_code == 303
    assert "holidays.changed" in audited()


# -- who sees what -----------------------------------------------------------------------------------------------


def test_agents_of_another_hospital_find_nothing(desk: Desk, sign_in: Callable[..., FlaskClient]) -> None:
    made = _published(desk)
    one = _booked(desk)
    address = _announced(desk)
    desk.agent.post("/admin/agendas/a-replacer", data={"what": "call", "who": str(one.id)})
    call = rows(CallToMake)[0]
    with prepared():
        far = hospitals.hospital("990000025", "Autre hôpital")
        colleague = people.agent(far.establishment.id, "appointments", name="Zoé Ailleurs")
    stranger = sign_in(colleague)
    for path in (address, f"/admin/agendas/modeles/{made.id}", f"/admin/agendas/modeles/{made.id}/jours",
                 f"/admin/agendas/praticiens/{desk.hospital.practitioner.id}",
                 f"/admin/agendas?unit={desk.hospital.unit.id}"):  # fmt: skip
        assert stranger.get(path).status_code == 404, path
    assert stranger.post(f"/admin/agendas/appels/{call.id}", data={"state": "reached"}).status_code == 404
    for path in ("/admin/agendas/a-replacer", "/admin/agendas/appels", "/admin/agendas/absences"):
        assert "MARCHAND" not in stranger.get(path).text
    stranger.post("/admin/agendas/a-replacer", data={"what": "cancel", "who": str(one.id), "why": "patient_asked"})
    assert rows(Appointment)[0].state == "booked"


def test_the_database_hides_agendas_from_everybody_but_the_hospital_s_agents(desk: Desk) -> None:
    made = _published(desk)
    _booked(desk)
    _announced(desk)
    with prepared():
        account, patient = people.patient_with_account()
        far = hospitals.hospital("990000025", "Autre hôpital")
    tables = (SessionTemplate, Absence, CallToMake)
    for actor in (
        db.ANONYMOUS,
        people.as_patient(account, patient),
        db.Actor("staff", "x", rights={"appointments": frozenset({far.establishment.id})}),
    ):
        with db.transaction(actor):
            for table in tables:
                assert session.scalars(select(table)).all() == []
            assert session.execute(SessionTemplate.__table__.delete()).rowcount == 0
    assert [each.id for each in rows(SessionTemplate)] == [made.id]


def test_pages_ask_the_database_little(desk: Desk, app: Flask) -> None:
    made = _published(desk)
    for number in range(4):
        _booked(desk, number * 2, f"P{number}")
    absence = _announced(desk)
    unit = desk.hospital.unit.id
    for path in (
        f"/admin/agendas?unit={unit}", f"/admin/agendas/praticiens/{desk.hospital.practitioner.id}",
        f"/admin/agendas/modeles/{made.id}", f"/admin/agendas/modeles/{made.id}/jours", desk.new, absence,
        "/admin/agendas/absences", "/admin/agendas/absences/nouvelle", "/admin/agendas/a-replacer",
        "/admin/agendas/appels", "/admin/agendas/jours-feries",
    ):  # fmt: skip
        desk.agent.get(path)
        with executed(app) as statements:
            assert desk.agent.get(path).status_code == 200
        assert len(statements) <= MOST_STATEMENTS, (path, len(statements), statements)


def test_an_agent_without_the_right_is_sent_away(app: Flask, sign_in: Callable[..., FlaskClient]) -> None:
    with prepared():
        where = hospitals.hospital()
        clerk = people.agent(where.establishment.id, "billing", name="Clara Clerc")
    assert sign_in(clerk).get("/admin/agendas").status_code == 403
