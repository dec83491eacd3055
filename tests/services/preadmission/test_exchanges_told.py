"""What the office accepted is asked of the hospital's system: once, in order for each file, however long it is away."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from auth.models import Patient
from portal import db, establishments
from portal.db import session
from portal.gateways.his.hl7v2 import Message
from portal.gateways.his.twin import HisTrouble, HisTwin
from services.exchanges import actions as exchange
from services.exchanges.models import Delivery
from services.preadmission import actions
from services.preadmission.answers import Answers, Choices, Coverage, Identity, Trust
from services.preadmission.exchanges import actions as telling
from services.preadmission.exchanges import states
from services.preadmission.models import Preadmission, PreadmissionChange
from tests.factories import exchanges, hospital_messages, preadmission
from tests.ground import audited, prepared, rows, today
from tests.services.preadmission.conftest import Ground


@pytest.fixture
def his(ground: Ground) -> Iterator[HisTwin]:
    """The hospital's system, which takes pre-admissions as HL7 messages from now on."""
    with HisTwin() as twin:
        with prepared():
            hospital_messages.follow(ground.hospital.establishment.id, twin.url)
        yield twin


def in_review(ground: Ground, *answers: Answers, **facts: Any) -> Preadmission:
    """A file whose pieces were all accepted."""
    with prepared():
        made = preadmission.preadmission(
            ground.patient, ground.hospital.unit, "in_review", answers=answers, account_id=ground.account.id, **facts
        )
        preadmission.settle(made)
        return made


def change(file: Preadmission, what: Any, *arguments: Any) -> None:
    with prepared():
        what(session.get_one(Preadmission, file.id), *arguments)


def validated(ground: Ground, *answers: Answers, **facts: Any) -> Preadmission:
    made = in_review(ground, *answers, **facts)
    change(made, actions.validate)
    return made


def now(file: Preadmission) -> Preadmission:
    with prepared():
        return session.scalars(select(Preadmission).where(Preadmission.id == file.id)).one()


def told() -> list[Delivery]:
    with prepared():
        return list(session.scalars(select(Delivery).order_by(Delivery.changed_at, Delivery.id)))


def actions_told(his: HisTwin) -> list[tuple[str, str]]:
    return [(each.trigger, each.first("ZBE").value(4)) for each in his.agenda.received]


def the_message(his: HisTwin) -> Message:
    (message,) = his.agenda.received
    return message


# -- what is told ----------------------------------------------------------------------------------------------------


def test_an_accepted_file_is_asked_of_the_hospitals_system_and_says_that_it_was_sent(
    ground: Ground, his: HisTwin
) -> None:
    made = validated(ground)
    exchanges.tick()
    assert [(each.reference, each.state) for each in his.agenda.stays.values()] == [(made.reference, "expected")]
    assert (now(made).state, now(made).message_id) == ("transmitted", told()[0].control_id)
    assert [each.state for each in told()] == ["accepted"]
    assert "preadmission.transmitted" in audited()


def test_nothing_is_told_before_the_office_accepts(ground: Ground, his: HisTwin) -> None:
    in_review(ground)
    exchanges.tick()
    assert his.agenda.received == []


def test_nothing_is_told_to_a_hospital_that_has_not_said_how(ground: Ground) -> None:
    with HisTwin() as twin:
        with prepared():
            exchanges.set_his(ground.hospital.establishment.id, twin.url)
        validated(ground)
        exchanges.tick()
        assert twin.agenda.received == []
        with prepared():
            establishments.change_setting(ground.hospital.establishment.id, states.FORMAT, states.HL7)
        exchanges.tick()
        assert len(twin.agenda.stays) == 1, "what was accepted meanwhile was not lost"


def test_what_the_office_changes_afterwards_changes_the_same_request(ground: Ground, his: HisTwin) -> None:
    made = validated(ground)
    exchanges.tick()
    change(made, actions.take)
    exchanges.tick()
    assert len(his.agenda.received) == 1, "a file that is open again says nothing until it is accepted again"
    change(made, actions.validate)
    exchanges.tick()
    assert actions_told(his) == [("A05", "INSERT"), ("A05", "UPDATE")]
    assert len(his.agenda.stays) == 1
    assert now(made).state == "transmitted"


def test_a_cancelled_stay_is_cancelled_there(ground: Ground, his: HisTwin) -> None:
    made = validated(ground)
    exchanges.tick()
    change(made, actions.cancel)
    exchanges.tick()
    assert actions_told(his) == [("A05", "INSERT"), ("A38", "CANCEL")]
    assert [each.state for each in his.agenda.stays.values()] == ["cancelled"]
    assert his.agenda.received[1].first("ZBE").value(6) == "A05"


def test_of_a_stay_cancelled_before_it_was_told_nothing_is_told(ground: Ground, his: HisTwin) -> None:
    with prepared():
        exchanges.set_his(ground.hospital.establishment.id, "mllp://127.0.0.1:1")
    made = validated(ground)
    exchanges.tick()
    change(made, actions.cancel)
    with prepared():
        exchanges.set_his(ground.hospital.establishment.id, his.url)
    exchanges.come_back()
    exchanges.tick()
    assert his.agenda.received == []
    assert {each.state for each in told()} == {"not_needed"}


def test_what_may_have_arrived_is_told_until_an_answer_comes_then_cancelled(ground: Ground, his: HisTwin) -> None:
    his.faults.trouble = HisTrouble.FORGETS
    made = validated(ground)
    exchanges.tick()
    change(made, actions.cancel)
    his.faults.trouble = None
    exchanges.come_back()
    exchanges.tick()
    assert actions_told(his) == [("A05", "INSERT"), ("A38", "CANCEL")]
    assert [each.state for each in his.agenda.stays.values()] == ["cancelled"]


def test_a_system_that_is_away_for_a_day_loses_nothing_and_gets_nothing_twice(ground: Ground, his: HisTwin) -> None:
    his.faults.trouble = HisTrouble.FORGETS
    first = validated(ground)
    for _hour in range(4):
        exchanges.tick()
        exchanges.come_back()
    change(first, actions.take)
    change(first, actions.validate)
    his.faults.trouble = None
    exchanges.tick()
    (stay,) = his.agenda.stays.values()
    assert (stay.state, now(first).state) == ("expected", "transmitted")
    assert {each.state for each in told()} <= {"accepted", "not_needed"}


def test_a_refused_request_is_seen_corrected_and_sent_again(ground: Ground, his: HisTwin) -> None:
    his.faults.trouble, his.faults.once = HisTrouble.REFUSES, True
    made = validated(ground)
    exchanges.tick()
    (refused,) = told()
    assert (refused.state, refused.answer, refused.told) == ("refused", "AE", "Praticien inconnu")
    assert now(made).state == "validated", "the patient is expected all the same"
    change(made, actions.take)
    change(made, actions.validate)
    exchanges.tick()
    assert actions_told(his) == [("A05", "INSERT")], "it was never known there: it is new"
    assert now(made).state == "transmitted"


def test_a_refused_request_sent_again_as_it_is_has_another_number(ground: Ground, his: HisTwin) -> None:
    his.faults.trouble, his.faults.once = HisTrouble.REJECTS, True
    made = validated(ground)
    exchanges.tick()
    before = told()[0].control_id
    with prepared():
        assert exchange.replay(session.get_one(Delivery, told()[0].id)) == 1
    exchanges.tick()
    assert (told()[0].state, told()[0].control_id != before, now(made).state) == ("accepted", True, "transmitted")


def test_a_change_committed_late_or_restored_is_told_once(ground: Ground, his: HisTwin) -> None:
    made = validated(ground)
    exchanges.tick()
    exchanges.tick()
    with prepared():
        assert exchange.plan(db.now() - timedelta(days=30)) == 0
    assert len(his.agenda.received) == 1
    assert len([each for each in rows(PreadmissionChange) if each.to_state == "transmitted"]) == 1
    assert now(made).state == "transmitted"


def test_everything_of_one_kind_is_told_again_to_a_hospital_that_lost_it(ground: Ground, his: HisTwin) -> None:
    made = validated(ground)
    exchanges.tick()
    his.agenda.stays.clear()
    with prepared():
        follower = told_follower()
        assert exchange.replay_since(follower, db.now() - timedelta(hours=1), kind="appointment") == 0
        assert exchange.replay_since(follower, db.now() - timedelta(hours=1), kind=states.SUBJECT) == 1
    exchanges.tick()
    assert [each.reference for each in his.agenda.stays.values()] == [made.reference]
    assert now(made).state == "transmitted"


def told_follower() -> Any:
    return session.scalars(select(Delivery)).first().follower  # type: ignore[union-attr]  # there is one


def test_a_file_is_told_again_as_it_is(ground: Ground, his: HisTwin) -> None:
    made = validated(ground)
    exchanges.tick()
    with prepared():
        assert telling.tell_again(session.get_one(Preadmission, made.id))
    exchanges.tick()
    assert actions_told(his) == [("A05", "INSERT"), ("A05", "UPDATE")]


def test_a_draft_is_told_to_nobody(ground: Ground, his: HisTwin) -> None:
    with prepared():
        made = preadmission.preadmission(ground.patient, ground.hospital.unit)
        assert not telling.tell_again(made)


# -- what a message says ---------------------------------------------------------------------------------------------


def test_a_message_says_who_when_where_and_under_which_number(ground: Ground, his: HisTwin) -> None:
    made = validated(ground, Identity(used_name="D’ÉPINAY|^&", phone="+33639980001", street="4 rue du Lac",
                                      postcode="91990", town="Arceau", country="BE"))  # fmt: skip
    exchanges.tick()
    message = the_message(his)
    pid, pv1, zbe = (message.first(name) for name in ("PID", "PV1", "ZBE"))
    assert (message.header.value(9, 3), message.header.value(12, 3)) == ("ADT_A05", "2.11")
    assert message.first("EVN").value(3) == made.planned_on.strftime("%Y%m%d")
    assert (pv1.value(5), pv1.value(5, 4), pv1.value(2)) == (made.reference, "PARVIS", "I")
    assert (pv1.value(3), zbe.value(7, 10), zbe.value(1)) == ("1001", "1001", made.reference)
    assert (pid.value(5), pid.value(5, 1, 2), pid.value(5, 7, 2)) == (ground.patient.birth_name, "D’ÉPINAY|^&", "D")
    assert pid.value(11, 6) == "BEL"
    assert pid.value(32) == "PROV"


def test_an_ins_leaves_only_with_a_qualified_identity(ground: Ground, his: HisTwin) -> None:
    with prepared():
        session.execute(update(Patient).values(ins="279035121518989", ins_oid="1.2.250.1.213.1.4.10"))
    validated(ground)
    exchanges.tick()
    with prepared():
        session.execute(update(Patient).values(identity_status="QUAL"))
    validated(ground)
    exchanges.tick()
    pids = [each.first("PID") for each in his.agenda.received]
    assert [("279035121518989" in pid.raw(3), pid.value(32)) for pid in pids] == [(False, "PROV"), (True, "VALI")]
    assert not any(pid.raw(19) for pid in pids)


def test_the_person_of_trust_leaves_with_the_stay_and_not_with_its_cancellation(ground: Ground, his: HisTwin) -> None:
    made = validated(ground, Trust(wanted="yes", name="Camille Lenoir", link="friend", phone="+33639980055"))
    exchanges.tick()
    change(made, actions.cancel)
    exchanges.tick()
    first, second = his.agenda.received
    assert [each.value(7) for each in first.all("NK1")] == ["C", "K"]
    assert all(each.value(33) for each in first.all("NK1"))
    assert second.all("NK1") == []


def test_covers_go_one_segment_each(ground: Ground, his: HisTwin) -> None:
    validated(ground, Coverage(amo_kind="french", nir=preadmission.NIR, scheme="01", fund="751", centre="0000",
                               amc_kind="private", amc_number="75500017", member_number="0042"))  # fmt: skip
    exchanges.tick()
    amo, amc = the_message(his).all("IN1")
    assert (amo.value(2), amo.value(3), amo.value(49)) == ("AMO", "01-751-0000", preadmission.NIR)
    assert (amc.value(2), amc.value(3), amc.value(49)) == ("AMC", "75500017", "0042")


def test_a_confidential_stay_says_so(ground: Ground, his: HisTwin) -> None:
    made = in_review(ground, Choices(confidential=True))
    with prepared():
        session.get_one(Preadmission, made.id).confidential = True
    change(made, actions.validate)
    exchanges.tick()
    message = the_message(his)
    assert (message.first("PV1").value(16), message.first("PV2").value(22)) == ("I", "Y")


def test_the_hospitals_character_set_and_codes_are_written(ground: Ground, his: HisTwin) -> None:
    codes = (
        '{"charset": "8859/15", "units": {"1001": "CHIR-A"}, "application": "PORTAIL", "facility": "CHX",'
        ' "receiving_application": "GAM", "receiving_facility": "CHX"}'
    )
    with prepared():
        hospital_messages.follow(ground.hospital.establishment.id, his.url, codes=codes)
        session.execute(update(Patient).values(birth_name="ŁÉVÊQUE"))
    validated(ground)
    exchanges.tick()
    message = the_message(his)
    assert message.header.value(18) == "8859/15"
    assert message.first("PID").value(5) == "LÉVÊQUE"
    assert (message.header.value(3), message.header.value(5)) == ("PORTAIL", "GAM")
    assert (message.first("PV1").value(3), message.first("ZBE").value(7, 10)) == ("CHIR-A", "CHIR-A")


def test_a_past_day_is_no_obstacle(ground: Ground, his: HisTwin) -> None:
    validated(ground, planned_on=today() - timedelta(days=1))
    exchanges.tick()
    assert len(his.agenda.stays) == 1
