"""What was agreed changes afterwards: the visit is moved, cancelled, kept or missed. And nobody answers in time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from portal import jobs
from portal.db import session
from services.referrals import deadlines, outcomes, states
from services.referrals.actions import answering, leaving
from services.referrals.models import ReferralTarget
from services.referrals.outcomes import Standing

_AT_ONCE: Final = 500
_AGAIN: Final = timedelta(days=1)


# -- what was agreed -----------------------------------------------------------------------------------------------


def agreed(after: UUID | None = None) -> Sequence[ReferralTarget]:
    """Accepted requests that became something, in pages: those that may have changed."""
    query = (
        select(ReferralTarget)
        .where(ReferralTarget.state == "accepted", ReferralTarget.outcome_id.is_not(None))
        .order_by(ReferralTarget.id)
        .limit(_AT_ONCE)
    )
    return session.scalars(query.where(ReferralTarget.id > after) if after else query).all()


def look_at(targets: Sequence[ReferralTarget]) -> int:
    """Let these requests follow what they became; returns how many have changed."""
    changed = 0
    for kind in ("appointment", "stay"):
        mine = {each.outcome_id: each for each in targets if each.outcome_kind == kind and each.outcome_id}
        for outcome_id, standing in outcomes.standings(kind, list(mine)).items():
            changed += follow(mine[outcome_id], standing)
    return changed


def follow(target: ReferralTarget, standing: Standing) -> bool:
    """One request follows what it became; False when there was nothing to do.

    A visit that fell through or was missed is the unit's again, and its clock starts: nobody is left without an answer.
    """
    if standing.state == outcomes.DONE:
        answering.complete(target)
    elif standing.state in (outcomes.FALLEN, outcomes.MISSED):
        answering.reopen(target, "visit_missed" if standing.state == outcomes.MISSED else "visit_cancelled")
    elif standing.at != target.outcome_at:
        answering.reschedule(target, standing.at)
    else:
        return False
    return True


# -- nobody answered -----------------------------------------------------------------------------------------------


def late(now: datetime) -> Sequence[ReferralTarget]:
    """Requests that a unit should have answered, of which nobody was told for a day. now: aware."""
    told = ReferralTarget.escalated_at
    query = (
        select(ReferralTarget)
        .where(
            ReferralTarget.state == "received",
            ReferralTarget.answer_by < now,
            or_(told.is_(None), told < now - _AGAIN),
        )
        .order_by(ReferralTarget.answer_by, ReferralTarget.id)
        .limit(_AT_ONCE)
        .with_for_update(of=ReferralTarget, key_share=True, skip_locked=True)
    )
    return session.scalars(query).all()


def escalate_late(now: datetime) -> int:
    """Everybody who is late at that moment (aware), a page at once; returns how many gave way to the next unit."""
    return sum(escalate(each, now) for each in late(now))


def escalate(target: ReferralTarget, now: datetime) -> bool:
    """Whoever heads the unit is told; once twice the time has passed, the next unit of the list is asked instead.

    Returns whether the next one is.
    """
    if _is_given_up(target, now):
        leaving.lapse(target)
        return True
    target.escalated_at = now
    jobs.enqueue("referrals.tell_late", target_id=str(target.id))
    session.flush()
    return False


def _is_given_up(target: ReferralTarget, now: datetime) -> bool:
    if target.answer_by is None or target.state not in states.OPEN:
        return False
    place = target.establishment
    ends = deadlines.answer_by(target.answer_by, target.answer_hours, place.tz, place.holiday_rules)
    return now >= ends and _somebody_waits(target)


def _somebody_waits(target: ReferralTarget) -> bool:
    waiting = select(ReferralTarget.id).where(
        ReferralTarget.referral_id == target.referral_id, ReferralTarget.state == "waiting"
    )
    return session.scalar(waiting.limit(1)) is not None
