"""How long the words of requests to be called back are kept."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.lines import actions, states
from services.lines.models import Callback


def declare() -> None:
    retention.offer(
        Rule(
            "callback",
            _l("Requests to be called back"),
            _l("Counted from the call, or from the end of the request; that it was asked is kept, without its words"),
            90, _due, actions.forget_words, most=1095,
        )
    )  # fmt: skip


def _due(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    if place is None:
        return []
    rows = session.scalars(
        select(Callback.id)
        .where(
            Callback.establishment_id == place,
            Callback.state.not_in(states.OPEN),
            Callback.closed_at < before,
            Callback.number != "",
        )
        .order_by(Callback.closed_at)
        .limit(limit)
    ).all()
    return [Due(callback_id) for callback_id in rows]
