"""Requests are not kept for ever: what remains says that one was made, and nothing of anybody's health."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select

from portal import audit, db, files_erasing
from portal.db import session
from portal.files import StoredFile
from services.referrals import states
from services.referrals.models import Referral, ReferralFile, ReferralMessage, ReferralTarget


def is_old(before: datetime) -> ColumnElement[bool]:
    """Over at that unit before that moment, with words that are still there."""
    target = ReferralTarget
    return target.state.not_in(states.LIVE) & (target.changed_at < before) & target.forgotten_at.is_(None)


def forget_one(target_id: UUID, before: datetime) -> bool:
    """As the system: what was answered and written at one unit; with the last unit, the request itself. False when it
    is not due any more."""
    query = select(ReferralTarget).where(ReferralTarget.id == target_id, is_old(before))
    target = session.scalar(query.with_for_update(key_share=True))
    if target is None:
        return False
    _forget_thread(target)
    target.answers = target.opinion = target.advice = ""
    target.forgotten_at = db.now()
    session.flush()
    _forget_request(target.referral)
    audit.record(
        "referral.forgotten",
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )
    return True


def _forget_thread(target: ReferralTarget) -> None:
    mine = select(ReferralMessage.id).where(ReferralMessage.target_id == target.id)
    _erase(ReferralFile.message_id.in_(mine))
    session.execute(delete(ReferralMessage).where(ReferralMessage.target_id == target.id))


def _forget_request(referral: Referral) -> None:
    """Once no unit holds anything of it: whom it was about is a year of birth, and nothing else."""
    kept = select(ReferralTarget.id).where(
        ReferralTarget.referral_id == referral.id,
        ReferralTarget.forgotten_at.is_(None),
        ReferralTarget.received_at.is_not(None) | ReferralTarget.state.in_(states.LIVE),
    )
    if session.scalar(kept.limit(1)) is not None:
        return
    _erase(ReferralFile.referral_id == referral.id)
    for name in ("question", "birth_name", "first_name", "mobile", "email", "postal_address"):
        setattr(referral, name, "")
    referral.birth_on = referral.birth_on.replace(month=1, day=1)
    session.flush()


def _erase(which: ColumnElement[bool]) -> None:
    stored = select(StoredFile).where(StoredFile.id.in_(select(ReferralFile.file_id).where(which)))
    for each in session.scalars(stored).all():
        if each.state != "erased":
            files_erasing.erase_later(each)
    session.flush()
    session.execute(delete(ReferralFile).where(which))
