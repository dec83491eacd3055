"""How long a request that was never sent is kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.referrals.drafts import actions
from services.referrals.drafts.models import ReferralDraft


def declare() -> None:
    retention.offer(
        Rule(
            "referral_draft",
            _l("Requests of practitioners that were not sent"),
            _l("Counted from the last change; their files go with them"),
            30, _due, actions.forget_one, of_portal=True,
        )
    )  # fmt: skip


def _due(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    rows = session.scalars(
        select(ReferralDraft.id)
        .where(ReferralDraft.changed_at < before)
        .order_by(ReferralDraft.changed_at)
        .limit(limit)
    ).all()
    return [Due(draft_id) for draft_id in rows]
