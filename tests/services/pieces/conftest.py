"""A person with a folder at a hospital, its clerk, and the hospital next door."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from PIL import Image

from auth.models import Account, Patient
from portal import db, files
from portal.db import Actor
from portal.files import StoredFile
from services.pieces import actions, queries
from services.pieces.models import Piece
from tests.factories import hospitals, people
from tests.factories.hospitals import Hospital


@dataclass(frozen=True)
class Ground:
    here: Hospital
    there: Hospital
    account: Account
    patient: Patient
    clerk: Account
    clerk_there: Account
    other_account: Account
    other_patient: Patient

    @property
    def as_patient(self) -> Actor:
        return people.as_patient(self.account, self.patient)

    @property
    def as_other_patient(self) -> Actor:
        return people.as_patient(self.other_account, self.other_patient)

    @property
    def as_clerk(self) -> Actor:
        return people.as_agent(self.clerk, self.here.establishment.id, "preadmission")

    @property
    def as_clerk_there(self) -> Actor:
        return people.as_agent(self.clerk_there, self.there.establishment.id, "preadmission")

    @property
    def as_nurse(self) -> Actor:
        return people.as_agent(self.clerk, self.here.establishment.id, "care")


@pytest.fixture(autouse=True)
def _ground() -> None:
    """No application context around the test: it would share `g` between its requests."""


@pytest.fixture
def ground(app: Flask) -> Ground:
    with db.transaction(db.system("tests")):
        here, there = hospitals.hospital(), hospitals.hospital("990000025", "Hôpital d’à côté")
        account, patient = people.patient_with_account()
        other_account, other_patient = people.patient_with_account(birth_name="DURAND")
        return Ground(
            here, there, account, patient, people.agent(here.establishment.id, "preadmission"),
            people.agent(there.establishment.id, "preadmission"), other_account, other_patient,
        )  # fmt: skip


def photo(colour: str = "white", size: tuple[int, int] = (64, 40), kind: str = "PNG") -> bytes:
    """A plain photograph; two colours are two different files."""
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, kind)
    return made.getvalue()


def stored(content: bytes | None = None, name: str = "carte.png") -> StoredFile:
    """An upload of the current actor, not attached yet."""
    arriving = files.from_bytes([photo() if content is None else content])
    return files.receive(arriving, name, kinds=files.PHOTOGRAPHED)


def piece_of(folder_id: UUID, kind: str) -> Piece:
    """The piece of that kind, as the current actor sees it."""
    return next(each for each in queries.of_folder(folder_id, withdrawn=True) if each.kind == kind)


@pytest.fixture
def folder(ground: Ground) -> Callable[..., UUID]:
    """`folder({"identity": True})`: a folder of the patient that asks for these pieces, seen by its hospital."""

    def made(asked: Mapping[str, bool] | None = None, place: Hospital | None = None, *, shared: bool = True) -> UUID:
        folder_id, at = uuid4(), (place or ground.here).establishment.id
        with db.transaction(ground.as_patient):
            actions.require(folder_id, at, ground.patient.id, asked or {"identity": True})
            if shared:
                actions.share(folder_id, ground.patient.id, at)
        return folder_id

    return made


@pytest.fixture
def accepted(ground: Ground, folder: Callable[..., UUID]) -> Callable[..., UUID]:
    """`accepted("identity", expires_on)`: the id of a piece that the clerk has accepted."""

    def made(kind: str = "identity", expires_on: object = None, content: bytes | None = None) -> UUID:
        folder_id = folder({kind: True})
        with db.transaction(ground.as_patient):
            actions.send(piece_of(folder_id, kind), stored(content).id, expires_on)
        with db.transaction(ground.as_clerk):
            piece = piece_of(folder_id, kind)
            actions.accept(piece)
            return piece.id

    return made
