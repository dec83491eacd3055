"""What a unit does with a request: read it, ask for more, accept, refuse, name another unit, end it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from auth.records import as_system
from portal import audit, db, jobs, kpi
from portal.db import session
from portal.establishments import Unit
from services.referrals import states
from services.referrals.actions import sending, thread
from services.referrals.models import ReferralChange, ReferralOffer, ReferralTarget

WHY_REFUSED: Final = ("not_ours", "no_place", "incomplete", "not_needed", "age", "elsewhere", "closed", "other")
OBJECTION_TAKEN_BACK: Final = "objection_taken_back"
TOLD_BY: Final = ("account", "post", "phone", "practitioner")
_MOST_HOURS: Final = 24 * 90
"""Delays are counted by the hour, up to a quarter of a year: later is late all the same."""


class AdviceMissing(Exception):
    """A refusal says what to do instead; an opinion says something."""


class NoSuchOffer(Exception):
    """The other unit takes no such request, or was asked already."""


class SameOffer(Exception):
    """A unit names another one, not itself; and one that is open."""


@dataclass(frozen=True)
class Outcome:
    """What an acceptance becomes. kind: appointment | stay; id: of that row, in its own room; at: when."""

    kind: str
    id: UUID | None = None
    at: datetime | None = None


def read(target: ReferralTarget) -> None:
    """An agent opens a request: it is written down, and the practitioner sees that it was."""
    if target.unit_seen_at is None:
        target.unit_seen_at = db.now()
    _record("referral.opened", target)


def list_read(establishment_id: UUID, count: int) -> None:
    """A list with names was shown."""
    audit.record("referral_list.opened", establishment_id=establishment_id, count=count)


def letter_made(target: ReferralTarget) -> None:
    """The answer was printed for the patient."""
    _record("referral.letter_made", target)


def assign(target: ReferralTarget, account_id: UUID | None, name: str) -> None:
    """Say who has it in charge at the unit; None: nobody any more."""
    sending.lock(target)
    target.assigned_id, target.assigned_name = account_id, name
    _record("referral.assigned", target)


def ask(target: ReferralTarget, text: str, *, file_ids: Sequence[UUID] = ()) -> None:
    """The unit needs more: its clock stops until the practitioner answers. Raises NotPossibleNow, EmptyMessage."""
    sending.lock(target)
    session.add(states.move(target, "asked", db.current_actor()))
    target.answer_by = None
    thread.add(target, text, file_ids)
    _record("referral.asked", target)
    _tell(target)


def accept(target: ReferralTarget, outcome: Outcome, text: str = "") -> None:
    """The unit takes the patient, at a date or in a stay. text: a word to the practitioner. Raises NotPossibleNow."""
    sending.lock(target)
    _decide(target, "accepted")
    target.outcome_kind, target.outcome_id, target.outcome_at = outcome.kind, outcome.id, outcome.at
    if text.strip():
        thread.add(target, text)
    _record("referral.accepted", target, outcome=outcome.kind)
    _count(target, "accepted")
    _tell(target)


def reschedule(target: ReferralTarget, at: datetime | None) -> None:
    """The date of what it became has changed. Raises NotPossibleNow."""
    sending.lock(target)
    if target.state != "accepted":
        raise states.NotPossibleNow(target.state)
    target.outcome_at, target.changed_at = at, db.now()
    _record("referral.rescheduled", target)
    _tell(target)


def give_opinion(target: ReferralTarget, opinion: str, *, file_ids: Sequence[UUID] = ()) -> None:
    """The unit says what it thinks, and the request is over. Raises NotPossibleNow, AdviceMissing."""
    if not opinion.strip() and not file_ids:
        raise AdviceMissing
    sending.lock(target)
    _decide(target, "completed")
    target.outcome_kind, target.opinion = "opinion", opinion.strip()
    if file_ids:
        thread.add(target, opinion, file_ids)
    _record("referral.opinion_given", target)
    _count(target, "accepted")
    _tell(target)


def refuse(target: ReferralTarget, why: str, advice: str) -> None:
    """The unit cannot; it says why and what to do. The next unit of the list is asked. Raises NotPossibleNow,
    AdviceMissing, ValueError for an unknown reason."""
    if why not in WHY_REFUSED:
        raise ValueError(why)
    if not advice.strip():
        raise AdviceMissing
    sending.lock(target)
    _decide(target, "refused", why)
    target.why, target.advice = why, advice.strip()
    _record("referral.refused", target, why=why)
    _count(target, "refused")
    _tell(target)
    jobs.enqueue("referrals.reach_next", referral_id=str(target.referral_id))


def redirect(target: ReferralTarget, offer: ReferralOffer, text: str) -> None:
    """The unit names another one; the practitioner decides. Raises NotPossibleNow, SameOffer, AdviceMissing."""
    if offer.id == target.offer_id or not offer.is_open:
        raise SameOffer
    if not text.strip():
        raise AdviceMissing
    sending.lock(target)
    _decide(target, "redirected")
    target.proposed_id, target.advice = offer.id, text.strip()
    _record("referral.redirected", target)
    _count(target, "redirected")
    _tell(target)


def hand_over(target: ReferralTarget, unit: Unit) -> None:
    """The unit closes: another one of its hospital answers instead, within the same time. Raises NotPossibleNow,
    NoSuchOffer."""
    sending.lock(target)
    if target.state not in states.OPEN:
        raise states.NotPossibleNow(target.state)
    offer = _same_at(target, unit)
    if offer is None:
        raise NoSuchOffer
    target.unit_id, target.offer_id, target.unit, target.offer = unit.id, offer.id, unit, offer
    target.assigned_id, target.assigned_name, target.unit_seen_at = None, "", None
    session.flush()
    _record("referral.handed_over", target, unit=str(unit.id))
    jobs.enqueue("referrals.tell_unit", target_id=str(target.id))


def _same_at(target: ReferralTarget, unit: Unit) -> ReferralOffer | None:
    """What the unit takes of that kind and at that age, of the same speciality rather than of another."""
    referral, offer = target.referral, ReferralOffer
    asked = select(ReferralTarget.offer_id).where(ReferralTarget.referral_id == referral.id)
    query = select(offer).where(
        offer.unit_id == unit.id,
        offer.establishment_id == target.establishment_id,
        offer.kind == referral.kind,
        offer.is_open,
        offer.id.not_in(asked),
    )
    found = session.scalars(query.order_by(offer.speciality != target.offer.speciality, offer.position, offer.id))
    return next((each for each in found if each.takes_age(sending.age_on(referral.birth_on, each))), None)


def complete(target: ReferralTarget) -> None:
    """The patient was seen, or the stay has begun. Raises NotPossibleNow."""
    sending.lock(target)
    session.add(states.move(target, "completed", db.current_actor()))
    _record("referral.completed", target)
    _tell(target)


def reopen(target: ReferralTarget, note: str = "") -> None:
    """A refusal is taken back, or what was agreed has fallen through: the unit owes an answer again. Raises
    NotPossibleNow: also while the patient objects, which nobody else takes back."""
    sending.lock(target)
    if note != OBJECTION_TAKEN_BACK and _patient_objects(target.referral_id):
        raise states.NotPossibleNow(target.state)
    session.add(states.move(target, "received", db.current_actor(), note))
    target.outcome_kind, target.outcome_id, target.outcome_at = "", None, None
    target.why = target.advice = ""
    target.answered_at = None
    sending.start_clock(target)
    _record("referral.reopened", target)
    _tell(target)


def _patient_objects(referral_id: UUID) -> bool:
    """Whether the patient's last word is that they do not want it. As the system: they may have said so to another
    hospital."""
    change = ReferralChange
    said = or_(change.to_state == "objected", change.note == OBJECTION_TAKEN_BACK)
    with as_system("referrals.objection"):
        last = session.scalar(
            select(change.to_state).where(change.referral_id == referral_id, said).order_by(change.at.desc()).limit(1)
        )
    return last == "objected"


def patient_told(target: ReferralTarget, by: str) -> None:
    """Somebody told the patient of the answer. by: one of TOLD_BY. Raises ValueError, NotPossibleNow while there is
    no answer."""
    if by not in TOLD_BY:
        raise ValueError(by)
    if target.state not in states.ANSWERED:
        raise states.NotPossibleNow(target.state)
    target.told_by, target.told_at = by, db.now()
    _record("referral.patient_told", target, by=by)


# -- the steps -----------------------------------------------------------------------------------------------------


def _decide(target: ReferralTarget, to: str, note: str = "") -> None:
    actor = db.current_actor()
    session.add(states.move(target, to, actor, note))
    target.answered_at, target.answer_by = target.changed_at, None
    target.decided_by_name = "" if actor.kind == "system" else actor.name


def _count(target: ReferralTarget, how: str) -> None:
    """quantity: minutes until the answer."""
    since = target.received_at or target.changed_at
    minutes = int((target.changed_at - since).total_seconds() // 60)
    hours = min(minutes // 60, _MOST_HOURS)
    for event, told, spent in (("referral_answered", how, minutes), ("referral_delay", str(hours), 0)):
        kpi.count(
            event,
            establishment_id=target.establishment_id,
            unit_id=target.unit_id,
            dimension=told,
            quantity=spent,
        )


def _tell(target: ReferralTarget) -> None:
    jobs.enqueue("referrals.tell_professional", target_id=str(target.id))
    if target.state != "asked":  # what the unit and the practitioner have to settle
        jobs.enqueue("referrals.tell_patient", target_id=str(target.id))


def _record(action: str, target: ReferralTarget, **details: str) -> None:
    audit.record(
        action,
        patient_id=target.patient_id,
        establishment_id=target.establishment_id,
        object_kind="referral_target",
        object_id=target.id,
        **details,
    )
