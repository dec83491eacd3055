"""The catalogue's figures, each from what really happened; and the delay that patients are told."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal import db, kpi
from portal.kpi import Figure, Period
from services.preadmission import actions
from services.preadmission.actions import Stay
from services.preadmission.delays import jobs, queries
from services.preadmission.delays.models import PreadmissionDelay
from services.preadmission.invitations import actions as invitations
from services.preadmission.invitations.actions import Expected
from services.preadmission.invitations.models import StayInvitation
from services.preadmission.models import Preadmission
from tests.factories.preadmission import pieces_of, preadmission, put
from tests.ground import prepared, rows, today
from tests.services.preadmission.conftest import Ground
from tests.writers import all_rolled_up


def _figure(code: str) -> Figure:
    all_rolled_up()
    with prepared():
        return kpi.definition(code).compute(Period(today() - timedelta(days=1), today() + timedelta(days=1)))


def _sent(ground: Ground, in_days: int = 12) -> Preadmission:
    with prepared():
        made = preadmission(
            ground.patient, ground.hospital.unit, "submitted", planned_on=today() + timedelta(days=in_days)
        )
        made.submitted_at = db.now()
        for piece in pieces_of(made).values():
            if piece.needed:
                put(piece)
        return made


def _decide(ground: Ground, file: Preadmission, decision: str) -> None:
    with db.transaction(ground.as_clerk) as current:
        known = current.get_one(Preadmission, file.id)
        if decision == "refuse":
            actions.refuse(known, "Ce séjour est dans un autre hôpital")
            return
        for piece in pieces_of(known).values():
            if piece.state == "deposited":
                if decision == "ask" and piece.kind == "health_card":
                    actions.refuse_piece(known, piece, "unreadable")
                else:
                    actions.accept_piece(known, piece)
        if decision == "ask":
            actions.ask_again(known, today() + timedelta(days=3))
        else:
            actions.validate(known)


def test_complete_at_once_refused_and_answered_in_time(ground: Ground) -> None:
    for decision in ("accept", "accept", "refuse", "ask"):
        _decide(ground, _sent(ground), decision)
    assert (_figure("P4").numerator, _figure("P4").denominator) == (2, 3)
    assert (_figure("P6").numerator, _figure("P6").denominator) == (1, 3)
    assert (_figure("P5").numerator, _figure("P5").denominator) == (4, 4)


def test_an_answer_after_three_working_days_is_late(ground: Ground) -> None:
    file = _sent(ground)
    with prepared():
        db.session.get_one(Preadmission, file.id).submitted_at = db.now() - timedelta(days=8)
    _decide(ground, file, "accept")
    assert (_figure("P5").numerator, _figure("P5").denominator) == (0, 1)


@pytest.mark.parametrize(("days_before", "direct"), [(5, 1), (0, 0)])
def test_straight_to_the_ward_means_accepted_a_working_day_before(
    ground: Ground, days_before: int, direct: int
) -> None:
    with prepared():
        made = preadmission(ground.patient, ground.hospital.unit, "validated", planned_on=today(), days_ago=days_before)
        actions.close(made)
    assert (_figure("P3").numerator, _figure("P3").denominator) == (direct, 1)


def test_what_the_hospitals_system_registers_by_itself(ground: Ground) -> None:
    with prepared():
        for by_itself in range(2):
            made = preadmission(ground.patient, ground.hospital.unit, "validated", days_ago=2)
            actions.transmit(made, f"M{by_itself}")
            if by_itself:
                actions.integrate(made, "IPP", "NDA")
    assert (_figure("P10").numerator, _figure("P10").denominator) == (1, 2)


def test_drafts_given_up_and_planned_stays_are_counted_the_day_after(ground: Ground) -> None:
    with prepared():
        given_up = preadmission(ground.patient, ground.hospital.unit)
        given_up.created_at = db.now() - timedelta(days=15)
        ready = preadmission(ground.patient, ground.hospital.unit, "validated", days_ago=5)
        for number in ("V-1", "V-2"):
            invited, _done = invitations.invite(
                Stay(ground.hospital.unit.id, today(), "inpatient"),
                Expected("MARTIN", "Ana", today() - timedelta(days=9000), number),
            )
            invited.planned_on = today() - timedelta(days=1)
        invited.preadmission_id = ready.id
        jobs.count_yesterday(db.now())
    assert _figure("P7").numerator == 1
    assert (_figure("P2a").numerator, _figure("P2a").denominator) == (1, 2)
    assert _figure("P2").numerator == 0, "its stay was on another day"
    assert len(rows(StayInvitation)) == 2


def test_a_share_without_the_hospitals_stays_is_not_invented(ground: Ground) -> None:
    assert _figure("P2").value is None
    assert _figure("P2a").value is None
    assert _figure("P9").value is None


# -- the delay that patients are told ------------------------------------------------------------------------------


def test_under_thirty_answers_nothing_is_promised(ground: Ground) -> None:
    for _each in range(2):
        _decide(ground, _sent(ground), "accept")
    with prepared():
        jobs.measure(db.now())
    with db.transaction(ground.as_patient):
        assert queries.usual(ground.hospital.establishment.id) is None
    with prepared():
        told = db.session.scalars(select(PreadmissionDelay)).one()
        assert (told.cases, told.days, told.median_days) == (2, 1, 0)
        told.cases = 30
    with db.transaction(ground.as_patient):
        usual = queries.usual(ground.hospital.establishment.id)
        assert usual is not None
        assert usual.days == 1


def test_a_hospital_that_answers_nothing_any_more_promises_nothing(ground: Ground) -> None:
    _decide(ground, _sent(ground), "accept")
    with prepared():
        jobs.measure(db.now())
        jobs.measure(db.now() + timedelta(days=31))
    assert rows(PreadmissionDelay) == []


@given(st.lists(st.integers(0, 60), min_size=1).map(sorted))
def test_nine_in_ten_are_within_the_delay_and_no_shorter_one_would_do(values: list[int]) -> None:
    told = queries.percentile(values, 0.9)
    assert sum(value <= told for value in values) >= 0.9 * len(values)
    assert sum(value < told for value in values) < 0.9 * len(values)
