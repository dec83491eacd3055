"""Places on the waiting list, and the time kept meanwhile, follow when two people turn out to be one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal.db import session
from services.appointments.models import Claim, Hold
from services.appointments.waiting.models import WaitingEntry, WaitingOffer


def adopt(move: Move) -> Rows:
    """Where the hospital's staff had put them."""
    moved = session.scalars(
        update(WaitingEntry)
        .where(WaitingEntry.establishment_id == move.establishment_id, WaitingEntry.patient_id == move.from_id)
        .values(patient_id=move.to_id)
        .returning(WaitingEntry.id)
    ).all()
    _follow(moved, move)
    return {"waiting_entry": moved}


def release(move: Move, moved: Rows) -> None:
    entries = list(moved.get("waiting_entry", ()))
    session.execute(update(WaitingEntry).where(WaitingEntry.id.in_(entries)).values(patient_id=move.to_id))
    _follow(entries, move)


def _follow(entries: Sequence[UUID], move: Move) -> None:
    """A person answers one offer at a time: what both were offered ends with the link."""
    later = {"synchronize_session": False}
    of_entries = WaitingOffer.entry_id.in_(entries)
    has_another = select(WaitingOffer.id).where(WaitingOffer.patient_id == move.to_id, WaitingOffer.outcome == "")
    if session.scalar(has_another):
        pending = update(WaitingOffer).where(of_entries, WaitingOffer.outcome == "")
        session.execute(pending.values(outcome="withdrawn"), execution_options=later)
    session.execute(update(WaitingOffer).where(of_entries).values(patient_id=move.to_id), execution_options=later)
    kept = select(WaitingOffer.hold_id).where(of_entries)
    session.execute(update(Hold).where(Hold.id.in_(kept)).values(patient_id=move.to_id), execution_options=later)
    named = Claim.owner_id.in_(kept) & Claim.owner_id.in_(select(Hold.id)) & Claim.patient_id.is_not(None)
    session.execute(update(Claim).where(named).values(patient_id=move.to_id), execution_options=later)


def declare() -> None:
    """Say what the waiting list holds to whoever links people."""
    register(Belongings("waiting_list", adopt, release))
