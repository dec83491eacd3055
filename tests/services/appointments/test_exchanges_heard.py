"""What the hospital's system says is done once, in the order in which it was said, wholly or not at all."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from auth.machines import actions as machines
from auth.machines.actions import Draft
from portal import db
from portal.db import session
from portal.gateways.his.hl7v2 import Acknowledgement
from portal.gateways.his.twin import HisTwin
from services.appointments import actions as visits
from services.appointments import queries as offers
from services.appointments.exchanges import queries
from services.appointments.exchanges.models import SiuAppointment
from services.appointments.models import Appointment, Reason
from services.exchanges import actions, jobs, listening
from services.exchanges.models import HisMessage
from tests import ground as tested
from tests.factories import appointments, exchanges, hospitals
from tests.factories.exchanges import siu
from tests.services.appointments.conftest import Ground


def here(ground: Ground) -> UUID:
    return ground.hospital.establishment.id


def said(ground: Ground, trigger: str, control_id: str = "", **facts: Any) -> Acknowledgement:
    """The hospital's system says something, now unless told otherwise."""
    facts = {"said_at": db.now()} | facts
    return exchanges.hear(here(ground), siu(trigger, control_id or uuid4().hex[:16], **facts))


def at(ground: Ground, cell: int) -> datetime:
    return ground.opened.at(cell)


def offered(ground: Ground) -> list[datetime]:
    """What a patient is offered that day."""
    with db.transaction(ground.actor):
        reason = session.get_one(Reason, ground.reason.id)
        page = offers.open_slots(reason, reason.window("web", db.now()), ground.opened.local_date)
        return [each.at for day in page.days.values() for each in day]


def booked(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return visits.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def now(made: Appointment) -> Appointment:
    with db.transaction(db.system("tests")):
        return session.get_one(Appointment, made.id)


@pytest.fixture
def his(ground: Ground) -> Iterator[HisTwin]:
    with HisTwin() as twin:
        with db.transaction(db.system("tests")):
            exchanges.set_his(here(ground), twin.url)
        yield twin


# -- appointments taken in the hospital system -----------------------------------------------------------------------


def test_a_time_taken_in_the_hospital_is_offered_no_more_and_comes_back_when_it_is_cancelled(ground: Ground) -> None:
    before = offered(ground)
    assert said(ground, "S12", filler="F1", start_at=at(ground, 0)).code == "AA"
    assert offered(ground) == before[1:]
    assert said(ground, "S13", filler="F1", start_at=at(ground, 2)).code == "AA"
    assert at(ground, 0) in offered(ground)
    assert at(ground, 2) not in offered(ground)
    assert said(ground, "S15", filler="F1").code == "AA"
    assert offered(ground) == before


def test_the_same_message_gets_the_same_answer_and_counts_once(ground: Ground) -> None:
    message = siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0))
    with db.transaction(exchanges.SYSTEM):
        first = actions.receive(here(ground), message, "mllp")
    said(ground, "S15", filler="F1")
    with db.transaction(exchanges.SYSTEM):
        assert actions.receive(here(ground), message, "mllp") == first
    assert at(ground, 0) in offered(ground), "an old message played again takes nothing"
    with db.transaction(db.system("tests")):
        assert session.scalar(select(HisMessage.times).where(HisMessage.control_id == "1")) == 2


def test_another_message_under_the_same_number_is_not_taken(ground: Ground) -> None:
    said(ground, "S12", "1", filler="F1", start_at=at(ground, 0))
    answer = said(ground, "S12", "1", filler="F2", start_at=at(ground, 4))
    assert (answer.code, answer.error) == ("AR", "205")
    assert at(ground, 4) in offered(ground)


def test_an_older_word_never_replaces_a_newer_one(ground: Ground) -> None:
    said_at = db.now()
    said(ground, "S13", filler="F1", start_at=at(ground, 4), said_at=said_at)
    late = said(ground, "S12", filler="F1", start_at=at(ground, 0), said_at=said_at - timedelta(minutes=1))
    assert late.code == "AA"
    assert at(ground, 0) in offered(ground)
    said(ground, "S15", filler="F1", said_at=said_at + timedelta(minutes=2))
    said(ground, "S13", filler="F1", start_at=at(ground, 0), said_at=said_at + timedelta(minutes=1))
    assert {at(ground, 0), at(ground, 4)} <= set(offered(ground))


def test_a_cancellation_told_before_its_booking_wins(ground: Ground) -> None:
    before, said_at = offered(ground), db.now()
    assert said(ground, "S15", filler="F1", said_at=said_at).code == "AA"
    said(ground, "S12", filler="F1", start_at=at(ground, 0), said_at=said_at - timedelta(minutes=1))
    assert offered(ground) == before


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"rpps": "10000000991"}, "204"),
        ({"rpps": ""}, "204"),
        ({"start_at": None}, "101"),
        ({"minutes": 0}, "102"),
        ({"minutes": -30}, "102"),
        ({"minutes": 60 * 24 * 30}, "102"),
        ({"filler": ""}, "101"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_reason_and_leaves_nothing(
    ground: Ground, facts: dict[str, Any], error: str
) -> None:
    before = offered(ground)
    answer = said(ground, "S12", **({"filler": "F1", "start_at": at(ground, 0)} | facts))
    assert (answer.accepted, answer.error) == (False, error)
    assert answer.told
    assert offered(ground) == before


def test_a_refused_message_is_looked_at_again_when_it_comes_again(ground: Ground) -> None:
    message = siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0), rpps="10000000991")
    assert exchanges.hear(here(ground), message).code == "AE"
    with db.transaction(db.system("tests")):
        hospitals.practitioner(ground.hospital.unit, "10000000991")
    assert exchanges.hear(here(ground), message).code == "AA"


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"", "100"), (b"hello", "100"), (b"MSH|^~\\&|A|B\r", "101"), (b"\x00\xff", "100"),
     (b"MSH|^~\\&|A|B|||20261122||DFT^P03|1|P|2.5\rPID|1", "200"),
     (b"MSH|^~\\&|A|B|||20261122||SIU^S17|1|P|2.5\rSCH|1", "201"),
     (b"MSH|^~\\&|A|B|||||SIU^S12|1|P|2.5\rSCH|1^PARVIS|2", "101"),
     (b"MSH|^~\\&|A|B|||yesterday||SIU^S12|1|P|2.5\rSCH||2", "102")],
)  # fmt: skip
def test_what_is_no_message_for_us_is_answered_and_kept(ground: Ground, body: bytes, error: str) -> None:
    answer = exchanges.hear(here(ground), body)
    assert (answer.code, answer.error) == ("AR", error)
    with db.transaction(db.system("tests")):
        assert session.scalars(select(HisMessage.answer)).all() == ["AR"]


def test_a_message_that_came_twice_at_once_is_done_once(ground: Ground, app: Flask) -> None:
    message = siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0))
    answers: list[bytes] = []

    def take() -> None:
        with app.app_context():
            answers.append(listening.take(here(ground), message, "mllp"))

    threads = [threading.Thread(target=take) for _each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(answers)) == 1
    assert b"|AA|" in answers[0]
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(HisMessage)) == 1


_PIECES = st.sampled_from(
    ["", "^", "~", "&", "\\", "\\F\\", "\\X00\\", '""', "S13", "S15", "20261201090000", "99991231235959", "00010101",
     "202603290230", "-30", "999999", "F1", "PARVIS", "\x0b", "\x1c", "é", "|" * 40, "PID|", "x" * 300, "Started"]
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60), _PIECES), min_size=1, max_size=4), st.booleans())
def test_whatever_is_in_a_message_it_is_answered_without_a_failure_of_ours(
    ground: Ground, cuts: list[tuple[int, int, str]], is_ours: bool
) -> None:
    with db.transaction(db.system("tests")):
        made = session.scalars(select(Appointment)).first()
    made = made or booked(ground)
    placer = made.reference if is_ours else ""
    message = siu("S13", uuid4().hex[:16], said_at=db.now(), filler="F1", placer=placer, start_at=at(ground, 4))
    for start, length, piece in cuts:
        message = message[:start] + piece.encode() + message[start + length :]
    answer = exchanges.hear(here(ground), message)
    assert answer.code in ("AA", "AE", "AR")


def test_a_word_from_the_future_is_not_taken(ground: Ground) -> None:
    answer = said(ground, "S12", filler="F1", start_at=at(ground, 0), said_at=db.now() + timedelta(days=2))
    assert (answer.code, answer.error) == ("AR", "102")
    assert said(ground, "S12", filler="F1", start_at=at(ground, 0)).code == "AA"


# -- a time taken in both places -------------------------------------------------------------------------------------


def test_of_two_appointments_at_one_hour_the_patients_stays_and_agents_see_both(ground: Ground) -> None:
    made = booked(ground)
    answer = said(ground, "S12", filler="F1", start_at=at(ground, 1))
    assert (answer.code, answer.error) == ("AE", "205")
    assert now(made).state == "booked"
    with db.transaction(db.system("tests")):
        (found,) = queries.differences([here(ground)])
        assert (found.kind, found.appointment.id, found.theirs.external_id) == ("both", made.id, "F1")
    assert at(ground, 2) not in offered(ground), "the rest of the hospital's own appointment is kept for it"
    with db.transaction(db.system("tests")):
        visits.cancel_for_patient(session.get_one(Appointment, made.id), "patient_asked")
    assert at(ground, 1) not in offered(ground), "and what the patient gives back goes to it"
    with db.transaction(db.system("tests")):
        assert queries.differences([here(ground)]) == []
    assert at(ground, 0) not in offered(ground)


# -- appointments of the portal --------------------------------------------------------------------------------------


def test_the_hospital_cancels_an_appointment_of_the_portal_and_the_patient_is_told(
    ground: Ground, work_jobs: Callable[[], None]
) -> None:
    made = booked(ground)
    assert said(ground, "S15", placer=made.reference, filler="F1", why="unit_closed").code == "AA"
    assert (now(made).state, now(made).cancel_reason) == ("cancelled", "unit_closed")
    assert said(ground, "S15", placer=made.reference, filler="F1").code == "AA", "told again, it is no trouble"


def test_the_hospital_moves_an_appointment_of_the_portal_by_either_number(ground: Ground) -> None:
    made = booked(ground)
    later = timedelta(seconds=2)
    said(ground, "S14", placer=made.reference, filler="F1", said_at=db.now() + later)
    answer = said(ground, "S13", filler="F1", start_at=at(ground, 6), said_at=db.now() + 2 * later)
    assert (answer.code, now(made).start_at) == ("AA", at(ground, 6))
    assert at(ground, 0) in offered(ground)


def test_what_the_hospital_said_is_not_told_back_to_it(ground: Ground, his: HisTwin) -> None:
    made = booked(ground)
    exchanges.tick()
    said(ground, "S15", placer=made.reference, filler="F1")
    exchanges.tick()
    assert [each.trigger for each in his.agenda.received] == ["S12"]


def test_a_move_that_cannot_be_followed_moves_nothing_and_agents_see_the_difference(ground: Ground) -> None:
    made, other = booked(ground), booked_by_another(ground, 4)
    answer = said(ground, "S13", placer=made.reference, start_at=at(ground, 4), said_at=db.now() + timedelta(minutes=1))
    assert (answer.code, now(made).start_at, now(other).state) == ("AE", at(ground, 0), "booked")
    with db.transaction(db.system("tests")):
        (found,) = queries.differences([here(ground)])
        assert (found.kind, found.theirs.start_at) == ("elsewhere", at(ground, 4))
    away = said(ground, "S13", placer=made.reference, start_at=at(ground, 400),
                said_at=db.now() + timedelta(minutes=2))  # fmt: skip
    assert away.code == "AE"


def booked_by_another(ground: Ground, cell: int) -> Appointment:
    with db.transaction(db.system("tests")):
        other = appointments.people.patient(birth_name="AUTRE")
        return appointments.booked(other, ground.reason, ground.opened, cell)


def test_what_was_changed_here_since_is_told_again_rather_than_undone(ground: Ground, his: HisTwin) -> None:
    made = booked(ground)
    exchanges.tick()
    early = db.now() - timedelta(minutes=1)
    with db.transaction(db.system("tests")):
        visits.move_for_patient(session.get_one(Appointment, made.id), ground.slot(6), "patient_asked")
    said(ground, "S13", placer=made.reference, start_at=at(ground, 2), said_at=early)
    assert now(made).start_at == at(ground, 6)
    exchanges.tick()
    (held,) = his.agenda.appointments.values()
    assert datetime.strptime(held.start, "%Y%m%d%H%M%S%z") == at(ground, 6)


def test_a_cancellation_is_final_on_both_sides(ground: Ground, his: HisTwin) -> None:
    made = booked(ground)
    with db.transaction(db.system("tests")):
        visits.cancel_for_patient(session.get_one(Appointment, made.id), "patient_asked")
    answer = said(ground, "S13", placer=made.reference, start_at=at(ground, 6), said_at=db.now() + timedelta(hours=1))
    assert (answer.code, now(made).state) == ("AE", "cancelled")
    exchanges.tick()
    assert [each.state for each in his.agenda.appointments.values()] == ["cancelled"]


def test_an_unknown_reference_of_ours_is_not_taken_for_one_of_theirs(ground: Ground) -> None:
    before = offered(ground)
    answer = said(ground, "S12", placer="ZZZZZZZZ", filler="F1", start_at=at(ground, 0))
    assert (answer.code, answer.error) == ("AE", "204")
    assert offered(ground) == before
    theirs = said(ground, "S12", placer="ZZZZZZZZ", filler="F1", start_at=at(ground, 0), authority="OTHER")
    assert theirs.code == "AA"


def test_too_early_to_be_missed_or_there(ground: Ground) -> None:
    made = booked(ground)
    later = db.now() + timedelta(minutes=1)
    assert said(ground, "S26", placer=made.reference, said_at=later).error == "206"
    assert said(ground, "S14", placer=made.reference, status="Started", said_at=later).error == "206"
    assert now(made).state == "booked"


@pytest.mark.parametrize(
    ("trigger", "facts", "state"),
    [("S26", {}, "missed"), ("S14", {"status": "Started"}, "arrived"), ("S14", {"status": "Complete"}, "done"),
     ("S14", {"status": "Noshow"}, "missed")],
)  # fmt: skip
def test_the_hospital_says_who_came(ground: Ground, trigger: str, facts: dict[str, str], state: str) -> None:
    with db.transaction(db.system("tests")):
        gone = appointments.consultation(ground.hospital, [ground.reason], tested.today() - timedelta(days=1))
        made = appointments.past(ground.patient, ground.reason, gone)
    assert said(ground, trigger, placer=made.reference, **facts).code == "AA"
    assert now(made).state == state


def test_another_hospital_says_nothing_of_ours(ground: Ground) -> None:
    made = booked(ground)
    with db.transaction(db.system("tests")):
        elsewhere = hospitals.hospital("990000025", "Autre hôpital").establishment.id
    answer = exchanges.hear(elsewhere, siu("S15", "1", said_at=db.now(), placer=made.reference))
    assert (answer.code, now(made).state) == ("AE", "booked")


# -- the ways in -----------------------------------------------------------------------------------------------------


def pass_of(ground: Ground, app: Flask, *scopes: str) -> dict[str, str]:
    with db.transaction(db.system("tests")):
        machine, secret = machines.add(Draft(here(ground), "Agenda", list(scopes)))
    data = {"grant_type": "client_credentials", "client_id": machine.client_id, "client_secret": secret}
    answer = app.test_client().post("/oauth/token", data=data)
    return {"Authorization": f"Bearer {answer.json['access_token']}"}  # type: ignore[index]  # the answer is JSON, or the test fails


def test_a_machine_posts_a_message_and_gets_its_acknowledgement(ground: Ground, app: Flask) -> None:
    shown = pass_of(ground, app, "system/Appointment.write")
    message = siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0))
    answer = app.test_client().post("/api/hl7v2", data=message, headers=shown, content_type="application/hl7-v2")
    assert (answer.status_code, answer.mimetype) == (200, "application/hl7-v2")
    assert b"MSA|AA|1" in answer.data
    assert at(ground, 0) not in offered(ground)


def test_a_machine_without_pass_scope_or_the_right_form_is_refused(ground: Ground, app: Flask) -> None:
    client: FlaskClient = app.test_client()
    reader, writer = pass_of(ground, app, "system/Appointment.read"), pass_of(ground, app, "system/Appointment.write")
    form = {"content_type": "application/hl7-v2"}
    assert client.post("/api/hl7v2", data=b"x", **form).status_code == 401
    assert client.post("/api/hl7v2", data=b"x", headers=reader, **form).status_code == 403
    assert client.post("/api/hl7v2", data=b"x", headers=writer, content_type="text/plain").status_code == 415
    assert client.post("/api/hl7v2", data=b"x" * 1_048_577, headers=writer, **form).status_code == 413
    assert b"MSA|AR" in client.post("/api/hl7v2", data=b"x", headers=writer, **form).data


def test_what_is_left_in_the_folder_is_taken_and_answered(
    ground: Ground, tmp_path: Path, work_jobs: Callable[[], None]
) -> None:
    with db.transaction(db.system("tests")):
        exchanges.set_his(here(ground), f"folder:{tmp_path}")
    place = tmp_path / "in"
    place.mkdir()
    (place / "1.hl7").write_bytes(siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0)))
    (place / "2.hl7").write_bytes(b"not a message")
    jobs.collect(here(ground), lambda: db.transaction(db.system("tests")))
    assert at(ground, 0) not in offered(ground)
    assert b"MSA|AA|1" in (tmp_path / "done" / "1.hl7.ack").read_bytes()
    assert b"MSA|AR" in (tmp_path / "refused" / "2.hl7.ack").read_bytes()


def test_a_failure_of_ours_is_answered_and_leaves_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object) -> bytes:
        raise ZeroDivisionError

    message = siu("S12", "1", said_at=db.now(), filler="F1", start_at=at(ground, 0))
    with monkeypatch.context() as patch:
        patch.setattr(actions, "receive", broken)
        assert b"MSA|AE|1\r" in listening.take(here(ground), message, "mllp")
    with db.transaction(db.system("tests")):
        assert session.scalar(select(func.count()).select_from(HisMessage)) == 0
        assert session.scalar(select(func.count()).select_from(SiuAppointment)) == 0
    assert b"MSA|AA|1\r" in listening.take(here(ground), message, "mllp")
