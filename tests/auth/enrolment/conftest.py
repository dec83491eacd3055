"""A hospital that knows somebody by a number, and the same person with an account that it does not know yet."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from auth.models import Account, Patient
from portal.db import Actor
from services.appointments.models import Appointment
from services.billing.models import Bill
from services.documents.models import Document
from tests.factories import appointments, billing, documents, hospitals, people
from tests.factories.hospitals import Hospital
from tests.ground import prepared

IPP = "8001234567"


@dataclass(frozen=True)
class Ground:
    """known: the hospital's own description. patient, account: the same person at the portal. other_*: somebody else,
    known to another hospital."""

    hospital: Hospital
    known: Patient
    account: Account
    patient: Patient
    agent: Account
    other_hospital: Hospital
    other_account: Account
    other_patient: Patient
    other_agent: Account
    bill: Bill
    unclaimed: Bill
    appointment: Appointment
    document: Document

    @property
    def here(self) -> UUID:
        return self.hospital.establishment.id

    @property
    def finess(self) -> str:
        return self.hospital.establishment.finess

    @property
    def me(self) -> Actor:
        return people.as_patient(self.account, self.patient)

    @property
    def other(self) -> Actor:
        return people.as_patient(self.other_account, self.other_patient)

    @property
    def unit(self) -> Actor:
        """The hospital's identity unit."""
        return people.as_agent(self.agent, self.here, "identity")


@pytest.fixture
def sign_in(sign_in: Callable[[Account | UUID], FlaskClient]) -> Callable[[Account | UUID], FlaskClient]:
    """A browser that reads English: these tests are not about the French words."""

    def signed_in(account: Account | UUID) -> FlaskClient:
        browser = sign_in(account)
        browser.set_cookie("parvis_lang", "en")
        return browser

    return signed_in


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        return _ground()


def _ground() -> Ground:
    where, elsewhere = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital du sud")
    known = people.patient("LE GOFF", ("ANNE-MARIE", "JEANNE"), date(1951, 3, 2), birthplace_insee="2A004")
    people.known_at(known, where.establishment.id, IPP)
    account, patient = people.patient_with_account(
        birth_name="LE GOFF", first_names=("ANNE-MARIE", "JEANNE"), birth_on=date(1951, 3, 2), birthplace_insee="2A004"
    )
    other_account, other_patient = people.patient_with_account(birth_name="DUBOIS", first_names=("PAUL",), sex="M")
    people.known_at(other_patient, elsewhere.establishment.id, "99")
    return Ground(
        where, known, account, patient,
        people.agent(where.establishment.id, "identity", name="Cellule d’identité"),
        elsewhere, other_account, other_patient,
        people.agent(elsewhere.establishment.id, "identity", name="Cellule du sud"),
        *_belongings(where, known),
    )  # fmt: skip


def _belongings(where: Hospital, known: Patient) -> tuple[Bill, Bill, Appointment, Document]:
    """A bill, a bill that came before the hospital said whose number it is, an appointment by phone, a letter."""
    bill = billing.bill(where.establishment, known, reference="F2026001", ipp=IPP)
    unclaimed = billing.bill(where.establishment, None, reference="F2026002", ipp=IPP)
    why = appointments.reason(where.unit)
    appointment = appointments.booked(known, why, appointments.consultation(where, [why]))
    appointment.channel = "phone"
    documents.qualified(known)
    letter = documents.letter(documents.traits(known))
    document = documents.received(where.establishment, letter)
    return bill, unclaimed, appointment, document
