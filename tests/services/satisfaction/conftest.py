"""Two hospitals, a patient, a practitioner, those who screen comments at the first and an agent who books."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Patient, Professional
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared


@dataclass(frozen=True)
class Ground:
    north: Hospital
    south: Hospital
    account: Account
    patient: Patient
    gp: Professional
    officer: Account
    southern: Account
    clerk: Account


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        account, patient = people.patient_with_account()
        people.known_at(patient, north.establishment.id)
        return Ground(
            north,
            south,
            account,
            patient,
            people.professional("10000000017", "LEROY", "Paul"),
            people.agent(north.establishment.id, "administration", name="Odile Officier"),
            people.agent(south.establishment.id, "administration", name="Sonia Sud"),
            people.agent(north.establishment.id, "appointments", name="Clara Clerc"),
        )


@pytest.fixture
def browser(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    """The patient's."""
    return sign_in(ground.account)
