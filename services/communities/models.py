"""Closed groups of professionals: who is in them, what they tell and discuss, and what was done there.

Every row names its community: row-level security compares it with those of the person who acts (functions of 0056).
Names are kept as they were: nobody here may read another person's account.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed
from services.communities import rights


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class Community(Keyed, Base):
    """A closed group. establishment_id: the hospital that hosts it; None for the whole group of hospitals.

    charter: what each member accepts, in the version `charter_version` (from 1). closed_at: everything can be read
    still, nothing written any more.
    """

    __tablename__ = "community"
    __table_args__ = (UniqueConstraint("slug"), CheckConstraint(_among("kind", rights.KINDS), "kind"))

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="other")
    purpose: Mapped[str] = mapped_column(default="")
    charter: Mapped[str]
    charter_version: Mapped[int] = mapped_column(default=1)
    charter_at: Mapped[datetime] = mapped_column(default=db.now)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    closed_at: Mapped[datetime | None]


class CommunityMember(Keyed, Base):
    """An account in a community: one row for each, whatever becomes of it.

    name, calling: as the others see them. charter_version: the last one accepted, 0 for none. notify: `rights.NOTIFY`.
    """

    __tablename__ = "community_member"
    __table_args__ = (
        UniqueConstraint("community_id", "account_id"),
        CheckConstraint(_among("role", rights.ROLES), "role"),
        CheckConstraint(_among("state", rights.STATES), "state"),
        CheckConstraint(_among("notify", rights.NOTIFY), "notify"),
        Index("ix_community_member_account_id", "account_id", "state"),
    )

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    calling: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default=rights.MEMBER)
    state: Mapped[str] = mapped_column(default=rights.ACTIVE)
    charter_version: Mapped[int] = mapped_column(default=0)
    charter_at: Mapped[datetime | None]
    notify: Mapped[str] = mapped_column(default="announcements")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    joined_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class CommunityInvitation(Keyed, Base):
    """A one-time link, sent to an address or kept for whoever proves this RPPS number.

    digest: SHA-256 of the link's token. Nothing says to those who invite whether somebody has an account here.
    """

    __tablename__ = "community_invitation"
    __table_args__ = (
        UniqueConstraint("digest"),
        CheckConstraint(_among("role", rights.ROLES), "role"),
        CheckConstraint("email <> '' or rpps <> ''", "reaches_somebody"),
        Index("ix_community_invitation_community_id", "community_id", "created_at"),
        Index("ix_community_invitation_rpps", "rpps", postgresql_where=text("rpps <> ''")),
    )

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    email: Mapped[str] = mapped_column(default="")
    rpps: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default=rights.MEMBER)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    invited_by_name: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class CommunityEvent(Base):
    """What was done in a community, for its animators to read: append-only, written together with the audit."""

    __tablename__ = "community_event"
    __table_args__ = (Index("ix_community_event_community_id", "community_id", "id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    object_kind: Mapped[str] = mapped_column(default="")
    object_id: Mapped[UUID | None]
    label: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class Theme(Keyed, Base):
    """What discussions are sorted by, and a distribution list: who subscribes is told of its announcements."""

    __tablename__ = "community_theme"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    archived_at: Mapped[datetime | None]


class Subscription(Base):
    """A member wants to be told of a theme."""

    __tablename__ = "community_subscription"

    theme_id: Mapped[UUID] = mapped_column(ForeignKey("community_theme.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    created_at: Mapped[datetime] = mapped_column(default=db.now)


class Topic(Keyed, Base):
    """A discussion. posts: how many messages it has; last_post_at: when the last one was written."""

    __tablename__ = "community_topic"
    __table_args__ = (Index("ix_community_topic_community_id", "community_id", "last_post_at"),)

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    theme_id: Mapped[UUID | None] = mapped_column(ForeignKey("community_theme.id"), index=True)
    title: Mapped[str]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    author_name: Mapped[str]
    posts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    last_post_at: Mapped[datetime] = mapped_column(default=db.now)
    last_author_name: Mapped[str] = mapped_column(default="")
    pinned_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class Post(Keyed, Base):
    """A message of a discussion. Once withdrawn its body is gone from here (see `PastPost`).

    withdrawn_by: `author` or `moderator`, who gives a reason.
    """

    __tablename__ = "community_post"
    __table_args__ = (
        CheckConstraint("withdrawn_by in ('', 'author', 'moderator')", "withdrawn_by"),
        Index("ix_community_post_topic_id", "topic_id", "created_at"),
    )

    topic_id: Mapped[UUID] = mapped_column(ForeignKey("community_topic.id"))
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    author_name: Mapped[str]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")


class PastPost(Keyed, Base):
    """What a message said before it was edited or withdrawn: its author and moderators alone may read it."""

    __tablename__ = "community_past_post"

    post_id: Mapped[UUID] = mapped_column(ForeignKey("community_post.id", ondelete="cascade"), index=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    body: Mapped[str]
    replaced_at: Mapped[datetime] = mapped_column(default=db.now)


class PostReport(Keyed, Base):
    """A member tells moderators of a message. decision: `kept` or `withdrawn`, "" while it waits."""

    __tablename__ = "community_report"
    __table_args__ = (
        UniqueConstraint("post_id", "account_id"),
        CheckConstraint("decision in ('', 'kept', 'withdrawn')", "decision"),
        Index("ix_community_report_waiting", "community_id", postgresql_where=text("decision = ''")),
    )

    post_id: Mapped[UUID] = mapped_column(ForeignKey("community_post.id", ondelete="cascade"))
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    name: Mapped[str]
    kind: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    decision: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="")
    explanation: Mapped[str] = mapped_column(default="")


class TopicReading(Base):
    """Until when a member has read a discussion."""

    __tablename__ = "community_topic_reading"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    topic_id: Mapped[UUID] = mapped_column(
        ForeignKey("community_topic.id", ondelete="cascade"), primary_key=True, index=True
    )
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    read_at: Mapped[datetime] = mapped_column(default=db.now)


class Announcement(Keyed, Base):
    """News for all members, or for those of a theme. starts_on, ends_on: the days it is about, civil, both included."""

    __tablename__ = "community_announcement"
    __table_args__ = (
        CheckConstraint("ends_on is null or starts_on is null or ends_on >= starts_on", "days"),
        Index("ix_community_announcement_community_id", "community_id", "published_at"),
    )

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    theme_id: Mapped[UUID | None] = mapped_column(ForeignKey("community_theme.id"), index=True)
    title: Mapped[str]
    body: Mapped[str]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    author_name: Mapped[str]
    published_at: Mapped[datetime] = mapped_column(default=db.now)
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    pinned_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class AnnouncementReading(Base):
    """A member has read an announcement."""

    __tablename__ = "community_announcement_reading"

    announcement_id: Mapped[UUID] = mapped_column(
        ForeignKey("community_announcement.id", ondelete="cascade"), primary_key=True
    )
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    read_at: Mapped[datetime] = mapped_column(default=db.now)
