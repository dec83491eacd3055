"""What agents read of opinions: results by service, comments let through, comments that wait to be screened."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, cast, false, func, null, or_, select
from sqlalchemy.orm import joinedload

from auth.digests import sources
from portal.db import session
from portal.establishments import Establishment
from services.satisfaction.models import Opinion, OpinionComment

PAGE_SIZE: Final = 30
RIGHT: Final = "administration"
"""Of those who screen comments and read every result of their hospitals."""
RIGHTS: Final[Mapping[str, str]] = {
    "appointments": "appointments",
    "preadmission": "preadmission",
    "billing": "billing",
    "documents": "documents",
    "messages": "documents",
    "questionnaires": "care",
    "referrals": "referrals",
}
"""Service → the right of the agents who read what is said of it."""


@dataclass(frozen=True)
class Result:
    """What was said of one service in a span of days. by_score: from 1 to 5."""

    service: str
    by_score: tuple[int, int, int, int, int]

    @property
    def answers(self) -> int:
        return sum(self.by_score)

    @property
    def mean(self) -> float | None:
        """Out of 5."""
        total = sum(score * times for score, times in enumerate(self.by_score, 1))
        return total / self.answers if self.answers else None

    @property
    def satisfied(self) -> float | None:
        return sum(self.by_score[3:]) / self.answers if self.answers else None


@dataclass(frozen=True)
class Reach:
    """Service → the hospitals whose agent reads what is said of it there."""

    places: Mapping[str, frozenset[UUID]]

    def condition(self) -> ColumnElement[bool]:
        """Of rows of `Opinion`."""
        alone = (
            (Opinion.service == service) & Opinion.establishment_id.in_(places)
            for service, places in self.places.items()
            if places
        )
        return or_(false(), *alone)

    @property
    def hospitals(self) -> frozenset[UUID]:
        return frozenset().union(*self.places.values())


def reach(rights: Mapping[str, frozenset[UUID]]) -> Reach:
    """What an agent with these rights reads."""
    all_of = rights.get(RIGHT, frozenset())
    return Reach({service: all_of | rights.get(right, frozenset()) for service, right in RIGHTS.items()})


def results(establishment_ids: Collection[UUID], first: date, last: date) -> Sequence[Result]:
    """By service, those with most answers first; for who administers these hospitals."""
    scores = [func.count().filter(Opinion.score == score) for score in range(1, 6)]
    one, two, three, four, five = scores
    rows = session.execute(
        select(Opinion.service, one, two, three, four, five)
        .where(Opinion.establishment_id.in_(establishment_ids), Opinion.given_on.between(first, last))
        .group_by(Opinion.service)
    )
    found = [Result(row[0], (row[1], row[2], row[3], row[4], row[5])) for row in rows]
    return sorted(found, key=lambda each: (-each.answers, each.service))


def published(of: Reach, *, service: str = "", page: int = 1) -> Sequence[Opinion]:
    """Comments let through, the latest first: a page and one more when there is a next one."""
    query = select(Opinion).where(Opinion.published_at.is_not(None), of.condition())
    if service:
        query = query.where(Opinion.service == service)
    query = query.options(joinedload(Opinion.establishment)).order_by(Opinion.given_on.desc(), Opinion.id)
    return session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def comments(establishment_ids: Collection[UUID], *, waiting: bool, page: int = 1) -> Sequence[OpinionComment]:
    """Those to screen, the most urgent first; or those decided, the latest first."""
    state = (OpinionComment.decision == "") == waiting
    order = OpinionComment.due_on if waiting else OpinionComment.decided_at.desc()
    query = _comments().where(OpinionComment.establishment_id.in_(establishment_ids), state)
    query = query.order_by(order, OpinionComment.received_at, OpinionComment.opinion_id)
    return session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()


def comment(establishment_ids: Collection[UUID], opinion_id: UUID) -> OpinionComment | None:
    return session.scalar(
        _comments().where(
            OpinionComment.opinion_id == opinion_id, OpinionComment.establishment_id.in_(establishment_ids)
        )
    )


def next_comment(establishment_ids: Collection[UUID]) -> UUID | None:
    """The most urgent one to screen."""
    query = select(OpinionComment.opinion_id).where(
        OpinionComment.establishment_id.in_(establishment_ids), OpinionComment.decision == ""
    )
    return session.scalar(query.order_by(OpinionComment.due_on, OpinionComment.received_at).limit(1))


def count_waiting(establishment_ids: Collection[UUID]) -> int:
    """How many comments wait to be screened."""
    query = select(func.count()).where(
        OpinionComment.establishment_id.in_(establishment_ids), OpinionComment.decision == ""
    )
    return session.scalar(query) or 0


def waiting_rows(now: datetime) -> Select[UUID, UUID, datetime, bool]:
    """One row for each comment to screen, as `auth.digests.sources` counts them."""
    return (
        select(
            OpinionComment.establishment_id,
            cast(null(), Uuid).label("unit_id"),
            OpinionComment.received_at.label("since"),
            (OpinionComment.due_on < sources.civil_day(now)).label("is_late"),
        )
        .join(Establishment)
        .where(OpinionComment.decision == "")
    )


def _comments() -> Select[OpinionComment]:
    return select(OpinionComment).options(joinedload(OpinionComment.opinion), joinedload(OpinionComment.establishment))
