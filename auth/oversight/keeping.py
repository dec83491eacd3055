"""How long unusual accesses are kept: what was asked about somebody's work is not kept for ever."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from auth.oversight.models import TO_REVIEW, UnusualAccess
from portal.db import session
from portal.retention import Due, Rule, offer


def declare() -> None:
    offer(
        Rule(
            "unusual_access",
            _l("Unusual accesses"),
            _l("Counted from the judgement; one that waits is kept"),
            365, _due, _erase, least=90,
        ),
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    found = select(UnusualAccess.id).where(
        UnusualAccess.establishment_id == place, UnusualAccess.state != TO_REVIEW, UnusualAccess.reviewed_at < before
    )
    return [Due(each) for each in session.scalars(found.order_by(UnusualAccess.reviewed_at).limit(limit))]


def _erase(access_id: UUID, before: datetime) -> bool:
    gone = delete(UnusualAccess).where(UnusualAccess.id == access_id, UnusualAccess.reviewed_at < before)
    return session.execute(gone.returning(UnusualAccess.id)).first() is not None
