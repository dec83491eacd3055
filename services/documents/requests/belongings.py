"""Requests follow when two people turn out to be one, and come back."""

from sqlalchemy import update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.documents.requests.models import RecordRequest


def adopt(move: Move) -> Rows:
    """What was asked of that hospital."""
    moved = session.scalars(
        update(RecordRequest)
        .where(RecordRequest.establishment_id == move.establishment_id, RecordRequest.patient_id == move.from_id)
        .values(patient_id=move.to_id)
        .returning(RecordRequest.id)
    ).all()
    return {"record_request": moved}


def release(move: Move, moved: Rows) -> None:
    asked = list(moved.get("record_request", ()))
    session.execute(update(RecordRequest).where(RecordRequest.id.in_(asked)).values(patient_id=move.to_id))


def declare() -> None:
    """Say what requests hold to whoever links people."""
    register(Belongings("record_requests", adopt, release))
