"""Cancelling: in time, once, and the slot is somebody else's."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal import db
from portal.db import session
from portal.kpi import KpiEvent
from services.appointments import actions, queries, states
from services.appointments.actions import AlreadyOver, TooLateToCancel
from services.appointments.models import Appointment, Claim, ConsultationSession
from services.appointments.states import NotAllowed
from tests.factories import appointments, people
from tests.services.appointments.conftest import Ground


def _booked(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def _cancel(ground: Ground, made: Appointment, why: str = "unavailable") -> None:
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, made.id), why)


def test_a_cancelled_slot_is_free_again(ground: Ground) -> None:
    made = _booked(ground)
    _cancel(ground, made)
    with db.transaction(db.system("tests")):
        row = session.get_one(Appointment, made.id)
        assert (row.state, row.cancel_reason) == ("cancelled", "unavailable")
        assert session.get_one(ConsultationSession, ground.opened.id).free == ground.opened.open
        assert session.scalar(select(func.count()).select_from(Claim)) == 0
        assert [change.reason for change in queries.changes(row)] == ["unavailable", ""]
        assert session.scalars(select(KpiEvent.event)).all().count("appointment_cancelled") == 1
    assert _booked(ground).id != made.id


def test_only_the_first_of_two_cancellations_counts(ground: Ground) -> None:
    made = _booked(ground)
    _cancel(ground, made)
    again = _booked(ground)
    with pytest.raises(AlreadyOver):
        _cancel(ground, made)
    with db.transaction(db.system("tests")):
        assert session.get_one(Appointment, again.id).state == "booked", "its claims were not given away"
        assert session.scalar(select(func.count()).select_from(Claim)) == 12


def _soon(ground: Ground) -> Appointment:
    """An appointment in less than the reason's 24 hours, wherever the clock stands."""
    local = (db.now() + timedelta(hours=2)).astimezone(ground.hospital.establishment.tz)
    begins = local.replace(minute=0, second=0, microsecond=0)
    with db.transaction(db.system("tests")):
        opened = appointments.consultation(
            ground.hospital, [ground.reason], begins.date(), begins.time(), (begins + timedelta(hours=1)).time()
        )
        return actions.book_by_phone(ground.patient.id, ground.reason.id, appointments.Slot(opened.id, 0))


def test_within_the_cut_off_the_patient_must_call(ground: Ground) -> None:
    made = _soon(ground)
    with pytest.raises(TooLateToCancel):
        _cancel(ground, made)
    with db.transaction(db.system("tests")):
        actions.cancel_for_patient(session.get_one(Appointment, made.id), "patient_asked")
    with db.transaction(db.system("tests")):
        assert session.get_one(Appointment, made.id).state == "cancelled"


def test_what_is_over_is_not_cancelled(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        yesterday = (db.now() - timedelta(days=1)).astimezone(ground.hospital.establishment.tz).date()
        gone = appointments.past(
            ground.patient, ground.reason, appointments.consultation(ground.hospital, [ground.reason], yesterday)
        )
        for cancel, why in ((actions.cancel, "other"), (actions.cancel_for_patient, "patient_asked")):
            with pytest.raises(AlreadyOver):
                cancel(gone, why)


def test_a_change_outside_the_table_is_refused() -> None:
    states.check("", states.BOOKED)
    states.check(states.BOOKED, states.CANCELLED)
    for before, after in ((states.CANCELLED, states.BOOKED), ("", states.CANCELLED), (states.BOOKED, states.BOOKED)):
        with pytest.raises(NotAllowed):
            states.check(before, after)


def test_another_person_cannot_cancel_even_with_the_object_in_hand(ground: Ground) -> None:
    made = _booked(ground)
    with db.transaction(db.system("tests")):
        account, other = people.patient_with_account(birth_name="AUTRE")
    with pytest.raises(AlreadyOver), db.transaction(people.as_patient(account, other)):
        actions.cancel_for_patient(made, "patient_asked")
    with db.transaction(db.system("tests")):
        assert session.get_one(Appointment, made.id).state == "booked"
