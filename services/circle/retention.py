"""How long the names of those who left a circle are kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.circle.models import CircleMember


def declare() -> None:
    retention.offer(
        Rule(
            "circle",
            _l("Those who left a patient’s circle of care"),
            _l("Counted from the day they left: what remains says that somebody was there, and no longer who"),
            1825, _due, _purge, of_portal=True,
        )
    )  # fmt: skip


def _due(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    rows = session.execute(
        select(CircleMember.id, CircleMember.patient_id)
        .where(CircleMember.ended_at < before, CircleMember.name != "")
        .order_by(CircleMember.ended_at)
        .limit(limit)
    )
    return [Due(member_id, frozenset({member_id, patient_id})) for member_id, patient_id in rows]


def _purge(member_id: UUID, before: datetime) -> bool:
    member = session.get(CircleMember, member_id, with_for_update={"key_share": True}, populate_existing=True)
    if member is None or not member.name or member.ended_at is None or member.ended_at >= before:
        return False
    member.identity = member.name = member.occupation = member.place = member.why = member.patient_name = ""
    member.account_id = member.patient_birth_on = None
    return True
