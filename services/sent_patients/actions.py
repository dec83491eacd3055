"""What a practitioner of the city does to name a patient they send: describe them, to one hospital and to the next.

What is typed finds nobody: a provisional person is registered at the hospital, whose identity unit is told when they
resemble somebody. The practitioner reads the same answer whether or not they do.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from auth import records
from portal import audit
from portal.db import session
from services.sent_patients import queries
from services.sent_patients.models import SentPatient


@dataclass(frozen=True, repr=False)
class Described:
    """A patient in a practitioner's words: the strict traits (RNIV), and where to write to them if they gave it."""

    birth_name: str
    first_name: str
    birth_on: date
    sex: str
    mobile: str = ""
    email: str = ""


def describe(professional_id: UUID, establishment_id: UUID, told: Described) -> SentPatient:
    """Register somebody at a hospital, provisionally, for this practitioner."""
    with records.as_system("city.describe"):
        patient_id = records.register_patient(
            establishment_id,
            birth_name=told.birth_name,
            first_name=told.first_name,
            birth_on=told.birth_on,
            sex=told.sex,
            mobile=told.mobile,
            email=told.email,
        ).id
    sent = SentPatient(
        id=uuid4(),
        professional_id=professional_id,
        establishment_id=establishment_id,
        patient_id=patient_id,
        birth_name=told.birth_name.strip().upper(),
        first_name=told.first_name.strip(),
        birth_on=told.birth_on,
        sex=told.sex,
        mobile=told.mobile,
        email=told.email,
    )
    session.add(sent)
    session.flush()
    audit.record(
        "patient.described",
        patient_id=patient_id,
        establishment_id=establishment_id,
        object_kind="patient",
        object_id=patient_id,
    )
    return sent


def describe_again(sent: SentPatient, establishment_id: UUID) -> SentPatient:
    """The same person at this hospital: a hospital knows nothing of what another was told."""
    if sent.establishment_id == establishment_id:
        return sent
    told = Described(sent.birth_name, sent.first_name, sent.birth_on, sent.sex, sent.mobile, sent.email)
    return describe_once(sent.professional_id, establishment_id, told)


def describe_once(professional_id: UUID, establishment_id: UUID, told: Described) -> SentPatient:
    """Describe somebody to a hospital, unless this practitioner already did."""
    return queries.described_at(professional_id, establishment_id, told) or describe(
        professional_id, establishment_id, told
    )
