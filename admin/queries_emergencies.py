"""What a file opened in an emergency shows: one patient, at one hospital, read only.

Row-level security lets these rows through for the agent who opened the file, and for an hour; each query names the
patient and the hospital as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from auth.models import EmergencyAccess, Patient, PatientRecord
from portal.db import session
from services.appointments.models import Appointment
from services.documents.models import Document
from services.preadmission import queries as preadmissions
from services.preadmission.answers import Relative
from services.preadmission.models import Preadmission

_MOST = 50


@dataclass(frozen=True)
class PlannedStay:
    """A pre-admission, and whom it names to be told."""

    file: Preadmission
    relative: Relative | None


@dataclass(frozen=True)
class OpenFile:
    """The patient and what the hospital has of them, latest first."""

    patient: Patient
    number: str
    appointments: Sequence[Appointment]
    preadmissions: Sequence[PlannedStay]
    documents: Sequence[Document]

    @property
    def naming(self) -> PlannedStay | None:
        """The latest pre-admission that says whom to tell."""
        return next((each for each in self.preadmissions if each.relative), None)


def open_file(opened: EmergencyAccess) -> OpenFile:
    """Everything the page shows."""
    record = session.get(PatientRecord, (opened.patient_id, opened.establishment_id))
    return OpenFile(
        session.get_one(Patient, opened.patient_id),
        (record.ipp if record else "") or "",
        _appointments(opened),
        _preadmissions(opened),
        _documents(opened),
    )


def document(opened: EmergencyAccess, document_id: UUID) -> Document | None:
    """One document of this patient at this hospital."""
    whole = (joinedload(Document.file), joinedload(Document.content))
    query = select(Document).where(
        Document.id == document_id,
        Document.patient_id == opened.patient_id,
        Document.establishment_id == opened.establishment_id,
        Document.state.in_(("filed", "superseded")),
    )
    return session.scalar(query.options(*whole))


def _appointments(opened: EmergencyAccess) -> Sequence[Appointment]:
    query = select(Appointment).where(
        Appointment.patient_id == opened.patient_id,
        Appointment.establishment_id == opened.establishment_id,
        Appointment.state == "booked",
    )
    whole = query.options(
        joinedload(Appointment.reason),
        joinedload(Appointment.practitioner),
        joinedload(Appointment.unit),
        joinedload(Appointment.establishment),
    )
    return session.scalars(whole.order_by(Appointment.start_at.desc()).limit(_MOST)).all()


def _preadmissions(opened: EmergencyAccess) -> Sequence[PlannedStay]:
    query = select(Preadmission).where(
        Preadmission.patient_id == opened.patient_id,
        Preadmission.establishment_id == opened.establishment_id,
        Preadmission.submitted_at.is_not(None),
    )
    whole = query.options(joinedload(Preadmission.unit))
    files = session.scalars(whole.order_by(Preadmission.planned_on.desc()).limit(_MOST)).all()
    named = preadmissions.relatives(file.id for file in files)
    return [PlannedStay(file, named.get(file.id)) for file in files]


def _documents(opened: EmergencyAccess) -> Sequence[Document]:
    query = select(Document).where(
        Document.patient_id == opened.patient_id,
        Document.establishment_id == opened.establishment_id,
        Document.state == "filed",
    )
    whole = query.options(joinedload(Document.establishment))
    return session.scalars(whole.order_by(Document.authored_at.desc()).limit(_MOST)).all()
