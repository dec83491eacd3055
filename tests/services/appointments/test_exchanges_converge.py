"""Push and pull converge: both sides change appointments at random while messages are lost, repeated, reordered and
refused for days; once the line is up again and what waits is told, both hold the same."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal import db
from portal.db import session
from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.his import hl7v2
from portal.gateways.his.contract import Dropped, NotAccepted
from portal.gateways.his.hl7v2 import Acknowledgement, Message
from services.appointments import actions as visits
from services.appointments import states as visit
from services.appointments.models import Appointment
from services.appointments.outside.models import OutsideTime
from services.appointments.slots import Slot
from services.exchanges import jobs
from services.exchanges.models import Delivery
from tests.factories import appointments, exchanges, people
from tests.services.appointments.conftest import Ground

LENGTH = timedelta(minutes=30)


@dataclass(frozen=True)
class Held:
    """An appointment as the hospital's system holds it."""

    start_at: datetime
    state: str


@dataclass
class Clock:
    """Both sides share one, which moves on at each step: crossings are decided by what was said last."""

    now: datetime

    def tick(self) -> datetime:
        self.now += timedelta(seconds=5)
        return self.now


@dataclass
class Hospital:
    """A hospital's system with an agenda of its own, an outbox, and a line that fails in every way.

    ours: the portal's appointments, by reference; theirs: its own, by number. outbox: said, and not accepted yet.
    """

    chance: Random
    clock: Clock
    ours: dict[str, Held] = field(default_factory=dict)
    theirs: dict[str, Held] = field(default_factory=dict)
    outbox: list[tuple[bytes, str]] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    answered: dict[str, Acknowledgement] = field(default_factory=dict)
    is_up: bool = True

    # -- what the portal tells it ------------------------------------------------------------------------------------

    def send(self, body: bytes, control_id: str) -> Acknowledgement:
        """See `HospitalSystem.send`."""
        if not self.is_up and self.chance.random() < 0.5:
            raise Unavailable("down")
        message = hl7v2.read(body)
        if control_id not in self.answered:
            self.answered[control_id] = self._apply(message)
        if not self.is_up:
            raise OutcomeUnknown("done, and nobody knows")
        if not self.answered[control_id].accepted:
            raise NotAccepted(self.answered[control_id])
        return self.answered[control_id]

    def _apply(self, message: Message) -> Acknowledgement:
        sch = message.first("SCH")
        reference = sch.value(1)
        known = self.ours.get(reference)
        start_at = datetime.strptime(sch.value(11, 4), "%Y%m%d%H%M%S%z").astimezone(UTC)
        state = "cancelled" if message.trigger == "S15" else "booked"
        if known is None and message.trigger != "S12":
            return Acknowledgement("AE", message.control_id, "204")
        if known is not None and known.state == "cancelled":
            return Acknowledgement("AA", message.control_id)  # a cancellation is final
        self.ours[reference] = Held(start_at, state)
        return Acknowledgement("AA", message.control_id)

    def check(self) -> None:
        """See `HospitalSystem.check`."""

    def dropped(self) -> list[Dropped]:
        """See `HospitalSystem.dropped`."""
        return []

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """See `HospitalSystem.settle`."""

    # -- what it tells the portal ------------------------------------------------------------------------------------

    def say(self, trigger: str, key: str, held: Held, *, is_ours: bool) -> None:
        placer, filler = (key, "") if is_ours else ("", key)
        body = exchanges.siu(
            trigger, uuid4().hex[:20], said_at=self.clock.tick(), start_at=held.start_at, placer=placer, filler=filler
        )
        self.outbox.append((body, key if is_ours else ""))
        self.said.append(body)

    def flush(self, establishment_id: UUID) -> None:
        """Tell what waits: in any order, some twice, some lost on the way, while the line is bad."""
        waiting, self.outbox = self.outbox, []
        if not self.is_up:
            self.chance.shuffle(waiting)
        for body, reference in waiting:
            fate = "arrives" if self.is_up else self.chance.choice(["arrives", "lost", "twice", "unanswered", "old"])
            if fate == "lost":
                self.outbox.append((body, reference))
                continue
            exchanges.hear(establishment_id, body)
            if fate == "twice":
                exchanges.hear(establishment_id, body)
            if fate == "old":
                exchanges.hear(establishment_id, self.chance.choice(self.said))
            if fate == "unanswered":
                self.outbox.append((body, reference))


@dataclass
class Sides:
    """The portal and the hospital, and what happens to them."""

    ground: Ground
    hospital: Hospital
    chance: Random
    clock: Clock
    patients: list[UUID]
    number: int = 0

    @property
    def here(self) -> UUID:
        return self.ground.hospital.establishment.id

    def mine(self) -> list[Appointment]:
        with db.transaction(db.system("tests")):
            return list(session.scalars(select(Appointment).order_by(Appointment.booked_at)))

    def slot(self) -> Slot:
        return Slot(self.ground.opened.id, self.chance.randrange(0, 22, 2))

    # -- the portal's side -------------------------------------------------------------------------------------------

    def book_here(self) -> None:
        self.try_(lambda: visits.book_by_phone(self.chance.choice(self.patients), self.ground.reason.id, self.slot()))

    def move_here(self) -> None:
        if found := self.one():
            self.try_(lambda: visits.move_for_patient(found, self.slot(), "patient_asked"))

    def cancel_here(self) -> None:
        if found := self.one():
            self.try_(lambda: visits.cancel_for_patient(found, "patient_asked"))

    def one(self) -> Appointment | None:
        booked = [each for each in self.mine() if each.state == visit.BOOKED]
        return self.chance.choice(booked) if booked else None

    def try_(self, change: object) -> None:
        self.clock.tick()
        try:
            with db.transaction(db.system("tests")):
                change()  # type: ignore[operator]  # a change, drawn by the machine
        except (visits.SlotTaken, visits.PatientBusy, visits.AlreadyOver):
            pass

    # -- the hospital's side -----------------------------------------------------------------------------------------

    def book_there(self) -> None:
        free = self.free_there()
        if free:
            self.number += 1
            held = Held(self.chance.choice(free), "booked")
            self.hospital.theirs[f"F{self.number}"] = held
            self.hospital.say("S12", f"F{self.number}", held, is_ours=False)

    def move_there(self) -> None:
        ours = self.chance.random() < 0.5
        book = self.hospital.ours if ours else self.hospital.theirs
        booked = [key for key, held in book.items() if held.state == "booked"]
        free = self.free_there()
        if booked and free:
            key = self.chance.choice(booked)
            book[key] = replace(book[key], start_at=self.chance.choice(free))
            self.hospital.say("S13", key, book[key], is_ours=ours)

    def cancel_there(self) -> None:
        ours = self.chance.random() < 0.5
        book = self.hospital.ours if ours else self.hospital.theirs
        if booked := [key for key, held in book.items() if held.state == "booked"]:
            key = self.chance.choice(booked)
            book[key] = replace(book[key], state="cancelled")
            self.hospital.say("S15", key, book[key], is_ours=ours)

    def free_there(self) -> list[datetime]:
        everything = [*self.hospital.ours.values(), *self.hospital.theirs.values()]
        taken = {held.start_at for held in everything if held.state == "booked"}
        return [at for at in (self.ground.opened.at(cell) for cell in range(0, 22, 2)) if at not in taken]

    # -- the line ----------------------------------------------------------------------------------------------------

    def exchange(self) -> None:
        self.clock.tick()
        exchanges.tick()
        self.hospital.flush(self.here)
        exchanges.come_back()

    def fail_or_mend(self) -> None:
        self.hospital.is_up = not self.hospital.is_up


@pytest.fixture
def moments(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The portal's clock is that of the test."""
    clock = Clock(datetime.now(UTC).replace(microsecond=0))
    monkeypatch.setattr(db, "now", lambda: clock.now)
    return clock


def test_where_both_have_moved_it_the_last_word_wins_on_both_sides(
    ground: Ground, moments: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = sides(ground, moments, 1, monkeypatch)
    both.book_here()
    both.exchange()
    (made,) = both.mine()
    both.try_(lambda: visits.move_for_patient(made, Slot(both.ground.opened.id, 14), "patient_asked"))
    said = Held(both.ground.opened.at(18), "booked")
    both.hospital.ours[made.reference] = said
    both.hospital.say("S13", made.reference, said, is_ours=True)
    settle(both)
    assert both.hospital.ours[made.reference] == said
    compare(both)


def sides(ground: Ground, clock: Clock, seed: int, monkeypatch: pytest.MonkeyPatch) -> Sides:
    chance = Random(seed)
    with db.transaction(db.system("tests")):
        exchanges.set_his(ground.hospital.establishment.id, "mllp://127.0.0.1:1")
        patients = [people.patient(f"PATIENT{n}").id for n in range(4)]
        opened = appointments.consultation(
            ground.hospital, [ground.reason], closes=appointments.time(15), opens=appointments.time(9),
            day=clock.now.date() + timedelta(days=20),
        )  # fmt: skip
    hospital = Hospital(chance, clock)
    monkeypatch.setattr(jobs, "system_of", lambda _establishment_id: hospital)
    return Sides(replace(ground, opened=opened), hospital, chance, clock, patients)


@pytest.mark.parametrize("seed", range(4))
def test_both_sides_hold_the_same_once_everything_is_told(
    ground: Ground, moments: Clock, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    both = sides(ground, moments, seed, monkeypatch)
    steps = [
        both.book_here, both.book_here, both.move_here, both.cancel_here, both.book_there, both.book_there,
        both.move_there, both.cancel_there, both.exchange, both.exchange, both.fail_or_mend,
    ]  # fmt: skip
    for _step in range(60):
        both.chance.choice(steps)()
    # At the end both sides change a lot and hear nothing of each other: everything crosses.
    for _step in range(12):
        both.chance.choice([both.move_here, both.move_there, both.move_there, both.cancel_there])()
    settle(both)
    compare(both)


def settle(both: Sides) -> None:
    """The line is up; agents settle what people must (two appointments at one hour), and nothing waits any more."""
    both.hospital.is_up = True
    for _round in range(12):
        both.exchange()
        if not agents_settle(both) and not both.hospital.outbox and not waiting():
            return
    raise AssertionError("they never come to rest")


def waiting() -> bool:
    with db.transaction(db.system("tests")):
        return session.scalar(select(Delivery.id).where(Delivery.state == "waiting").limit(1)) is not None


def agents_settle(both: Sides) -> bool:
    """As the screen of differences proposes: the hospital's own gives way, and the portal's is told as it is."""
    from services.appointments.exchanges import actions, queries

    with db.transaction(db.system("tests")):
        found = [(each.kind, each.appointment.id, each.theirs.external_id) for each in queries.differences([both.here])]
        for kind, appointment_id, _number in found:
            if kind == "elsewhere":
                actions.tell_again(session.get_one(Appointment, appointment_id))
    for kind, _appointment_id, number in found:
        held = both.hospital.theirs.get(number)
        if kind == "both" and held and held.state == "booked":
            both.hospital.theirs[number] = replace(held, state="cancelled")
            both.hospital.say("S15", number, held, is_ours=False)
    return bool(found)


def compare(both: Sides) -> None:
    with db.transaction(db.system("tests")):
        ours = {
            each.reference: Held(each.start_at.astimezone(UTC), each.state)
            for each in session.scalars(select(Appointment))
        }
        busy = {
            each.external_id: each.start_at.astimezone(UTC)
            for each in session.scalars(select(OutsideTime).where(OutsideTime.is_busy))
        }
        refused = list(session.scalars(select(Delivery).where(Delivery.state == "refused")))
    assert [each.event for each in refused] == []
    booked = {key: held for key, held in ours.items() if held.state == "booked"}
    assert {key: held for key, held in both.hospital.ours.items() if held.state == "booked"} == booked
    cancelled = {key for key, held in ours.items() if held.state == "cancelled"}
    assert {key for key, held in both.hospital.ours.items() if held.state == "cancelled"} == cancelled
    theirs = {key: held.start_at for key, held in both.hospital.theirs.items() if held.state == "booked"}
    assert busy == theirs
