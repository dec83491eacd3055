"""How long it is kept who saw whose screens, and why."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from auth.support.models import SupportSession
from portal.db import session
from portal.retention import Due, Rule, offer


def declare() -> None:
    offer(
        Rule(
            "support_session",
            _l("Screens seen by support"),
            _l("Counted from the day an agent asked to see them"),
            365, _due, _erase, least=90,
        ),
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    found = select(SupportSession.id).where(SupportSession.establishment_id == place, SupportSession.asked_at < before)
    return [Due(each) for each in session.scalars(found.order_by(SupportSession.asked_at).limit(limit))]


def _erase(session_id: UUID, before: datetime) -> bool:
    gone = delete(SupportSession).where(SupportSession.id == session_id, SupportSession.asked_at < before)
    return session.execute(gone.returning(SupportSession.id)).first() is not None
