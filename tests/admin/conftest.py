"""Two hospitals, and the people who administer them."""

from dataclasses import dataclass

import pytest
from flask import Flask

from auth.models import Account
from portal.establishments import Establishment
from tests.factories import hospitals, people
from tests.ground import prepared


@dataclass(frozen=True)
class Group:
    """The administrator holds that right in the north only; the director everywhere; the clerk has none of it."""

    north: Establishment
    south: Establishment
    administrator: Account
    director: Account
    auditor: Account
    clerk: Account


@pytest.fixture
def group(app: Flask) -> Group:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord").establishment
        south = hospitals.hospital("990000025", "Hôpital du Sud", open_services=("appointments",)).establishment
        director = people.agent(north.id, "administration", "audit", name="Dina Directrice")
        people.grant(director, south.id, "administration", "audit")
        return Group(
            north,
            south,
            people.agent(north.id, "administration", name="Adam Administrateur"),
            director,
            people.agent(north.id, "audit", name="Aude Auditrice"),
            people.agent(north.id, "preadmission", name="Clara Clerc"),
        )
