"""A hospital with a questionnaire, a patient, an agent of the care team, and a clerk who has nothing to see of it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Patient
from services.questionnaires.models import Questionnaire, SentQuestionnaire
from tests.factories import hospitals, people
from tests.factories import questionnaires as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared


@dataclass(frozen=True)
class Ground:
    hospital: Hospital
    elsewhere: Hospital
    account: Account
    patient: Patient
    nurse: Account
    clerk: Account
    asked: Questionnaire
    sent: SentQuestionnaire


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        account, patient = people.patient_with_account()
        people.known_at(patient, north.establishment.id, "8000001")
        asked = factory.questionnaire(north.establishment.id)
        return Ground(
            north,
            south,
            account,
            patient,
            people.agent(north.establishment.id, "care", name="Ida Infirmière"),
            people.agent(
                north.establishment.id, "preadmission", "appointments", "documents", "audit", name="Clara Clerc"
            ),
            asked,
            factory.sent(patient, north.unit, asked),
        )


@pytest.fixture
def browser(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    """The patient's."""
    return sign_in(ground.account)


@pytest.fixture
def desk(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    """The nurse's."""
    return sign_in(ground.nurse)
