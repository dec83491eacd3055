"""Requests, and the times kept for them, follow when two people turn out to be one, and come back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from portal.files import StoredFile
from services.appointments.models import Claim, Hold
from services.appointments.requests.models import AppointmentRequest, Proposal, RequestMessage


def adopt(move: Move) -> Rows:
    """What was asked of that hospital, with letters and times still kept."""
    moved = session.scalars(
        update(AppointmentRequest)
        .where(
            AppointmentRequest.establishment_id == move.establishment_id,
            AppointmentRequest.patient_id == move.from_id,
        )
        .values(patient_id=move.to_id)
        .returning(AppointmentRequest.id)
    ).all()
    _follow(moved, move)
    return {"appointment_request": moved}


def release(move: Move, moved: Rows) -> None:
    asked = list(moved.get("appointment_request", ()))
    session.execute(update(AppointmentRequest).where(AppointmentRequest.id.in_(asked)).values(patient_id=move.to_id))
    _follow(asked, move)


def _follow(asked: Sequence[UUID], move: Move) -> None:
    later = {"synchronize_session": False}
    letters = select(RequestMessage.file_id).where(RequestMessage.request_id.in_(asked))
    session.execute(
        update(StoredFile)
        .where(StoredFile.id.in_(letters), StoredFile.patient_id == move.from_id)
        .values(patient_id=move.to_id),
        execution_options=later,
    )
    kept = select(Proposal.hold_id).where(Proposal.request_id.in_(asked), Proposal.outcome == "")
    session.execute(update(Hold).where(Hold.id.in_(kept)).values(patient_id=move.to_id), execution_options=later)
    named = Claim.owner_id.in_(kept) & Claim.patient_id.is_not(None)
    session.execute(update(Claim).where(named).values(patient_id=move.to_id), execution_options=later)


def declare() -> None:
    """Say what requests hold to whoever links people."""
    register(Belongings("appointment_requests", adopt, release))
