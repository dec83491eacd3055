"""Two hospitals, the national test patient with a qualified identity, a namesake's world, an agent, practitioners."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event

from auth.models import Account, Patient, Professional
from portal import db
from portal.db import Actor
from services.documents import cda
from tests.factories import documents, hospitals, people
from tests.factories.hospitals import Hospital


@dataclass(frozen=True)
class Ground:
    """account and patient: Dominique PAT-TROIS. other_*: somebody else's, somewhere else."""

    hospital: Hospital
    account: Account
    patient: Patient
    agent: Account
    professional: Professional
    other_hospital: Hospital
    other_account: Account
    other_patient: Patient
    other_agent: Account
    other_professional: Professional

    @property
    def here(self) -> UUID:
        return self.hospital.establishment.id

    @property
    def traits(self) -> cda.Patient:
        return documents.traits(self.patient)

    @property
    def as_patient(self) -> Actor:
        return people.as_patient(self.account, self.patient)

    @property
    def as_other_patient(self) -> Actor:
        return people.as_patient(self.other_account, self.other_patient)

    @property
    def as_agent(self) -> Actor:
        return people.as_agent(self.agent, self.here, "documents")

    @property
    def as_other_agent(self) -> Actor:
        return people.as_agent(self.other_agent, self.other_hospital.establishment.id, "documents")

    @property
    def as_professional(self) -> Actor:
        return people.as_professional(self.professional)

    @property
    def as_other_professional(self) -> Actor:
        return people.as_professional(self.other_professional)


@pytest.fixture(autouse=True)
def _ground() -> None:
    """No application context around the test: it would share `g` between its requests."""


@pytest.fixture
def ground(app: Flask) -> Ground:
    with db.transaction(db.system("tests")):
        here = hospitals.hospital(phone="01 99 00 10 00")
        there = hospitals.hospital("990000025", "Hôpital d’à côté")
        account, patient = people.patient_with_account(
            birth_name="PAT-TROIS",
            first_names=("DOMINIQUE", "MARIE-LOUISE"),
            birth_on=date(1979, 3, 28),
            birthplace_insee="51215",
        )
        documents.qualified(patient)
        people.known_at(patient, here.establishment.id, "0012345")
        other_account, other_patient = people.patient_with_account(birth_name="AUTRUI", first_names=("Zoé",))
        people.known_at(other_patient, there.establishment.id, "0099")
        return Ground(
            here,
            account,
            patient,
            people.agent(here.establishment.id, "documents"),
            people.professional(),
            there,
            other_account,
            other_patient,
            people.agent(there.establishment.id, "documents"),
            people.professional("10000000025", "AUTRE", "Anne"),
        )


@pytest.fixture
def count_statements(app: Flask) -> Callable[[], object]:
    """`with count_statements() as counted:` then `len(counted)`."""
    engine = app.extensions["parvis.engine"]

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting
