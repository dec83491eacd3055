"""A practitioner and an agent with addresses, a door of mail that keeps what leaves, and a clock that tests move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from auth.agents.models import StaffUnit
from auth.models import Account
from auth.news import gathering, sending
from auth.news.models import NewsMessage
from portal import db
from portal.gateways.mail.twin import MailTwin
from portal.notifications import _outbox
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared

PARIS = ZoneInfo("Europe/Paris")


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """By the clock of Paris, in June 2026; the second is a Tuesday, the sixth a Saturday."""
    return datetime(2026, 6, day, hour, minute, tzinfo=PARIS)


@dataclass(frozen=True)
class Ground:
    hospital: Hospital
    doctor: UUID
    """Her account."""
    agent: UUID
    other: UUID


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        place = hospitals.hospital()
        doctor, other = people.professional().account_id, people.professional("10000000025", "BLANC").account_id
        agent = people.agent(place.establishment.id, "documents", "appointments")
        for account_id, name in ((doctor, "leroy"), (other, "blanc")):
            db.session.get_one(Account, account_id).email = f"{name}@exemple.test"
        db.session.add(StaffUnit(account_id=agent.id, unit_id=place.unit.id, establishment_id=place.establishment.id))
    return Ground(place, doctor, agent.id, other)


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> MailTwin:
    twin = MailTwin()
    monkeypatch.setattr(_outbox, "door", twin)
    return twin


Gather = Callable[[datetime], int]


@pytest.fixture
def gather() -> Gather:
    """Do what the minute's job does, at that moment; returns how many messages were made."""

    def gathered(now: datetime) -> int:
        with prepared():
            found = gathering.accounts(now)
        made = 0
        for account_id in found:
            with prepared():
                made += gathering.gather(account_id, now)
        return made

    return gathered


@pytest.fixture
def send() -> Gather:
    """Send what was made, at that moment; returns how many messages left."""

    def sent(now: datetime) -> int:
        with prepared():
            waiting = db.session.scalars(select(NewsMessage.id).where(NewsMessage.state == "waiting")).all()
        left = 0
        for message_id in waiting:
            with prepared():
                parting = sending.prepare(message_id, now)
            assert parting is not None
            if parting.withheld:
                with prepared():
                    sending.settle(message_id, "withheld", parting.withheld)
            elif parting.later_at is None:
                parting.leave()
                with prepared():
                    sending.settle(message_id, "sent")
                left += 1
        return left

    return sent
