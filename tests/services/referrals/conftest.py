"""Two hospitals with an offer each, a practitioner who sends, agents who answer."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask

from auth.models import Account, Professional
from portal.db import Actor
from services.referrals.models import RIGHT, ReferralOffer
from tests.factories import hospitals, people, referrals
from tests.factories.hospitals import Hospital
from tests.ground import prepared


@dataclass(frozen=True)
class Ground:
    """north is asked first. stranger: another practitioner."""

    north: Hospital
    south: Hospital
    at_north: ReferralOffer
    at_south: ReferralOffer
    doctor: Professional
    stranger: Professional
    agent: Account
    far_agent: Account

    @property
    def here(self) -> UUID:
        return self.north.establishment.id

    @property
    def as_doctor(self) -> Actor:
        return people.as_professional(self.doctor)

    @property
    def as_agent(self) -> Actor:
        return people.as_agent(self.agent, self.here, RIGHT)

    @property
    def as_far_agent(self) -> Actor:
        return people.as_agent(self.far_agent, self.south.establishment.id, RIGHT)


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        return Ground(
            north,
            south,
            referrals.offer(north.unit),
            referrals.offer(south.unit),
            people.professional(),
            people.professional("10000000033", "AUTRE", "Anne"),
            people.agent(north.establishment.id, RIGHT),
            people.agent(south.establishment.id, RIGHT, name="Agent du Sud"),
        )
