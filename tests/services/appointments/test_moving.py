"""Moving: the new time and the old one change hands together, or not at all."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal import db
from portal.audit import AuditEvent
from portal.db import session
from services.appointments import actions
from services.appointments.actions import AlreadyOver, NotBookable, SlotTaken, TooLateToCancel
from services.appointments.models import Appointment, AppointmentChange, Claim, ConsultationSession
from services.appointments.slots import Slot
from tests.factories import appointments, people
from tests.services.appointments.conftest import Ground


def booked(ground: Ground, cell: int = 0) -> Appointment:
    with db.transaction(ground.actor):
        return actions.book(ground.patient.id, ground.reason.id, ground.slot(cell))


def move(ground: Ground, made: Appointment, slot: Slot) -> None:
    with db.transaction(ground.actor):
        actions.move(session.get_one(Appointment, made.id), slot)


def free(ground: Ground) -> int:
    with db.transaction(db.system("tests")):
        return session.get_one(ConsultationSession, ground.opened.id).free


@pytest.mark.parametrize("cell", [1, 6])
def test_the_old_time_is_free_when_the_new_one_is_taken(ground: Ground, cell: int) -> None:
    """Also a quarter of an hour later, where the new time overlaps the old one."""
    made = booked(ground)
    move(ground, made, ground.slot(cell))
    assert free(ground) == ground.opened.open & ~(0b11 << cell)
    with db.transaction(db.system("tests")):
        row = session.get_one(Appointment, made.id)
        assert (row.reference, row.state) == (made.reference, "booked")
        assert row.start_at == ground.opened.at(cell)
        assert len(session.scalars(select(Claim)).all()) == 2 * 6
        assert "appointment.moved" in set(session.scalars(select(AuditEvent.action)))
        changes = session.scalars(select(AppointmentChange).order_by(AppointmentChange.at)).all()
        assert [change.start_at for change in changes] == [made.start_at, row.start_at]


def test_nothing_moves_when_the_new_time_is_taken(ground: Ground) -> None:
    made = booked(ground)
    with db.transaction(db.system("tests")):
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    with pytest.raises(SlotTaken):
        move(ground, made, ground.slot(4))
    assert free(ground) == ground.opened.open & ~0b110011


def test_a_session_that_does_not_take_the_reason_refuses_it(ground: Ground) -> None:
    made = booked(ground)
    with db.transaction(db.system("tests")):
        other = appointments.reason(ground.hospital.unit, "Autre motif")
        elsewhere = appointments.consultation(ground.hospital, [other], ground.opened.local_date + timedelta(days=1))
    with pytest.raises(NotBookable):
        move(ground, made, Slot(elsewhere.id, 0))


def test_a_patient_who_is_late_calls_and_an_agent_moves(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        soon = appointments.reason(ground.hospital.unit, "Délai long", cancel_cutoff_hours=24 * 30)
        opened = appointments.consultation(ground.hospital, [soon], ground.opened.local_date + timedelta(days=1))
    with db.transaction(ground.actor):
        made = actions.book(ground.patient.id, soon.id, Slot(opened.id, 0))
    with pytest.raises(TooLateToCancel):
        move(ground, made, Slot(opened.id, 4))
    with db.transaction(db.system("tests")):
        actions.move_for_patient(session.get_one(Appointment, made.id), Slot(opened.id, 4), "patient_asked")
        assert session.get_one(Appointment, made.id).start_at == opened.at(4)


def test_a_cancelled_appointment_does_not_move(ground: Ground) -> None:
    made = booked(ground)
    with db.transaction(ground.actor):
        actions.cancel(session.get_one(Appointment, made.id), "other")
    with pytest.raises(AlreadyOver):
        move(ground, made, ground.slot(4))
    assert free(ground) == ground.opened.open
