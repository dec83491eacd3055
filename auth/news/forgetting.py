"""News are forgotten after 90 days, with the messages that told them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from auth.news.models import News, NewsMessage
from portal import retention
from portal.db import session
from portal.retention import Due, Rule, deleting

DAYS: Final = 90


def declare() -> None:
    """Add both rules; the lines go first, since they name the messages."""
    why = _l("Counted from the day when it happened")
    of_news = deleting(News, lambda line: line.created_at)
    of_messages = deleting(NewsMessage, lambda message: message.formed_at)
    retention.offer(
        Rule("news", _l("News of practitioners and agents"), why, DAYS, _news, of_news, of_portal=True),
        Rule("news_message", _l("Messages that told news"), why, DAYS, _messages, of_messages, of_portal=True),
    )


def _news(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return [Due(each) for each in session.scalars(select(News.id).where(News.created_at < before).limit(limit))]


def _messages(_place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    told = exists().where((News.mail_id == NewsMessage.id) | (News.mssante_id == NewsMessage.id))
    found = select(NewsMessage.id).where(NewsMessage.formed_at < before, ~told)
    return [Due(each) for each in session.scalars(found.limit(limit))]
