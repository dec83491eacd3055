"""Making a patient known to a hospital: what a booking, a pre-admission or a phone call does first."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from auth.models import Patient
from portal import audit, db
from portal.db import session


def open_record(patient_id: UUID, establishment_id: UUID) -> None:
    """Let the hospital's staff see the patient; does nothing when they already do."""
    session.execute(_OPEN, {"patient_id": patient_id, "establishment_id": establishment_id, "now": db.now()})


_OPEN = text(
    "insert into patient_record (patient_id, establishment_id, created_at)"
    " values (:patient_id, :establishment_id, :now) on conflict do nothing"
)


def register_patient(
    establishment_id: UUID,
    *,
    birth_name: str,
    first_name: str,
    birth_on: date,
    sex: str = "",
    mobile: str = "",
    email: str = "",
) -> Patient:
    """A patient typed by an agent (phone, desk): provisional identity, known to that hospital only."""
    patient = Patient(
        id=uuid4(),
        birth_name=birth_name.strip().upper(),
        first_names=[first_name.strip()],
        birth_on=birth_on,
        sex=sex,
        mobile=mobile,
        email=email,
    )
    _write(patient, establishment_id)
    audit.record(
        "patient.registered",
        patient_id=patient.id,
        establishment_id=establishment_id,
        object_kind="patient",
        object_id=patient.id,
    )
    return session.get_one(Patient, patient.id)


def _write(patient: Patient, establishment_id: UUID) -> None:
    """As the system: agents open records of patients they see, and nobody sees this one yet."""
    from auth.identity import actions as identity  # it opens records too

    with as_system("auth.register_patient"):
        session.add(patient)
        session.flush()
        open_record(patient.id, establishment_id)
        identity.note_duplicates(patient, has_account=False, establishment_id=establishment_id)


@contextmanager
def as_system(job: str) -> Iterator[None]:
    """The inside of an action that touches what its actor may not: done as the named job, then the actor is back."""
    actor = db.current_actor()
    db.act_as(db.system(job))
    try:
        yield
    except DBAPIError:
        raise  # the transaction is lost: nobody may act in it any more
    except Exception:
        db.act_as(actor)
        raise
    db.act_as(actor)
