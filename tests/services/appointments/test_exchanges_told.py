"""The hospital's system, and subscribers, are told of every change: once, in order, however long they are away."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from auth.models import Patient
from portal import db
from portal.db import session
from portal.gateways import board
from portal.gateways.board import DoorPause
from portal.gateways.his.twin import HisTrouble, HisTwin
from portal.gateways.webhooks.twin import SubscriberTwin
from portal.notifications import Notification
from services.appointments import actions as visits
from services.appointments.exchanges import queries, states
from services.appointments.models import Appointment, AppointmentChange
from services.exchanges import actions, signing
from services.exchanges.actions.delivering import PATIENCE, wait_after
from services.exchanges.models import Delivery, Follower
from tests.factories import exchanges, people
from tests.services.appointments.conftest import Ground


@pytest.fixture
def his(ground: Ground) -> Iterator[HisTwin]:
    """The hospital's system, which is followed from now on."""
    with HisTwin() as twin:
        with db.transaction(db.system("tests")):
            exchanges.set_his(ground.hospital.establishment.id, twin.url)
        yield twin


@pytest.fixture
def subscriber(ground: Ground) -> Iterator[SubscriberTwin]:
    with SubscriberTwin() as twin:
        yield twin


@pytest.fixture
def secret(ground: Ground, subscriber: SubscriberTwin) -> str:
    """Of a subscription to everything."""
    with db.transaction(db.system("tests")):
        here = ground.hospital.establishment.id
        return actions.subscribe(here, "Agenda", subscriber.url, states.WEBHOOK_EVENTS, anywhere=True)[1]


def booked(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return visits.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def change(ground: Ground, what: Any, *arguments: Any) -> None:
    with db.transaction(db.system("tests")):
        what(*arguments)


def told(**by: object) -> list[Delivery]:
    with db.transaction(db.system("tests")):
        found = session.scalars(select(Delivery).filter_by(**by).order_by(Delivery.changed_at, Delivery.id))
        return list(found)


def held(his: HisTwin) -> list[tuple[str, str]]:
    return [(each.placer, each.state) for each in his.agenda.appointments.values()]


# -- the hospital's system -------------------------------------------------------------------------------------------


def test_what_happens_to_an_appointment_is_told_in_order(ground: Ground, his: HisTwin) -> None:
    made = booked(ground)
    change(ground, visits.move_for_patient, made, ground.slot(4), "patient_asked")
    exchanges.tick()
    change(ground, visits.cancel_for_patient, made, "unit_closed")
    exchanges.tick()
    assert [each.trigger for each in his.agenda.received] == ["S12", "S13", "S15"]
    assert held(his) == [(made.reference, "cancelled")]
    assert [each.state for each in told()] == ["accepted"] * 3


def test_a_message_says_who_when_where_and_why(ground: Ground, his: HisTwin) -> None:
    with db.transaction(db.system("tests")):
        people.known_at(ground.patient, ground.hospital.establishment.id, "8000000001")
        person = session.get_one(Patient, ground.patient.id)
        person.used_name, person.birth_name = "D'ÉPINAY|^&", "LE GOFF"
    made = booked(ground)
    exchanges.tick()
    (message,) = his.agenda.received
    pid, sch, aip, ail = (message.first(name) for name in ("PID", "SCH", "AIP", "AIL"))
    assert [each.name for each in message.segments] == ["MSH", "SCH", "PID", "RGS", "AIS", "AIP", "AIL"]
    assert (message.header.value(4), message.header.value(9, 3)) == ("990000017", "SIU_S12")
    assert (sch.value(1), sch.value(1, 2), sch.value(9), sch.value(25)) == (made.reference, "PARVIS", "30", "Booked")
    assert sch.value(11, 4) == made.start_at.astimezone(ground.hospital.establishment.tz).strftime("%Y%m%d%H%M%S%z")
    assert (pid.value(3), pid.value(3, 5), pid.value(5)) == ("8000000001", "PI", "LE GOFF")
    assert (pid.value(5, 1, 2), pid.value(5, 7, 2)) == ("D'ÉPINAY|^&", "D")
    assert (aip.value(3), aip.value(3, 2), ail.value(3)) == ("10000000009", "MERCIER", "1001")


def test_an_ins_that_is_not_qualified_is_not_told(ground: Ground, his: HisTwin) -> None:
    change(ground, session.execute, update(Patient).values(ins="279035121518989", ins_oid="1.2.250.1.213.1.4.10"))
    booked(ground)
    exchanges.tick()
    change(ground, session.execute, update(Patient).values(identity_status="QUAL"))
    booked(ground, 4)
    exchanges.tick()
    assert ["279035121518989" in each.first("PID").raw(3) for each in his.agenda.received] == [False, True]


def test_the_hospitals_codes_are_written_as_its_system_knows_them(ground: Ground, his: HisTwin) -> None:
    codes = {
        "receiving_application": "AGENDA", "facility": "CHU-X", "ipp_authority": ["CHU-X", "1.2.3", "ISO"],
        "units": {"1001": "CARDIO"}, "reasons": {str(ground.reason.id): "CS"}, "practitioners": {"10000000009": "MERH"},
        "sites": {"990000017": "S1"}, "motives": {"unit_closed": "FERM"}, "with_offset": False, "version": "2.3",
    }  # fmt: skip
    with db.transaction(db.system("tests")):
        exchanges.set_his(ground.hospital.establishment.id, his.url, json.dumps(codes))
        people.known_at(ground.patient, ground.hospital.establishment.id, "8000000001")
    made = booked(ground)
    change(ground, visits.cancel_for_patient, made, "unit_closed")
    exchanges.tick()
    message = his.agenda.received[-1]
    values = [message.header.value(4), message.header.value(5), message.header.value(12)]
    assert values == ["CHU-X", "AGENDA", "2.3"]
    assert [message.first(name).value(3) for name in ("AIS", "AIP", "AIL", "RGS")] == ["CS", "MERH", "CARDIO", "CARDIO"]
    assert (message.first("AIL").value(3, 4), message.first("PID").value(3, 4, sub=2)) == ("S1", "1.2.3")
    assert (message.first("SCH").value(6), len(message.first("SCH").value(11, 4))) == ("FERM", 14)


@pytest.mark.parametrize("trouble", [HisTrouble.FORGETS, HisTrouble.GARBAGE, HisTrouble.DEAF])
def test_without_an_answer_the_same_message_is_sent_again(ground: Ground, his: HisTwin, trouble: HisTrouble) -> None:
    made = booked(ground)
    his.faults.trouble, his.faults.once = trouble, True
    exchanges.tick()
    assert [each.state for each in told()] == ["waiting"]
    exchanges.come_back()
    exchanges.tick()
    (sent,) = told()
    assert (sent.state, sent.attempts, sent.answer) == ("accepted", 2, "AA")
    assert len(his.agenda.received) == 1, "the second one had the same control id"
    assert held(his) == [(made.reference, "booked")]


def test_a_system_that_is_away_for_days_gets_everything_in_order(ground: Ground, his: HisTwin) -> None:
    first, second = booked(ground), booked(ground, 4)
    his.faults.trouble = HisTrouble.DEAF
    for _day in range(4):
        exchanges.tick()
        exchanges.come_back()
    change(ground, visits.move_for_patient, first, ground.slot(8), "patient_asked")
    change(ground, visits.cancel_for_patient, second, "patient_asked")
    his.faults.trouble = None
    exchanges.tick()
    assert sorted(held(his)) == sorted([(first.reference, "booked"), (second.reference, "cancelled")])
    assert {each.state for each in told()} == {"accepted"}


def test_while_it_is_away_it_is_asked_less_and_less_often(ground: Ground, his: HisTwin) -> None:
    booked(ground)
    his.faults.trouble = HisTrouble.DEAF
    exchanges.tick()
    exchanges.tick()
    assert [each.attempts for each in told()] == [1], "not before its time"
    waits = [wait_after(failures).total_seconds() for failures in range(1, 12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1], wait_after(10_000).total_seconds()) == (5, 900, 900)


def test_while_people_keep_its_door_closed_everything_waits_and_none_is_to_blame(ground: Ground, his: HisTwin) -> None:
    watching = board.open_board("test", threaded=False)
    try:
        with db.transaction(db.system("tests")):
            session.add(DoorPause(door="his.mllp 990000017", reason="it moves", paused_by="Dina"))
        booked(ground)
        exchanges.tick()
        (waiting,) = told()
        assert (waiting.state, waiting.attempts, waiting.in_doubt) == ("waiting", 0, False)
        with db.transaction(db.system("tests")):
            follower = session.scalars(select(Follower)).one()
            assert (follower.failures, follower.failing_since) == (0, None)
            session.execute(update(DoorPause).values(resumed_at=db.now()))
            session.execute(update(Follower).values(next_try_at=None))
        watching.look()
        exchanges.tick()
        assert [each.state for each in told()] == ["accepted"]
    finally:
        board.close_board()


def test_what_is_refused_is_kept_with_its_reason_and_stops_nobody_else(ground: Ground, his: HisTwin) -> None:
    his.faults.trouble, his.faults.once = HisTrouble.REFUSES, True
    first, second = booked(ground), booked(ground, 4)
    exchanges.tick()
    refused, accepted = told()
    assert (refused.state, refused.answer, refused.error, refused.told) == ("refused", "AE", "204", "Praticien inconnu")
    assert accepted.state == "accepted"
    with db.transaction(db.system("tests")):
        assert queries.known_there([first.id, second.id]) == {first.id: "refused", second.id: "accepted"}
        actions.replay(session.get_one(Delivery, refused.id))
    exchanges.tick()
    assert len(held(his)) == 2
    assert told()[0].control_id != refused.control_id, "a new message: the former one was answered"


def test_telling_one_change_again_tells_those_after_it_too(ground: Ground, his: HisTwin) -> None:
    made = booked(ground)
    change(ground, visits.cancel_for_patient, made, "patient_asked")
    exchanges.tick()
    his.agenda.appointments.clear()
    with db.transaction(db.system("tests")):
        assert actions.replay(session.get_one(Delivery, told()[0].id)) == 2
    exchanges.tick()
    assert held(his) == [(made.reference, "cancelled")], "a cancelled appointment does not come back"


def test_everything_since_a_moment_is_told_again(ground: Ground, his: HisTwin) -> None:
    made = [booked(ground, cell) for cell in (0, 4, 8)]
    exchanges.tick()
    his.agenda.appointments.clear()
    with db.transaction(db.system("tests")):
        follower = session.scalars(select(Follower)).one()
        assert actions.replay_since(follower, db.now() + timedelta(hours=1)) == 0
        assert actions.replay_since(follower, db.now() - timedelta(hours=1)) == 3
    exchanges.tick()
    assert sorted(held(his)) == sorted((each.reference, "booked") for each in made)


def test_a_change_committed_late_is_not_lost(ground: Ground, his: HisTwin) -> None:
    """Its transaction began before the last look, and ended after it."""
    made = booked(ground)
    early = db.now() - timedelta(minutes=5)
    change(ground, session.execute, update(Follower).values(follows_since=early))
    exchanges.tick()
    with db.transaction(db.system("tests")):
        session.add(
            AppointmentChange(
                id=uuid4(), appointment_id=made.id, patient_id=made.patient_id, by="system:tests", at=early,
                establishment_id=made.establishment_id, from_state="booked", to_state="booked", start_at=made.start_at,
            )
        )  # fmt: skip
    exchanges.tick()
    assert [each.trigger for each in his.agenda.received] == ["S12", "S13"]


def test_a_change_is_told_once_however_many_look_for_it(ground: Ground, his: HisTwin) -> None:
    booked(ground)
    with db.transaction(db.system("tests")):
        since = db.now() - timedelta(hours=1)
        assert (actions.plan(since), actions.plan(since)) == (1, 0)
        leases = actions.lease_due(db.now())
        assert (len(leases), list(actions.lease_due(db.now()))) == (1, [])
    exchanges.tick()
    assert his.agenda.received == [], "another job holds the lease"
    with db.transaction(db.system("tests")):
        assert actions.next_to_tell(leases[0][0], ground.patient.id) is None


def test_what_happened_before_the_system_was_followed_is_not_told(ground: Ground) -> None:
    booked(ground)
    with HisTwin() as twin:
        with db.transaction(db.system("tests")):
            exchanges.set_his(ground.hospital.establishment.id, twin.url)
        exchanges.tick()
        assert twin.agenda.received == []


def test_a_hospital_without_address_is_followed_no_more_and_misses_nothing(ground: Ground, his: HisTwin) -> None:
    here = ground.hospital.establishment.id
    change(ground, exchanges.set_his, here, "none:")
    made = booked(ground)
    exchanges.tick()
    assert his.agenda.received == []
    change(ground, exchanges.set_his, here, his.url)
    exchanges.tick()
    assert held(his) == [(made.reference, "booked")]


# -- subscribers -----------------------------------------------------------------------------------------------------


def test_a_subscriber_is_told_with_a_signature_and_without_anything_about_health(
    ground: Ground, subscriber: SubscriberTwin, secret: str
) -> None:
    made = booked(ground)
    change(ground, visits.move_for_patient, made, ground.slot(4), "patient_asked")
    change(ground, visits.cancel_for_patient, made, "patient_asked")
    exchanges.tick()
    calls = subscriber.memory.calls
    assert [json.loads(call.body)["event"] for call in calls] == [
        "appointment.booked", "appointment.moved", "appointment.cancelled"
    ]  # fmt: skip
    for call in calls:
        assert signing.holds(secret, call.body, call.headers["parvis-signature"], db.now())
        assert not signing.holds("another secret", call.body, call.headers["parvis-signature"], db.now())
    facts = json.loads(calls[0].body)
    assert facts.keys() == {"id", "event", "at", "establishment", "appointment"}
    assert facts["appointment"].keys() == {"id", "reference", "start_at"}
    everything = b" ".join(call.body for call in calls)
    for word in (ground.patient.birth_name, ground.reason.name, "MERCIER", "Cardiologie", str(ground.patient.id)):
        assert word.encode() not in everything


def test_a_subscriber_hears_only_what_it_asked_for(ground: Ground, subscriber: SubscriberTwin) -> None:
    with db.transaction(db.system("tests")):
        here = ground.hospital.establishment.id
        actions.subscribe(here, "Agenda", subscriber.url, ["appointment.cancelled"], anywhere=True)
    made = booked(ground)
    change(ground, visits.cancel_for_patient, made, "patient_asked")
    exchanges.tick()
    assert [json.loads(call.body)["event"] for call in subscriber.memory.calls] == ["appointment.cancelled"]


@pytest.mark.parametrize("status", [0, 302, 400, 401, 404, 429, 500, 503])
def test_a_subscriber_in_trouble_is_told_later_and_nothing_is_lost(
    ground: Ground, subscriber: SubscriberTwin, secret: str, status: int
) -> None:
    subscriber.faults.status, subscriber.faults.takes = status, False
    booked(ground)
    exchanges.tick()
    booked(ground, 4)
    exchanges.tick()
    assert subscriber.memory.calls == []
    subscriber.faults.status, subscriber.faults.takes = 200, True
    exchanges.come_back()
    exchanges.tick()
    assert len({json.loads(call.body)["id"] for call in subscriber.memory.calls}) == 2


def test_a_subscriber_that_is_away_too_long_is_given_up_and_its_hospital_is_told(
    ground: Ground, subscriber: SubscriberTwin, secret: str
) -> None:
    subscriber.faults.status = 503
    change(ground, session.execute, update(type(ground.hospital.establishment)).values(email="si@exemple.test"))
    made = booked(ground)
    exchanges.tick()
    with db.transaction(db.system("tests")):
        session.execute(update(Follower).values(failing_since=db.now() - PATIENCE, next_try_at=None))
    exchanges.tick()
    with db.transaction(db.system("tests")):
        follower = session.scalars(select(Follower)).one()
        assert follower.stopped_at is not None
        mail = session.scalars(select(Notification).where(Notification.recipient == "si@exemple.test")).one()
        assert made.reference not in mail.body
        actions.resume(follower)
    subscriber.faults.status = 200
    exchanges.tick()
    assert json.loads(subscriber.memory.calls[-1].body)["appointment"]["reference"] == made.reference


def test_a_subscriber_that_says_it_is_gone_is_given_up_at_once(
    ground: Ground, subscriber: SubscriberTwin, secret: str
) -> None:
    subscriber.faults.status = 410
    booked(ground)
    exchanges.tick()
    with db.transaction(db.system("tests")):
        assert session.scalars(select(Follower)).one().stopped_at is not None


def test_one_that_is_away_does_not_make_the_others_wait(
    ground: Ground, his: HisTwin, subscriber: SubscriberTwin, secret: str
) -> None:
    subscriber.faults.status = 503
    made = booked(ground)
    exchanges.tick()
    assert held(his) == [(made.reference, "booked")]


def test_a_test_says_nothing_but_that_it_works(ground: Ground, subscriber: SubscriberTwin, secret: str) -> None:
    change(ground, lambda: actions.try_out(session.scalars(select(Follower)).one()))
    exchanges.tick()
    (call,) = subscriber.memory.calls
    assert json.loads(call.body).keys() == {"id", "event", "at", "establishment"}


def test_a_signature_does_not_hold_for_another_body_nor_another_day() -> None:
    now = db.now()
    signed = signing.sign("secret", b"{}", now)
    assert signing.holds("secret", b"{}", signed, now)
    assert not signing.holds("secret", b"{} ", signed, now)
    assert not signing.holds("secret", b"{}", signed, now + timedelta(minutes=6))
    for wrong in ("", "t=,v1=", "t=x,v1=y", "v1=abc", "t=99999999999999,v1=a", signed.replace("v1=", "v1=0")):
        assert not signing.holds("secret", b"{}", wrong, now)
