"""Rooms, devices and interpreters are never in two places; a session takes only so many of a reason."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from portal import db
from portal.db import Actor, session
from services.appointments import actions, queries
from services.appointments.actions import HoldEnded, SlotTaken
from services.appointments.models import (
    Claim,
    ConsultationSession,
    Reason,
    ReasonPool,
    Resource,
    ResourcePool,
    SessionReason,
)
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.services.appointments.conftest import Ground


def needs_one_of(ground: Ground, names: Sequence[str]) -> ResourcePool:
    """The ground's reason takes one of these devices."""
    establishment_id = ground.reason.establishment_id
    pool = ResourcePool(id=uuid4(), establishment_id=establishment_id, kind="device", name="Échographes")
    session.add(pool)
    session.flush()
    for name in names:
        session.add(Resource(id=uuid4(), establishment_id=establishment_id, pool_id=pool.id, name=name))
    session.add(ReasonPool(reason_id=ground.reason.id, pool_id=pool.id, establishment_id=establishment_id))
    session.flush()
    return pool


def a_colleague(ground: Ground) -> ConsultationSession:
    """Another practitioner who receives for the same reason at the same hours."""
    reason = session.get_one(Reason, ground.reason.id)
    other = hospitals.practitioner(reason.unit, "10000000017", "DELORME")
    return appointments.consultation(ground.hospital, [reason], practitioner=other)


def shown(ground: Ground, channel: str = "web") -> set[Slot]:
    reason = session.get_one(Reason, ground.reason.id)
    page = queries.open_slots(reason, reason.window(channel, db.now()), ground.opened.local_date)
    return {each.slot for day in page.days.values() for each in day}


def somebody(name: str) -> tuple[Actor, UUID]:
    account, patient = people.patient_with_account(birth_name=name)
    return people.as_patient(account, patient), patient.id


def test_one_device_serves_one_patient_at_a_time_whoever_receives(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        needs_one_of(ground, ["Échographe 1"])
        colleague = a_colleague(ground)
        actor, other_id = somebody("AUTRE")
    with db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, ground.slot(0))
    with db.transaction(actor):
        assert Slot(colleague.id, 0) not in shown(ground)
        with pytest.raises(SlotTaken):
            actions.book(other_id, ground.reason.id, Slot(colleague.id, 1))


def test_a_second_device_serves_the_second_patient(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        pool = needs_one_of(ground, ["Échographe 1", "Échographe 2"])
        colleague = a_colleague(ground)
        actor, other_id = somebody("AUTRE")
    with db.transaction(ground.actor):
        actions.book(ground.patient.id, ground.reason.id, ground.slot(0))
    with db.transaction(actor):
        assert Slot(colleague.id, 0) in shown(ground)
        actions.book(other_id, ground.reason.id, Slot(colleague.id, 0))
    with db.transaction(db.system("tests")):
        taken = session.execute(
            select(Claim.resource_id, func.count())
            .join(Resource, Resource.id == Claim.resource_id)
            .where(Resource.pool_id == pool.id)
            .group_by(Claim.resource_id)
        ).all()
    assert [count for _resource, count in taken] == [6, 6]


def test_a_cancelled_visit_gives_its_device_back(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        needs_one_of(ground, ["Échographe 1"])
        colleague = a_colleague(ground)
    with db.transaction(ground.actor):
        made = actions.book(ground.patient.id, ground.reason.id, ground.slot(0))
    with db.transaction(ground.actor):
        actions.cancel(queries.one_of_patients(made.id, {ground.patient.id}) or made, "not_needed")
    with db.transaction(ground.actor):
        assert Slot(colleague.id, 0) in shown(ground)


def test_a_hold_keeps_the_device_and_hands_it_over(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        needs_one_of(ground, ["Échographe 1"])
        colleague = a_colleague(ground)
    with db.transaction(ground.actor):
        kept = actions.hold(ground.reason.id, ground.slot(0))
    with db.transaction(db.system("tests")):
        assert Slot(colleague.id, 0) not in shown(ground)
    with db.transaction(ground.actor):
        made = actions.confirm(kept.id, ground.patient.id)
    with db.transaction(db.system("tests")):
        owners = session.scalars(select(Claim.owner_id).join(Resource, Resource.id == Claim.resource_id)).all()
    assert set(owners) == {made.id}


def test_a_device_out_of_use_serves_nobody(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        needs_one_of(ground, ["Échographe 1"])
        session.execute(update(Resource).values(out_of_use=True))
    with db.transaction(ground.actor), pytest.raises(SlotTaken):
        actions.book(ground.patient.id, ground.reason.id, ground.slot(0))


def test_a_session_takes_only_so_many_of_a_reason_but_for_agents(ground: Ground) -> None:
    with db.transaction(db.system("tests")):
        session.execute(update(SessionReason).values(most=1))
        actor, other_id = somebody("AUTRE")
    with db.transaction(ground.actor):
        made = actions.book(ground.patient.id, ground.reason.id, ground.slot(0))
    with db.transaction(actor):
        assert not shown(ground)
        with pytest.raises(SlotTaken):
            actions.book(other_id, ground.reason.id, ground.slot(4))
    with db.transaction(db.system("tests")):
        assert shown(ground, "phone")
        actions.book_by_phone(other_id, ground.reason.id, ground.slot(4))
    with db.transaction(ground.actor):
        own = queries.one_of_patients(made.id, {ground.patient.id}) or made
        actions.move(own, ground.slot(8))
    with db.transaction(db.system("tests")):
        assert session.scalars(select(SessionReason.taken)).one() == 2


class TestAnOffer:
    def test_keeps_the_time_until_the_patient_accepts(self, ground: Ground) -> None:
        with db.transaction(db.system("tests")):
            until = db.now().replace(year=db.now().year + 1)
            kept = actions.keep_for(ground.patient.id, ground.reason.id, ground.slot(0), until, "proposal")
            assert ground.slot(0) not in shown(ground)
        with db.transaction(ground.actor):
            made = actions.confirm(kept.id, ground.patient.id)
        with db.transaction(db.system("tests")):
            assert set(session.scalars(select(Claim.owner_id))) == {made.id}

    def test_is_nobody_elses_to_accept(self, ground: Ground) -> None:
        with db.transaction(db.system("tests")):
            until = db.now().replace(year=db.now().year + 1)
            kept = actions.keep_for(ground.patient.id, ground.reason.id, ground.slot(0), until, "offer")
            actor, other_id = somebody("AUTRE")
        with db.transaction(actor), pytest.raises(HoldEnded):
            actions.confirm(kept.id, other_id)

    def test_moves_an_appointment_there_and_frees_the_former_time(self, ground: Ground) -> None:
        freed: list[UUID] = []
        with db.transaction(ground.actor):
            made = actions.book(ground.patient.id, ground.reason.id, ground.slot(6))
        with db.transaction(db.system("tests")):
            until = db.now().replace(year=db.now().year + 1)
            kept = actions.keep_for(ground.patient.id, ground.reason.id, ground.slot(4), until, "offer")
        actions.when_freed(freed.append)
        with db.transaction(ground.actor):
            own = queries.one_of_patients(made.id, {ground.patient.id}) or made
            actions.move_to(kept.id, own)
        with db.transaction(db.system("tests")):
            own = queries.one_of_patients(made.id, {ground.patient.id}) or made
            opened = session.get_one(ConsultationSession, ground.opened.id)
            assert own.first_cell == 4
            assert freed == [opened.id]
            assert opened.open & ~opened.free == 0b11 << 4
            claimed = session.scalars(select(func.count()).select_from(Claim)).one()
        assert claimed == 12
