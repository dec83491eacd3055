"""A hospital with one reason and one morning of consultations, and a patient with an account."""

from dataclasses import dataclass

import pytest
from flask import Flask

from auth.models import Account, Patient
from portal import db
from portal.db import Actor
from services.appointments.models import ConsultationSession, Reason
from services.appointments.slots import Slot
from tests.factories import appointments, hospitals, people
from tests.factories.hospitals import Hospital


@dataclass(frozen=True)
class Ground:
    hospital: Hospital
    reason: Reason
    opened: ConsultationSession
    account: Account
    patient: Patient

    @property
    def actor(self) -> Actor:
        return people.as_patient(self.account, self.patient)

    def slot(self, cell: int = 0) -> Slot:
        return Slot(self.opened.id, cell)

    def address(self, cell: int = 0) -> str:
        return f"/rendez-vous/confirmer?reason={self.reason.id}&slot={self.slot(cell)}"


@pytest.fixture
def ground(app: Flask) -> Ground:
    with db.transaction(db.system("tests")):
        where = hospitals.hospital(phone="01 99 00 00 00")
        why = appointments.reason(where.unit)
        account, patient = people.patient_with_account()
        return Ground(where, why, appointments.consultation(where, [why]), account, patient)
