"""How long the words of requests that are over are kept here: the hospital's record has its own copy."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.referrals.actions import forgetting
from services.referrals.models import ReferralTarget


def declare() -> None:
    retention.offer(
        Rule(
            "referral",
            _l("Referrals that are over"),
            _l("Counted from the end at each unit; that a request was made is kept, without its words nor its files"),
            1095, _due, forgetting.forget_one,
        )
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    if place is None:
        return []
    target = ReferralTarget
    rows = session.execute(
        select(target.id, target.referral_id, target.patient_id)
        .where(target.establishment_id == place, forgetting.is_old(before))
        .order_by(target.changed_at)
        .limit(limit)
    )
    return [Due(key, frozenset(filter(None, (key, referral, patient)))) for key, referral, patient in rows]
