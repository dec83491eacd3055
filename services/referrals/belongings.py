"""Whom a referral is about follows when the hospital finds who it is, and comes back when it was wrong."""

from sqlalchemy import update

from auth.enrolment.belongings import Belongings, Move, Rows, register
from portal import jobs
from portal.db import session
from services.referrals.models import ReferralTarget


def adopt(move: Move) -> Rows:
    """The requests at that hospital are about the person it knows."""
    moved = session.scalars(
        update(ReferralTarget)
        .where(ReferralTarget.establishment_id == move.establishment_id, ReferralTarget.patient_id == move.from_id)
        .values(patient_id=move.to_id)
        .returning(ReferralTarget.id)
    ).all()
    for target_id in moved:
        jobs.enqueue("referrals.tell_patient", target_id=str(target_id))
    return {"referral_target": moved}


def release(move: Move, moved: Rows) -> None:
    """The link was wrong."""
    session.execute(
        update(ReferralTarget)
        .where(ReferralTarget.id.in_(moved.get("referral_target", ())), ReferralTarget.patient_id == move.from_id)
        .values(patient_id=move.to_id)
    )


def declare() -> None:
    """Say what is held here to whoever links people."""
    register(Belongings("referrals", adopt, release))
