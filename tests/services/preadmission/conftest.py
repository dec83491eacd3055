"""A hospital that takes files online, a patient, a clerk, and a hospital next door."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from auth.models import Account, Patient
from portal import db
from portal.db import Actor
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import today


@dataclass(frozen=True)
class Ground:
    """account and patient: the same person. other_*: somebody else's, somewhere else."""

    hospital: Hospital
    account: Account
    patient: Patient
    clerk: Account
    other_hospital: Hospital
    other_account: Account
    other_patient: Patient
    other_clerk: Account

    @property
    def as_patient(self) -> Actor:
        return people.as_patient(self.account, self.patient)

    @property
    def as_clerk(self) -> Actor:
        return people.as_agent(self.clerk, self.hospital.establishment.id, "preadmission")

    @property
    def as_other_patient(self) -> Actor:
        return people.as_patient(self.other_account, self.other_patient)

    @property
    def as_other_clerk(self) -> Actor:
        return people.as_agent(self.other_clerk, self.other_hospital.establishment.id, "preadmission")


@pytest.fixture(autouse=True)
def _ground() -> None:
    """No application context around the test: it would share `g` between its requests."""


@pytest.fixture
def ground(app: Flask) -> Ground:
    with db.transaction(db.system("tests")):
        here = hospitals.hospital(phone="01 99 00 10 00")
        there = hospitals.hospital("990000025", "Hôpital d’à côté")
        account, patient = people.patient_with_account()
        other_account, other_patient = people.patient_with_account(birth_name="DURAND")
        return Ground(
            here, account, patient, people.agent(here.establishment.id, "preadmission"),
            there, other_account, other_patient, people.agent(there.establishment.id, "preadmission"),
        )  # fmt: skip


@pytest.fixture
def in_ten_days() -> dict[str, str]:
    """The three boxes of a day that is neither past nor near."""
    day = today() + timedelta(days=10)
    return {"planned_on-day": str(day.day), "planned_on-month": str(day.month), "planned_on-year": str(day.year)}
