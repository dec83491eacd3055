"""What tests of the admissions office stand on: a hospital and its neighbour, two clerks, files that can be judged."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from werkzeug.test import TestResponse

from auth.models import Account, Patient
from portal.files import StoredFile
from services.preadmission.models import Preadmission
from tests.factories import hospitals, people
from tests.factories import preadmission as factory
from tests.factories.hospitals import Hospital
from tests.ground import prepared, today

TRAY = "/admin/pre-admissions"


@dataclass(frozen=True)
class Office:
    """clerk and colleague: both at the hospital. stranger: a clerk next door. billing: no right on files."""

    hospital: Hospital
    elsewhere: Hospital
    clerk: Account
    colleague: Account
    stranger: Account
    billing: Account
    administrator: Account
    account: Account
    patient: Patient

    def file(
        self, state: str = "submitted", *, patient: Patient | None = None, in_days: int = 10, there: Sequence[str] = (),
        **facts: object,
    ) -> Preadmission:  # fmt: skip
        """A file of the patient; `there`: kinds of document that were sent and can be looked at."""
        with prepared():
            made = factory.preadmission(
                patient or self.patient, self.hospital.unit, state, planned_on=today() + timedelta(days=in_days),
                **facts,  # type: ignore[arg-type]  # arguments of the factory
            )  # fmt: skip
            pieces = factory.pieces_of(made)
            for kind in there:
                readable(factory.put(pieces[kind]).pages[0].file)
        return made


def readable(stored: StoredFile) -> None:
    """As the worker leaves a file: the antivirus accepted it, and its copy was made."""
    stored.state = "clean"


def office() -> Office:
    with prepared():
        here = hospitals.hospital(phone="01 99 00 10 00")
        there = hospitals.hospital("990000025", "Hôpital d’à côté")
        account, patient = people.patient_with_account()
        at = here.establishment.id
        return Office(
            here,
            there,
            people.agent(at, "preadmission", name="Clara Clerc"),
            people.agent(at, "preadmission", name="Colin Collègue"),
            people.agent(there.establishment.id, "preadmission", name="Sven Voisin"),
            people.agent(at, "billing", name="Bill Facture"),
            people.agent(at, "administration", name="Ada Administre"),
            account,
            patient,
        )


def address(file: Preadmission, rest: str = "") -> str:
    return f"{TRAY}/{file.id}{rest}"


def hidden(page: TestResponse | str, name: str) -> str:
    """What a hidden field of the page holds."""
    text = page if isinstance(page, str) else page.text
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', text)
    assert found, name
    return found[1]


def read(page: TestResponse) -> dict[str, str]:
    """The reading that a decision posts with."""
    return {"version": hidden(page, "version"), "at": hidden(page, "at")}


def prefixed(prefix: str, values: dict[str, str]) -> dict[str, str]:
    return {f"{prefix}-{name}": value for name, value in values.items()}


def piece_id(file: Preadmission, kind: str) -> UUID:
    with prepared():
        return factory.pieces_of(file)[kind].id
