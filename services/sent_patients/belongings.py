"""Whom a practitioner described is the person whom the hospital finds; nothing of that is shown here."""

from sqlalchemy import update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.sent_patients.models import SentPatient


def adopt(move: Move) -> Rows:
    """The next appointment booked for them is for the person the hospital knows."""
    moved = session.scalars(
        update(SentPatient)
        .where(SentPatient.establishment_id == move.establishment_id, SentPatient.patient_id == move.from_id)
        .values(patient_id=move.to_id)
        .returning(SentPatient.id)
    ).all()
    return {"sent_patient": moved}


def release(move: Move, moved: Rows) -> None:
    """The link was wrong."""
    session.execute(
        update(SentPatient)
        .where(SentPatient.id.in_(moved.get("sent_patient", ())), SentPatient.patient_id == move.from_id)
        .values(patient_id=move.to_id)
    )


def declare() -> None:
    """Say what is held here to whoever links people."""
    register(Belongings("sent_patients", adopt, release))
