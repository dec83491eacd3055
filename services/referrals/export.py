"""What this room holds about a person, for the copy of their data: each request at each unit that was asked."""

from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from auth.account import export
from auth.account.export import Entry, Fact, Part
from portal.db import session
from services.referrals import wording
from services.referrals.models import Referral, ReferralMessage, ReferralTarget


def declare() -> None:
    export.contribute("referrals", part)


def part(patient_id: UUID) -> Part:
    """Every request that concerns them, where it was asked; messages that were written to them too."""
    rows = session.scalars(
        select(ReferralTarget)
        .join(ReferralTarget.referral)
        .options(
            contains_eager(ReferralTarget.referral).joinedload(Referral.professional),
            joinedload(ReferralTarget.establishment),
            joinedload(ReferralTarget.unit),
            joinedload(ReferralTarget.offer),
            selectinload(ReferralTarget.messages.and_(ReferralMessage.for_patient)),
        )
        .where(ReferralTarget.patient_id == patient_id, ReferralTarget.received_at.is_not(None))
        .order_by(ReferralTarget.received_at, ReferralTarget.id)
    ).all()
    return Part("referrals", _l("Requests that practitioners made"), [_entry(each) for each in rows])


def _entry(each: ReferralTarget) -> Entry:
    asked, tz = each.referral, each.establishment.tz
    facts = [
        Fact("reference", _l("Reference"), asked.reference),
        Fact("practitioner", _l("Practitioner"), asked.professional_name),
        Fact("hospital", _l("Hospital"), each.establishment.name),
        Fact("unit", _l("Unit"), each.unit.name),
        Fact("kind", _l("What is asked"), asked.kind, wording.KINDS[asked.kind]),
        Fact("urgency", _l("Urgency"), asked.urgency_label),
        Fact("question", _l("The question"), asked.question),
        Fact("sent_at", _l("Sent on"), asked.sent_at.astimezone(tz)),
        Fact("state", _l("State"), each.state, wording.STATES[each.state]),
        Fact("outcome_at", _l("Planned on"), each.outcome_at.astimezone(tz) if each.outcome_at else None),
        Fact("opinion", _l("Opinion"), each.opinion),
        Fact("advice", _l("Advice"), each.advice),
        Fact("messages", _l("Messages"), [message.text for message in each.messages]),
    ]
    return Entry(each.offer.name, [fact for fact in facts if fact.value])
