"""How long what people said is kept: turns hardly longer than they serve, comments that nobody screened two months."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule, deleting
from services.satisfaction.models import Opinion, OpinionComment, OpinionTurn


def declare() -> None:
    retention.offer(
        Rule(
            "opinion_turn",
            _l("That somebody was asked what they think"),
            _l("Counted from what was done: so that nobody is asked twice in thirty days"),
            31, _turns, deleting(OpinionTurn, lambda turn: turn.invited_at), least=31, most=62,
        ),
        Rule(
            "opinion_comment",
            _l("Comments about services, as they were typed"),
            _l("Counted from the day they came; those that are screened are erased at once"),
            60, _comments, deleting(OpinionComment, lambda comment: comment.received_at), least=7, most=180,
        ),
        Rule(
            "opinion",
            _l("Answers about services, with what was let through of comments"),
            _l("Counted from the day they were given; nobody is in them, and the figures stay"),
            1095, _opinions, deleting(Opinion, lambda opinion: opinion.given_on), least=30,
        ),
    )  # fmt: skip


def _turns(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    query = select(OpinionTurn.id).where(OpinionTurn.establishment_id == place, OpinionTurn.invited_at < before)
    return [Due(each) for each in session.scalars(query.order_by(OpinionTurn.invited_at).limit(limit))]


def _comments(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    query = select(OpinionComment.opinion_id).where(
        OpinionComment.establishment_id == place, OpinionComment.received_at < before
    )
    return [Due(each) for each in session.scalars(query.order_by(OpinionComment.received_at).limit(limit))]


def _opinions(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    query = select(Opinion.id).where(Opinion.establishment_id == place, Opinion.given_on < before.date())
    return [Due(each) for each in session.scalars(query.order_by(Opinion.given_on).limit(limit))]
