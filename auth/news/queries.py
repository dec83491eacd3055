"""What is new for the signed-in person, one line for each page: always their own (row-level security says the same)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from auth.news.kinds import KINDS, Kind
from auth.news.models import News
from portal import db
from portal.db import session

MOST: Final = 100


@dataclass(frozen=True)
class Line:
    """Several news of one kind that one page shows. at: the latest. total: of all the pages, shown or not."""

    kind: Kind
    path: str
    number: int
    at: datetime
    urgent: bool
    total: int

    @property
    def words(self) -> str:
        return self.kind.told(self.number)


def unread(most: int = MOST) -> Sequence[Line]:
    """What is new, urgent first, then the latest first; one statement."""
    latest = func.max(News.created_at)
    rows = session.execute(
        select(
            News.kind,
            News.path,
            func.count(),
            latest,
            func.bool_or(News.urgent),
            func.count().over(),
        )
        .where(News.account_id == db.current_actor().account_id, News.read_at.is_(None), News.kind.in_(KINDS))
        .group_by(News.kind, News.path)
        .order_by(func.bool_or(News.urgent).desc(), latest.desc(), News.path)
        .limit(most)
    )
    return [Line(KINDS[kind], *rest) for kind, *rest in rows]
