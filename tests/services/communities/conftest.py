"""A community, its people, and those who are not of it."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account
from services.communities.queries import Seat
from tests import ground
from tests.factories import communities, hospitals, people
from tests.factories.hospitals import Hospital

SignIn = Callable[[Account | UUID], FlaskClient]


@dataclass(frozen=True)
class Group:
    """A community at a hospital: somebody of each role, and those who have nothing to do with it."""

    hospital: Hospital
    elsewhere: Hospital
    seats: dict[str, Seat]
    stranger: Account
    administrator: Account

    @property
    def id(self) -> UUID:
        return self.seats["animator"].community.id

    @property
    def address(self) -> str:
        return f"/communautes/{self.id}"


@pytest.fixture
def group(app: Flask) -> Group:
    with ground.prepared():
        here = hospitals.hospital()
        elsewhere = hospitals.hospital("990000025", "Hôpital d’ailleurs")
        made = communities.community(here.establishment)
        seats = {}
        for role in ("animator", "moderator", "contributor", "member"):
            own = people.account("professional", f"Dr {role.upper()}", f"{role}@exemple.test")
            seats[role] = communities.seat(made, own, own.name, role)
        agent = people.agent(here.establishment.id, "care", name="Agente MEMBRE")
        seats["agent"] = communities.seat(made, agent, agent.name)
        return Group(
            here, elsewhere, seats, people.account("professional", "Dr ÉTRANGER", "etranger@exemple.test"),
            people.agent(here.establishment.id, "administration", name="Administratrice"),
        )  # fmt: skip


@pytest.fixture
def browser(group: Group, sign_in: SignIn) -> Callable[[str], FlaskClient]:
    """A browser of the member with this role."""
    return lambda role: sign_in(group.seats[role].member.account_id)
