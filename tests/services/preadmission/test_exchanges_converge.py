"""After any outage, crash, repetition and disorder, the hospital's system holds what the portal says, nothing twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from portal import db
from portal.db import session
from portal.gateways import OutcomeUnknown, Unavailable
from portal.gateways.his import Parcel, hl7v2
from portal.gateways.his.contract import Dropped, NotAccepted
from portal.gateways.his.hl7v2 import Acknowledgement, Message
from services.exchanges import actions as exchange
from services.exchanges import jobs
from services.exchanges.models import Delivery
from services.preadmission import actions
from services.preadmission.models import Preadmission
from services.preadmission.states import READY, TransitionRefused
from tests.factories import exchanges, hospital_messages, preadmission
from tests.ground import prepared, today
from tests.services.preadmission.conftest import Ground

OVER = ("cancelled_by_patient", "cancelled_by_hospital", "refused")


class Crash(Exception):
    """The worker dies between the call and writing down what came of it."""


@dataclass
class Clock:
    now: datetime

    def tick(self) -> datetime:
        self.now += timedelta(seconds=5)
        return self.now


@dataclass
class Stay:
    """As the hospital's system holds it. created: how often it began to exist. visit: its number."""

    planned_on: str
    state: str
    created: int = 1
    visit: str = ""


@dataclass
class Hospital:
    """A hospital system whose line fails in every way, and which may refuse. outbox: said, not accepted yet."""

    chance: Random
    clock: Clock
    stays: dict[str, Stay] = field(default_factory=dict)
    answered: dict[str, Acknowledgement] = field(default_factory=dict)
    outbox: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)
    is_up: bool = True
    is_moody: bool = False
    kills: bool = False
    numbers: int = 0

    # -- what the portal tells it ------------------------------------------------------------------------------------

    def send(self, body: bytes, control_id: str) -> Acknowledgement:
        """See `HospitalSystem.send`."""
        if not self.is_up and self.chance.random() < 0.5:
            raise Unavailable("down")
        message = hl7v2.read(body)
        assert message.control_id == control_id
        if control_id not in self.answered:
            self.answered[control_id] = self._apply(message)
        if self.kills and self.chance.random() < 0.5:
            raise Crash
        if not self.is_up:
            raise OutcomeUnknown("done, and nobody knows")
        if not self.answered[control_id].accepted:
            raise NotAccepted(self.answered[control_id])
        return self.answered[control_id]

    def _apply(self, message: Message) -> Acknowledgement:
        zbe, control_id = message.first("ZBE"), message.control_id
        key, action = zbe.value(1), zbe.value(4)
        known = self.stays.get(key)
        if self.is_moody and self.chance.random() < 0.4:
            return Acknowledgement("AE", control_id, "207", "Champ refusé")
        if known is None:
            if action != "INSERT":
                return Acknowledgement("AE", control_id, "204", "Mouvement inconnu")
            self.stays[key] = Stay(message.first("EVN").value(3), "expected")
            return Acknowledgement("AA", control_id)
        known.created += action == "INSERT"
        if action == "CANCEL":
            known.state = "cancelled"
        elif known.state == "cancelled":
            return Acknowledgement("AE", control_id, "206", "Mouvement annulé")
        return Acknowledgement("AA", control_id)

    def put(self, parcel: Parcel) -> Acknowledgement:
        """See `HospitalSystem.put`."""
        raise AssertionError("this hospital reads messages")

    def check(self) -> None:
        """See `HospitalSystem.check`."""

    def dropped(self) -> list[Dropped]:
        """See `HospitalSystem.dropped`."""
        return []

    def settle(self, name: str, answer: bytes, *, accepted: bool) -> None:
        """See `HospitalSystem.settle`."""

    # -- what it tells the portal ------------------------------------------------------------------------------------

    def say(self, trigger: str, key: str, birth_on: object) -> None:
        stay = self.stays[key]
        self.numbers += not stay.visit
        stay.visit = stay.visit or f"V{self.numbers}"
        body = hospital_messages.adt(
            trigger, uuid4().hex[:20], said_at=self.clock.tick(), reference=key, visit=stay.visit, ipp="8000000001",
            birth_on=birth_on,  # type: ignore[arg-type]  # a day
        )  # fmt: skip
        self.outbox.append(body)
        self.said.append(body)

    def flush(self, establishment_id: UUID) -> None:
        """Tell what waits: in any order, some twice, some lost on the way, while the line is bad."""
        waiting, self.outbox = self.outbox, []
        if not self.is_up:
            self.chance.shuffle(waiting)
        for body in waiting:
            fate = "arrives" if self.is_up else self.chance.choice(["arrives", "lost", "twice", "unanswered", "old"])
            if fate == "lost":
                self.outbox.append(body)
                continue
            hospital_messages.hear(establishment_id, body)
            if fate == "twice":
                hospital_messages.hear(establishment_id, body)
            if fate == "old":
                hospital_messages.hear(establishment_id, self.chance.choice(self.said))
            if fate == "unanswered":
                self.outbox.append(body)


@dataclass
class Sides:
    ground: Ground
    hospital: Hospital
    chance: Random
    clock: Clock

    @property
    def here(self) -> UUID:
        return self.ground.hospital.establishment.id

    def files(self, *states: str) -> list[Preadmission]:
        with prepared():
            found = session.scalars(select(Preadmission).order_by(Preadmission.created_at, Preadmission.id))
            return [each for each in found if not states or each.state in states]

    def one(self, *states: str) -> Preadmission | None:
        found = self.files(*states)
        return self.chance.choice(found) if found else None

    # -- the portal's side -------------------------------------------------------------------------------------------

    def accept_another(self) -> None:
        with prepared():
            made = preadmission.preadmission(
                self.ground.patient, self.ground.hospital.unit, "in_review", account_id=self.ground.account.id,
                planned_on=today() + timedelta(days=self.chance.randrange(5, 40)),
            )  # fmt: skip
            preadmission.settle(made)
        self.change(made, actions.validate)

    def open_again(self) -> None:
        if found := self.one("validated", "transmitted"):
            self.change(found, actions.take)

    def accept_again(self) -> None:
        if found := self.one("in_review"):
            self.change(found, actions.validate)

    def cancel(self) -> None:
        if found := self.one("validated", "transmitted", "integrated", "in_review"):
            self.change(found, actions.cancel)

    def change(self, file: Preadmission, what: Callable[[Preadmission], None]) -> None:
        self.clock.tick()
        try:
            with prepared():
                what(session.get_one(Preadmission, file.id))
        except TransitionRefused:
            pass

    # -- the hospital's side -----------------------------------------------------------------------------------------

    def admit_there(self) -> None:
        if key := self.known("expected"):
            self.hospital.stays[key].state = "admitted"
            self.hospital.say("A01", key, self.ground.patient.birth_on)

    def discharge_there(self) -> None:
        if key := self.known("admitted"):
            self.hospital.stays[key].state = "discharged"
            self.hospital.say("A03", key, self.ground.patient.birth_on)

    def cancel_there(self) -> None:
        if key := self.known("expected"):
            self.hospital.stays[key].state = "cancelled"
            self.hospital.say("A38", key, self.ground.patient.birth_on)

    def known(self, state: str) -> str:
        found = sorted(key for key, stay in self.hospital.stays.items() if stay.state == state)
        return self.chance.choice(found) if found else ""

    # -- the line ----------------------------------------------------------------------------------------------------

    def exchange(self) -> None:
        self.clock.tick()
        self.hospital.flush(self.here)
        exchanges.come_back()
        try:
            exchanges.tick()
        except Crash:
            exchanges.come_back()  # its lease runs out, and another job goes on

    def fail_or_mend(self) -> None:
        self.hospital.is_up = not self.hospital.is_up

    def sulk_or_smile(self) -> None:
        self.hospital.is_moody = not self.hospital.is_moody

    def kill_or_spare(self) -> None:
        self.hospital.kills = not self.hospital.kills

    def agents_settle(self) -> bool:
        """They send again what was refused, as the screen proposes; what is over by then is not sent."""
        with prepared():
            refused = list(session.scalars(select(Delivery).where(Delivery.state == "refused")))
            for each in refused:
                exchange.replay(session.get_one(Delivery, each.id))
        for file in self.files("in_review"):
            self.change(file, actions.validate)
        return bool(refused)


@pytest.fixture
def both(ground: Ground, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Sides:
    """The portal's clock is that of the test, and the hospital's too."""
    clock = Clock(datetime.now(UTC).replace(microsecond=0))
    monkeypatch.setattr(db, "now", lambda: clock.now)
    chance = Random(request.param)
    with prepared():
        hospital_messages.follow(ground.hospital.establishment.id, "mllp://127.0.0.1:1")
    hospital = Hospital(chance, clock)
    monkeypatch.setattr(jobs, "system_of", lambda _establishment_id: hospital)
    return Sides(ground, hospital, chance, clock)


@pytest.mark.parametrize("both", range(4), indirect=True)
def test_both_sides_hold_the_same_once_everything_is_told(both: Sides) -> None:
    steps = [
        both.accept_another, both.accept_another, both.accept_another, both.open_again, both.accept_again,
        both.accept_again, both.cancel,
        both.admit_there, both.discharge_there, both.cancel_there, both.exchange, both.exchange, both.exchange,
        both.fail_or_mend, both.sulk_or_smile, both.kill_or_spare,
    ]  # fmt: skip
    for _step in range(100):
        both.chance.choice(steps)()
    settle(both)
    compare(both)


def settle(both: Sides) -> None:
    """The line is up, nobody sulks, and agents send again what was refused."""
    both.hospital.is_up, both.hospital.is_moody, both.hospital.kills = True, False, False
    for _round in range(10):
        both.exchange()
        waits = [each for each in deliveries() if each.state == "waiting"]
        if not both.agents_settle() and not both.hospital.outbox and not waits:
            return
    raise AssertionError("they never come to rest")


def deliveries() -> list[Delivery]:
    with prepared():
        return list(session.scalars(select(Delivery)))


def compare(both: Sides) -> None:
    files = both.files()
    assert len(files) >= 5, "the test should do something"
    assert {each.reference for each in files} >= both.hospital.stays.keys()
    for file in files:
        there = both.hospital.stays.get(file.reference)
        assert there is None or there.created == 1, "created twice"
        if file.state in READY or file.state == "closed":
            assert there is not None, file.state
            assert (
                there.state == {"transmitted": "expected", "integrated": "admitted", "closed": "discharged"}[file.state]
            )
            assert file.visit_number == there.visit
            assert there.planned_on == file.planned_on.strftime("%Y%m%d")
        else:
            assert file.state in OVER
            assert there is None or there.state == "cancelled"
    assert {each.state for each in deliveries()} <= {"accepted", "not_needed"}
