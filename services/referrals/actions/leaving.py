"""A request ends early: the practitioner takes it back, the patient does not want it, nobody answered in time."""

from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from auth.models import Professional
from auth.records import as_system
from portal import audit, db, jobs
from portal.db import session
from portal.files import StoredFile
from services.referrals import standing, states
from services.referrals.actions import answering, sending
from services.referrals.models import Referral, ReferralFile, ReferralTarget

WHY_WITHDRAWN: Final = ("seen_elsewhere", "not_needed", "patient_refuses", "mistake", "other")


def withdraw(referral: Referral, why: str) -> None:
    """The practitioner takes the request back, wherever something is still open. Raises NotPossibleNow, ValueError."""
    if why not in WHY_WITHDRAWN:
        raise ValueError(why)
    _end(referral, "withdrawn", why, "referral.withdrawn")


def object_(referral: Referral, note: str = "") -> None:
    """The patient does not want it: every unit stops, both sides are told. Raises NotPossibleNow."""
    _end(referral, "objected", note, "referral.objected")


def waits_for_a_choice(referral_id: UUID) -> UUID | None:
    """The request at the unit that named another one, while its practitioner has neither agreed nor left it. As the
    system: a patient does not see the units that were not asked yet."""
    with as_system("referrals.proposal"):
        found = standing.proposal(
            session.scalars(
                select(ReferralTarget)
                .where(ReferralTarget.referral_id == referral_id)
                .execution_options(populate_existing=True)
            ).all()
        )
    return found.id if found else None


def take_objection_back(target: ReferralTarget) -> None:
    """The patient agrees after all: the unit owes an answer again. Raises NotPossibleNow."""
    if target.state != "objected":
        raise states.NotPossibleNow(target.state)
    answering.reopen(target, answering.OBJECTION_TAKEN_BACK)
    jobs.enqueue("referrals.tell_unit", target_id=str(target.id))


def lapse(target: ReferralTarget) -> None:
    """Nobody answered in time: the next unit is asked. Only where one waits. Raises NotPossibleNow."""
    sending.lock(target)
    session.add(states.move(target, "lapsed", db.current_actor()))
    target.answer_by = None
    _record("referral.lapsed", target)
    jobs.enqueue("referrals.tell_professional", target_id=str(target.id))
    jobs.enqueue("referrals.reach_next", referral_id=str(target.referral_id))


def claim(professional: Professional) -> int:
    """Give a practitioner who has just signed in the requests that their software sent under their RPPS number."""
    if not professional.rpps:
        return 0
    found = session.scalars(
        select(Referral)
        .where(Referral.rpps == professional.rpps, Referral.professional_id.is_(None))
        .order_by(Referral.id)
        .with_for_update(key_share=True)
    ).all()
    keys = [each.id for each in found]
    for referral in found:
        referral.professional_id = professional.id
    session.flush()
    session.execute(
        update(ReferralTarget).where(ReferralTarget.referral_id.in_(keys)).values(professional_id=professional.id)
    )
    joined = select(ReferralFile.file_id).where(ReferralFile.referral_id.in_(keys))
    session.execute(update(StoredFile).where(StoredFile.id.in_(joined)).values(professional_id=professional.id))
    for referral in found:
        audit.record("referral.claimed", object_kind="referral", object_id=referral.id)
    return len(found)


def _end(referral: Referral, state: str, note: str, action: str) -> None:
    is_open: ColumnElement[bool] = ReferralTarget.state.in_(states.LIVE)
    if state == "objected" and (chosen := waits_for_a_choice(referral.id)) is not None:
        # Nothing was asked of the unit that was named: it never is, then.
        is_open = or_(is_open, ReferralTarget.id == chosen)
    targets = session.scalars(
        select(ReferralTarget)
        .where(ReferralTarget.referral_id == referral.id, is_open)
        .order_by(ReferralTarget.position)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if not targets:
        raise states.NotPossibleNow
    for target in targets:
        session.add(states.move(target, state, db.current_actor(), note))
        target.answer_by = None
        if target.received_at is not None:
            _record(action, target)
            jobs.enqueue("referrals.tell_unit", target_id=str(target.id))
    if state == "objected":
        jobs.enqueue("referrals.tell_professional", target_id=str(targets[0].id))


def _record(action: str, target: ReferralTarget) -> None:
    audit.record(
        action,
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
    )
