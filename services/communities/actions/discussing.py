"""Members talk: a discussion begins, is answered, put right, taken back."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db, jobs, kpi
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import NotAllowed, NotThere, nobody_in, writable
from services.communities.models import PastPost, Post, Theme, Topic
from services.communities.queries import Seat

EDITABLE: Final = timedelta(minutes=30)
"""How long an author may put a message right; moderators keep what it said before."""


class TopicClosed(Exception):
    """Nobody answers any more."""


class TooLate(Exception):
    """The message can be withdrawn still, not changed."""


def open_topic(seat: Seat, title: str, theme_id: UUID | None, body: str) -> Topic:
    """Begin a discussion. Raises CommunityClosed, NotThere (the theme), Identified."""
    writable(seat, rights.MEMBER)
    nobody_in(title, body)
    if theme_id is not None and _theme(seat, theme_id) is None:
        raise NotThere
    topic = Topic(
        id=uuid4(),
        community_id=seat.community.id,
        theme_id=theme_id,
        title=title,
        author_id=seat.member.account_id,
        author_name=seat.member.name,
    )
    session.add(topic)
    session.flush()
    _note(seat, "community_topic.opened", "community_topic", topic.id, title)
    _write(seat, topic, body)
    return topic


def answer(seat: Seat, topic: Topic, body: str) -> Post:
    """Write in a discussion. Raises CommunityClosed, TopicClosed, Identified."""
    writable(seat, rights.MEMBER)
    nobody_in(body)
    if topic.closed_at is not None:
        raise TopicClosed
    post = _write(seat, topic, body)
    _note(seat, "community_post.written", "community_post", post.id, topic.title)
    return post


def edit(seat: Seat, post: Post, body: str) -> None:
    """Put one's own message right. Raises CommunityClosed, NotAllowed, TooLate, Identified."""
    writable(seat, rights.MEMBER)
    nobody_in(body)
    post = _own(seat, post)
    if not may_edit(seat, post):
        raise TooLate
    if body == post.body:
        return
    keep_past(post)
    post.body, post.edited_at = body, db.now()
    _note(seat, "community_post.edited", "community_post", post.id)


def withdraw(seat: Seat, post: Post) -> None:
    """Take one's own message back: its place stays, its words go. Raises NotAllowed."""
    post = _own(seat, post)
    if post.withdrawn_at is None:
        take_away(post, "author", "")
        _note(seat, "community_post.withdrawn", "community_post", post.id)


def pin(seat: Seat, topic: Topic, *, pinned: bool) -> None:
    """Keep a discussion above the others, or not any more. Raises CommunityClosed, NotAllowed."""
    writable(seat, rights.MODERATOR)
    topic.pinned_at = db.now() if pinned else None
    action = "community_topic.pinned" if pinned else "community_topic.unpinned"
    _note(seat, action, "community_topic", topic.id, topic.title)


def close(seat: Seat, topic: Topic, *, closed: bool) -> None:
    """Nobody answers any more, or again. Raises CommunityClosed, NotAllowed."""
    writable(seat, rights.MODERATOR)
    topic.closed_at = db.now() if closed else None
    action = "community_topic.closed" if closed else "community_topic.reopened"
    _note(seat, action, "community_topic", topic.id, topic.title)


def mark_read(seat: Seat, topic: Topic) -> None:
    """The member has read the discussion until now. Nobody else is shown it, and it is no line of the journal."""
    db.write_later(
        _READ, {"account_id": seat.member.account_id, "topic_id": topic.id, "community_id": topic.community_id,
                "read_at": db.now()},
    )  # fmt: skip


def may_edit(seat: Seat, post: Post) -> bool:
    """Whether this member may still put this message right."""
    own = post.author_id == seat.member.account_id and post.withdrawn_at is None
    return own and seat.is_open and db.now() - post.created_at < EDITABLE


def take_away(post: Post, by: str, reason: str) -> None:
    """Withdraw a message, whoever does it: its words are kept where its author and moderators alone read them."""
    keep_past(post)
    post.body, post.withdrawn_at, post.withdrawn_by, post.reason = "", db.now(), by, reason


def keep_past(post: Post) -> None:
    past = PastPost(
        id=uuid4(), post_id=post.id, community_id=post.community_id, author_id=post.author_id, body=post.body
    )
    session.add(past)


def locked(post_id: UUID) -> Post:
    """The message as it is now, held until the end of the transaction."""
    query = select(Post).where(Post.id == post_id).with_for_update(key_share=True)
    return session.scalars(query, execution_options={"populate_existing": True}).one()


_READ = (
    "insert into community_topic_reading (account_id, topic_id, community_id, read_at)"
    " values (:account_id, :topic_id, :community_id, :read_at)"
    " on conflict (account_id, topic_id) do update set read_at = excluded.read_at"
)


def _write(seat: Seat, topic: Topic, body: str) -> Post:
    post = Post(
        id=uuid4(),
        topic_id=topic.id,
        community_id=seat.community.id,
        author_id=seat.member.account_id,
        author_name=seat.member.name,
        body=body,
    )
    session.add(post)
    session.flush()
    mark_read(seat, topic)
    kpi.count("community_post_written", establishment_id=seat.community.establishment_id)
    jobs.enqueue("communities.tell_post", post_id=str(post.id))
    return post


def _own(seat: Seat, post: Post) -> Post:
    if post.author_id != seat.member.account_id:
        raise NotAllowed
    return locked(post.id)


def _theme(seat: Seat, theme_id: UUID) -> Theme | None:
    return session.scalar(
        select(Theme).where(Theme.id == theme_id, Theme.community_id == seat.community.id, Theme.archived_at.is_(None))
    )


def _note(seat: Seat, action: str, kind: str, object_id: UUID, label: str = "") -> None:
    traces.record(
        seat.community.id, action, object_kind=kind, object_id=object_id, label=label,
        establishment_id=seat.community.establishment_id,
    )  # fmt: skip
