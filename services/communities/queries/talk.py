"""What is said in a community: announcements, themes, discussions, messages, reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select

from portal.db import session
from services.communities.models import (
    Announcement,
    AnnouncementReading,
    PastPost,
    Post,
    PostReport,
    Subscription,
    Theme,
    Topic,
    TopicReading,
)
from services.communities.queries.seats import Seat

PAGE: Final = 30
POSTS: Final = 100


@dataclass(frozen=True)
class Listed:
    """A discussion of the list, and whether something in it was not read."""

    topic: Topic
    theme: str
    unread: bool


@dataclass(frozen=True)
class Announced:
    announcement: Announcement
    theme: str
    unread: bool


@dataclass(frozen=True)
class Reported:
    """A message that members reported, and what they said."""

    post: Post
    topic: Topic
    reports: Sequence[PostReport]


def topics(seat: Seat, theme_id: UUID | None = None, page: int = 1) -> Sequence[Listed]:
    """Discussions, pinned ones first, then by their last message; one more than a page when there is a next one."""
    rows = _topics(seat)
    if theme_id is not None:
        rows = rows.where(Topic.theme_id == theme_id)
    order = (Topic.pinned_at.is_(None), Topic.last_post_at.desc(), Topic.id)
    found = session.execute(rows.order_by(*order).offset((page - 1) * PAGE).limit(PAGE + 1))
    return [Listed(topic, theme or "", unread) for topic, theme, unread in found]


def topic(seat: Seat, topic_id: UUID) -> Listed | None:
    """One discussion of this community."""
    found = session.execute(_topics(seat).where(Topic.id == topic_id)).one_or_none()
    return Listed(found[0], found[1] or "", found[2]) if found else None


def posts(topic_id: UUID, page: int = 1) -> Sequence[Post]:
    """Messages, oldest first."""
    query = select(Post).where(Post.topic_id == topic_id).order_by(Post.created_at, Post.id)
    return session.scalars(query.offset((page - 1) * POSTS).limit(POSTS)).all()


def post(community_id: UUID, post_id: UUID) -> Post | None:
    """One message of this community."""
    return session.scalar(select(Post).where(Post.id == post_id, Post.community_id == community_id))


def own_reports(seat: Seat, topic_id: UUID) -> frozenset[UUID]:
    """The messages of a discussion that this member reported."""
    query = (
        select(PostReport.post_id)
        .join(Post, Post.id == PostReport.post_id)
        .where(Post.topic_id == topic_id, PostReport.account_id == seat.member.account_id)
    )
    return frozenset(session.scalars(query))


def own_answers(seat: Seat) -> Sequence[PostReport]:
    """What became of this member's reports, the last twenty."""
    query = select(PostReport).where(
        PostReport.community_id == seat.community.id, PostReport.account_id == seat.member.account_id
    )
    return session.scalars(query.order_by(PostReport.created_at.desc(), PostReport.id).limit(20)).all()


def tray(community_id: UUID) -> Sequence[Reported]:
    """Messages with reports that wait, the oldest report first."""
    rows = session.execute(
        select(PostReport, Post, Topic)
        .join(Post, Post.id == PostReport.post_id)
        .join(Topic, Topic.id == Post.topic_id)
        .where(PostReport.community_id == community_id, PostReport.decision == "")
        .order_by(PostReport.created_at, PostReport.id)
        .limit(200)
    )
    together: dict[UUID, tuple[Post, Topic, list[PostReport]]] = {}
    for report, about, within in rows:
        together.setdefault(about.id, (about, within, []))[2].append(report)
    return [Reported(about, within, reports) for about, within, reports in together.values()]


def decided(community_id: UUID) -> Sequence[PostReport]:
    """The last reports that were seen to."""
    query = select(PostReport).where(PostReport.community_id == community_id, PostReport.decision != "")
    return session.scalars(query.order_by(PostReport.decided_at.desc(), PostReport.id).limit(20)).all()


def reports_waiting(seat: Seat) -> int:
    """How many messages wait for moderators."""
    query = select(func.count(PostReport.post_id.distinct())).where(
        PostReport.community_id == seat.community.id, PostReport.decision == ""
    )
    return session.scalar(query) or 0


def past_of(post_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[PastPost]]:
    """What messages said before, for those who may read it."""
    found: dict[UUID, list[PastPost]] = {}
    query = select(PastPost).where(PastPost.post_id.in_(post_ids)).order_by(PastPost.replaced_at, PastPost.id)
    for each in session.scalars(query) if post_ids else ():
        found.setdefault(each.post_id, []).append(each)
    return found


def announcements(seat: Seat, page: int = 1) -> Sequence[Announced]:
    """Announcements, pinned ones first, then the newest; one more than a page when there is a next one."""
    order = (Announcement.pinned_at.is_(None), Announcement.published_at.desc(), Announcement.id)
    rows = _announced(seat).where(Announcement.withdrawn_at.is_(None)).order_by(*order)
    found = session.execute(rows.offset((page - 1) * PAGE).limit(PAGE + 1))
    return [Announced(each, theme or "", unread) for each, theme, unread in found]


def announcement(seat: Seat, announcement_id: UUID) -> Announced | None:
    """One announcement of this community that was not withdrawn."""
    rows = _announced(seat).where(Announcement.id == announcement_id, Announcement.withdrawn_at.is_(None))
    found = session.execute(rows).one_or_none()
    return Announced(found[0], found[1] or "", found[2]) if found else None


def read_count(announcement_id: UUID) -> int:
    """How many members have read it, for those who may count."""
    query = select(func.count()).where(AnnouncementReading.announcement_id == announcement_id)
    return session.scalar(query) or 0


def themes(community_id: UUID, *, archived: bool = False) -> Sequence[Theme]:
    """Themes by name, those of the archive too when they are wanted."""
    query = select(Theme).where(Theme.community_id == community_id)
    if not archived:
        query = query.where(Theme.archived_at.is_(None))
    return session.scalars(query.order_by(Theme.archived_at.is_not(None), func.lower(Theme.name), Theme.id)).all()


def subscribed(seat: Seat) -> frozenset[UUID]:
    """The themes that this member subscribes to."""
    query = select(Subscription.theme_id).where(
        Subscription.community_id == seat.community.id, Subscription.account_id == seat.member.account_id
    )
    return frozenset(session.scalars(query))


def subscribers(community_id: UUID) -> Mapping[UUID, int]:
    """Theme → how many subscribe, for those who may count."""
    query = (
        select(Subscription.theme_id, func.count())
        .where(Subscription.community_id == community_id)
        .group_by(Subscription.theme_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def unread_topics(seat: Seat) -> int:
    """How many discussions hold something that this member has not read."""
    query = select(func.count()).select_from(_topics(seat).where(_unread_topic()).subquery())
    return session.scalar(query) or 0


def unread_announcements(seat: Seat) -> int:
    """How many announcements this member has not read."""
    wanted = _announced(seat).where(Announcement.withdrawn_at.is_(None), ~_read(seat))
    return session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def _topics(seat: Seat) -> Select[Topic, str, bool]:
    mine = (TopicReading.topic_id == Topic.id) & (TopicReading.account_id == seat.member.account_id)
    return (
        select(Topic, Theme.name.label("theme_name"), _unread_topic().label("unread"))
        .outerjoin(Theme, Theme.id == Topic.theme_id)
        .outerjoin(TopicReading, mine)
        .where(Topic.community_id == seat.community.id)
    )


def _unread_topic() -> ColumnElement[bool]:
    return (TopicReading.read_at.is_(None)) | (TopicReading.read_at < Topic.last_post_at)


def _announced(seat: Seat) -> Select[Announcement, str, bool]:
    return (
        select(Announcement, Theme.name.label("theme_name"), (~_read(seat)).label("unread"))
        .outerjoin(Theme, Theme.id == Announcement.theme_id)
        .where(Announcement.community_id == seat.community.id)
    )


def _read(seat: Seat) -> ColumnElement[bool]:
    return exists().where(
        AnnouncementReading.announcement_id == Announcement.id,
        AnnouncementReading.account_id == seat.member.account_id,
    )
