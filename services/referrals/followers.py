"""Subscribers who are told by signed webhooks that a request came to a hospital, or has changed there.

Told through the door of hospital systems, `services.exchanges`. Ids and states only: neither names nor health.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from portal.db import session
from portal.establishments import Establishment
from portal.gateways.his.hl7v2 import Message
from services.exchanges import subjects
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery
from services.exchanges.subjects import Heard, Subject, Written
from services.referrals.models import Referral, ReferralChange, ReferralTarget

SUBJECT: Final = "referral"
EVENTS: Final = ("referral.received", "referral.changed")
WORDS: Final[Mapping[str, object]] = {
    "referral.received": _l("Referral received"),
    "referral.changed": _l("Referral changed"),
}
JOB: Final = "referrals.followers"
AT_ONCE: Final = 5000

_PLAN = text("""
insert into delivery (id, follower_id, establishment_id, subject_kind, subject_id, change_id, event, changed_at, state,
                      control_id)
select gen_random_uuid(), f.id, f.establishment_id, :subject, c.target_id, c.id, w.event, c.at, 'waiting',
       left(replace(c.id::text, '-', ''), 16)
from referral_change c
join follower f on f.establishment_id = c.establishment_id and f.follows_since <= c.at and f.kind = 'webhook'
cross join lateral (select case when c.from_state = 'waiting' and c.to_state = 'received' then 'referral.received'
  else 'referral.changed' end as event) w
where c.at >= :since and c.to_state <> 'waiting' and w.event = any(f.events)
  and not exists (select 1 from delivery d where d.follower_id = f.id and d.change_id = c.id)
order by c.at
limit :at_once
on conflict (follower_id, change_id) do nothing
""")


def plan(since: datetime) -> int:
    """Write down what each subscriber is to be told of the changes since then; how many are new."""
    asked = {"since": since, "at_once": AT_ONCE, "subject": SUBJECT}
    return int(session.connection().execute(_PLAN, asked).rowcount)


def facts(waiting: Delivery) -> Mapping[str, object]:
    """Ids, a reference, the state that the change led to."""
    target = session.get(ReferralTarget, waiting.subject_id) if waiting.subject_id else None
    if target is None:
        return {}
    change = session.get(ReferralChange, waiting.change_id) if waiting.change_id else None
    told = {
        "id": str(target.id),
        "request": str(target.referral_id),
        "reference": target.referral.reference,
        "state": change.to_state if change else target.state,
    }
    return {"referral": told}


def register() -> None:
    """Say how referrals are told; no hospital system says anything of them by HL7 v2."""
    subjects.offer(
        Subject(
            kind=SUBJECT,
            message_type="REF",
            job=JOB,
            scope="system/ServiceRequest.write",
            plan=plan,
            is_superseded=_never,
            write=_nothing_written,
            hear=_hear,
            find=find,
            references=references,
            patient_of=_patient_of,
            reasons={"not_heard": _l("Referrals are not read from HL7 v2 messages: use FHIR.")},
            facts=facts,
            events=EVENTS,
        )
    )


def _never(_waiting: Delivery) -> bool:
    return False


def _nothing_written(_waiting: Delivery, _codes: Dialect) -> Written:
    """A webhook's body is its facts."""
    return Written(b"")


def _hear(_place: Establishment, _message: Message, _codes: Dialect) -> Heard:
    return Heard("AR", "200", "not_heard")


def _patient_of(target_id: UUID) -> UUID | None:
    return session.scalar(select(ReferralTarget.patient_id).where(ReferralTarget.id == target_id))


def find(establishments: Collection[UUID], reference: str) -> Sequence[UUID]:
    """The requests at these hospitals that bear this reference."""
    query = (
        select(ReferralTarget.id)
        .join(ReferralTarget.referral)
        .where(ReferralTarget.establishment_id.in_(establishments), Referral.reference == reference)
    )
    return session.scalars(query).all()


def references(targets: Collection[UUID]) -> Mapping[UUID, str]:
    """The reference of each of these requests at a unit."""
    rows = session.execute(
        select(ReferralTarget.id, Referral.reference)
        .join(ReferralTarget.referral)
        .where(ReferralTarget.id.in_(targets))
    )
    return {row.id: row.reference for row in rows}
