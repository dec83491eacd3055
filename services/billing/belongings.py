"""Bills that follow a patient's link to the hospital's number, and come back when it was wrong."""

from uuid import UUID

from sqlalchemy import func, or_, select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from auth.models import PatientRecord
from portal.db import session
from services.billing.models import Bill


def owner_of(establishment_id: UUID, number: str) -> UUID | None:
    """The hospital's patient whose bill bears this reference; nobody when two people's bills do."""
    at_hospital = (PatientRecord.establishment_id == Bill.establishment_id) & (PatientRecord.ipp == Bill.ipp)
    found = session.scalars(
        select(func.coalesce(Bill.patient_id, PatientRecord.patient_id))
        .outerjoin(PatientRecord, at_hospital & (Bill.ipp != ""))
        .where(Bill.establishment_id == establishment_id, Bill.reference == number)
        .distinct()
    ).all()
    return found[0] if len(found) == 1 else None


def adopt(move: Move) -> Rows:
    """Their bills, and those that came for their number before the hospital said whose it is."""
    unclaimed = Bill.patient_id.is_(None) & (Bill.ipp == move.ipp) & (Bill.ipp != "")
    moved = session.scalars(
        update(Bill)
        .where(Bill.establishment_id == move.establishment_id, or_(Bill.patient_id == move.from_id, unclaimed))
        .values(patient_id=move.to_id)
        .returning(Bill.id)
    )
    return {"bill": moved.all()}


def release(move: Move, moved: Rows) -> None:
    """Those that moved, and those that the billing system sent for the number since."""
    came_since = (Bill.ipp == move.ipp) & (Bill.ipp != "")
    session.execute(
        update(Bill)
        .where(
            Bill.establishment_id == move.establishment_id,
            Bill.patient_id == move.from_id,
            or_(Bill.id.in_(moved.get("bill", ())), came_since),
        )
        .values(patient_id=move.to_id)
    )


def declare() -> None:
    """Say what this room holds to whoever links people."""
    register(Belongings("billing", adopt, release, owner_of))
