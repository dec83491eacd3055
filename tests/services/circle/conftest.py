"""A patient known to two hospitals, a practitioner whom they let see, and another one whom they do not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Patient, Professional
from portal import db
from portal.db import session
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared


@dataclass(frozen=True)
class Ground:
    north: Hospital
    south: Hospital
    account: Account
    patient: Patient
    other_account: Account
    other: Patient
    gp: Professional
    stranger: Professional


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        account, patient = people.patient_with_account()
        other_account, other = people.patient_with_account(birth_name="AUTRE")
        for each in (patient, other):
            people.known_at(each, north.establishment.id)
        return Ground(
            north,
            south,
            account,
            patient,
            other_account,
            other,
            people.professional("10000000017", "LEROY", "Paul"),
            people.professional("10000000025", "PETIT", "Anne"),
        )


@pytest.fixture
def home(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    """The patient's browser."""
    return sign_in(ground.account)


@pytest.fixture
def practice(ground: Ground, sign_in: Callable[[Account], FlaskClient]) -> FlaskClient:
    """The practitioner's browser."""
    with prepared():
        account = session.get_one(Account, ground.gp.account_id)
    return sign_in(account)


def later(**parts: int) -> datetime:
    from datetime import timedelta

    return db.now() + timedelta(**parts)
