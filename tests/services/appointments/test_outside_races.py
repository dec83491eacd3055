"""The hospital's agenda speaks while patients book, cancel and move: nothing is in two places, nothing is lost."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from flask import Flask
from sqlalchemy import select, text

from portal import db
from portal.db import Actor, session
from services.appointments import actions, slots
from services.appointments.actions import AlreadyOver, NotBookable, PatientBusy, SlotTaken
from services.appointments.models import Appointment, ConsultationSession, Reason
from services.appointments.outside import actions as outside
from services.appointments.outside import spans
from services.appointments.outside.models import OutsideTime
from services.appointments.outside.spans import Span
from services.appointments.reasons import actions as reasons
from services.appointments.slots import Slot
from tests.factories import people
from tests.ground import prepared
from tests.services.appointments.conftest import Ground

EXPECTED = (SlotTaken, PatientBusy, NotBookable, AlreadyOver, actions.TooManyAppointments)
STEPS = 15
UNCLAIMED = text("""
select count(*) from outside_time t, generate_series(cast(:first as integer), cast(:last as integer)) as cell
where t.is_busy and not exists (
  select 1 from claim c where c.resource_id = t.practitioner_id and c.cell = cell)
  and cell >= floor(extract(epoch from t.start_at - '2020-01-01+00') / 300)
  and cell < ceil(extract(epoch from t.end_at - '2020-01-01+00') / 300)
""")
MISCOUNTED = text("""
select count(*) from session_reason r where most is not null and taken <> (select count(*) from appointment a
where a.session_id = r.session_id and a.reason_id = r.reason_id and a.state <> 'cancelled')
""")


@dataclass(frozen=True)
class Anybody:
    """One of those who act at once."""

    ground: Ground
    actor: Actor
    chance: Random

    def book(self) -> None:
        slot = Slot(self.ground.opened.id, self.chance.randrange(12))
        actions.book(min(self.actor.patients), self.ground.reason.id, slot)

    def give_back(self) -> None:
        for mine in session.scalars(select(Appointment).where(Appointment.state == "booked")).all()[:1]:
            actions.cancel(mine, "unavailable")

    def move(self) -> None:
        for mine in session.scalars(select(Appointment).where(Appointment.state == "booked")).all()[:1]:
            actions.move(mine, Slot(self.ground.opened.id, self.chance.randrange(12)))


def _patient(who: Anybody) -> None:
    with db.transaction(who.actor):
        who.chance.choice([who.book, who.book, who.give_back, who.move])()


def _agenda(who: Anybody) -> None:
    ground, chance = who.ground, who.chance
    name, since = f"A{chance.randrange(4)}", ground.opened.start_at + timedelta(minutes=5 * chance.randrange(30))
    with prepared():
        here = ground.hospital.establishment.id
        if chance.random() < 0.4:
            outside.free_outside(here, name)
        else:
            until = since + timedelta(minutes=5 * chance.randrange(1, 8))
            outside.take_outside(here, name, ground.hospital.practitioner.id, since, until)


def _desk(who: Anybody) -> None:
    with prepared():
        why = session.get_one(Reason, who.ground.reason.id)
        reasons.change(why, {"most_a_session": who.chance.choice([None, 2, 4])})


Deed = tuple[Callable[[Anybody], None], Anybody]


def _all_at_once(deeds: list[Deed]) -> list[BaseException]:
    failures = list[BaseException]()

    def run(deed: Callable[[Anybody], None], who: Anybody) -> None:
        for _step in range(STEPS):
            try:
                deed(who)
            except EXPECTED:
                pass
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=run, args=deed) for deed in deeds]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return failures


def test_whatever_happens_at_once_masks_and_claims_say_the_same(app: Flask, ground: Ground) -> None:
    with prepared():
        accounts = [people.patient_with_account(birth_name=name) for name in ("UN", "DEUX", "TROIS")]
    actors = [people.as_patient(account, patient) for account, patient in accounts]
    deeds: list[Deed] = [(_patient, Anybody(ground, actor, Random(seed))) for seed, actor in enumerate(actors)]
    deeds += [(_agenda, Anybody(ground, ground.actor, Random(seed))) for seed in (10, 11)]
    deeds += [(_desk, Anybody(ground, ground.actor, Random(20)))]
    assert _all_at_once(deeds) == []
    with prepared():
        reasons.recount()
        assert outside.mend() == 0
    _check(ground.opened.id)


def _check(session_id: UUID) -> None:
    with prepared():
        opened = session.get_one(ConsultationSession, session_id, populate_existing=True)
        busy = session.scalars(select(OutsideTime).where(OutsideTime.is_busy)).all()
        filled = spans.bits(opened, [Span(each.practitioner_id, each.start_at, each.end_at) for each in busy])
        for each in session.scalars(select(Appointment).where(Appointment.state != "cancelled")):
            filled |= slots.mask(each.first_cell, each.n_cells)
        assert opened.free == opened.open & ~filled
        cells = slots.claim_cells(opened.start_at - timedelta(hours=1), opened.at(opened.n_cells + 8))
        assert session.scalar(UNCLAIMED, {"first": cells.start, "last": cells.stop}) == 0
        assert session.scalar(MISCOUNTED) == 0
