"""A time kept for ten minutes: nobody else sees it free, and it always comes back."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal import db
from portal.db import session
from services.appointments import actions, queries
from services.appointments.actions import HoldEnded, PatientBusy, SlotTaken
from services.appointments.models import Claim, ConsultationSession, Hold, Reason
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.services.appointments.conftest import Ground


def keep(ground: Ground, cell: int = 0) -> Hold:
    with db.transaction(ground.actor):
        return actions.hold(ground.reason.id, ground.slot(cell))


def free(ground: Ground) -> int:
    with db.transaction(db.system("tests")):
        return session.get_one(ConsultationSession, ground.opened.id).free


def times_pass() -> None:
    with db.transaction(db.system("tests")):
        session.execute(update(Hold).values(expires_at=db.now() - timedelta(seconds=1)))


def sweep() -> int:
    with db.transaction(db.system("tests")):
        return actions.sweep()


def counted(table: type) -> int:
    with db.transaction(db.system("tests")):
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_nobody_else_sees_or_takes_what_is_kept(ground: Ground) -> None:
    keep(ground)
    with db.transaction(db.system("tests")):
        account, other = people.patient_with_account(birth_name="AUTRE")
        reason = session.get_one(Reason, ground.reason.id)
        shown = queries.open_slots(reason, reason.window("web", db.now()), ground.opened.local_date)
    assert ground.slot(0) not in {each.slot for day in shown.days.values() for each in day}
    with pytest.raises(SlotTaken), db.transaction(people.as_patient(account, other)):
        actions.book(other.id, ground.reason.id, ground.slot(0))
    with pytest.raises(SlotTaken), db.transaction(people.as_patient(account, other)):
        actions.hold(ground.reason.id, ground.slot(1))


def test_what_was_kept_is_booked_without_asking_again(ground: Ground) -> None:
    kept = keep(ground)
    with db.transaction(ground.actor):
        made = actions.confirm(kept.id, ground.patient.id)
    assert (made.state, made.start_at, made.end_at) == ("booked", kept.start_at, kept.end_at)
    assert free(ground) == ground.opened.open & ~0b11
    assert counted(Hold) == 0
    with db.transaction(db.system("tests")):
        owners = set(session.scalars(select(Claim.owner_id)))
        resources = set(session.scalars(select(Claim.resource_id)))
    assert owners == {made.id}
    assert resources == {ground.patient.id, ground.hospital.practitioner.id}


def test_choosing_another_time_gives_the_first_one_back(ground: Ground) -> None:
    keep(ground, 0)
    keep(ground, 1)  # overlaps what the person already had
    assert free(ground) == ground.opened.open & ~0b110
    assert counted(Hold) == 1


def test_one_keeps_what_one_had_when_the_other_time_is_taken(ground: Ground) -> None:
    keep(ground, 0)
    with db.transaction(db.system("tests")):
        actions.book_by_phone(people.patient("AUTRE").id, ground.reason.id, ground.slot(4))
    with pytest.raises(SlotTaken):
        keep(ground, 4)
    assert free(ground) == ground.opened.open & ~0b110011


def test_what_is_kept_too_long_comes_back_by_itself(ground: Ground) -> None:
    kept = keep(ground)
    assert sweep() == 0
    times_pass()
    with pytest.raises(HoldEnded), db.transaction(ground.actor):
        actions.confirm(kept.id, ground.patient.id)
    assert sweep() == 1
    assert free(ground) == ground.opened.open
    assert (counted(Hold), counted(Claim)) == (0, 0)
    with pytest.raises(HoldEnded), db.transaction(ground.actor):
        actions.confirm(kept.id, ground.patient.id)


def test_keeping_a_time_does_not_put_the_patient_in_two_places(ground: Ground) -> None:
    kept = keep(ground)
    with db.transaction(db.system("tests")):
        colleague = hospitals.practitioner(ground.hospital.unit, "10000000025", "TRAN", "Minh")
        other = appointments.consultation(ground.hospital, [ground.reason], practitioner=colleague)
        actions.book_by_phone(ground.patient.id, ground.reason.id, Slot(other.id, 1))
    with pytest.raises(PatientBusy), db.transaction(ground.actor):
        actions.confirm(kept.id, ground.patient.id)
    assert counted(Hold) == 1, "the time is still kept for somebody else of the family"


def test_somebody_elses_hold_is_not_theirs_to_confirm(app: Flask, ground: Ground) -> None:
    kept = keep(ground)
    with db.transaction(db.system("tests")):
        account, other = people.patient_with_account(birth_name="AUTRE")
    with pytest.raises(HoldEnded), db.transaction(people.as_patient(account, other)):
        actions.confirm(kept.id, other.id)
    with db.transaction(people.as_patient(account, other)):
        assert session.scalars(select(Hold)).all() == []
        assert session.scalars(select(Claim)).all() == []


def test_the_same_time_is_not_kept_for_ever(ground: Ground) -> None:
    keep(ground)
    with db.transaction(db.system("tests")):
        session.execute(update(Hold).values(created_at=db.now() - timedelta(minutes=25)))
    kept = keep(ground)
    assert kept.expires_at - db.now() < timedelta(minutes=6)
    assert keep(ground, 4).expires_at - db.now() > timedelta(minutes=9)
