"""Mornings that were told are forgotten after 90 days."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from auth.digests.models import DigestMorning
from portal import retention
from portal.db import session
from portal.retention import Due, Rule, deleting

DAYS: Final = 90


def declare() -> None:
    retention.offer(
        Rule(
            "digest_morning", _l("Mornings when agents were told what waits"), _l("Counted from that morning"), DAYS,
            _due, deleting(DigestMorning, lambda morning: morning.told_at), of_portal=True,
        )
    )  # fmt: skip


def _due(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    found = select(DigestMorning.id).where(DigestMorning.told_at < before)
    return [Due(each) for each in session.scalars(found.limit(limit))]
