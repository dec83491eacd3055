"""Who is told that something waits in a community: quietly, without a word of what it is."""

from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select

from auth.models import Account
from portal import jobs, notifications
from portal.db import session
from portal.notifications import Mail
from services.communities import mails, rights
from services.communities.models import (
    Announcement,
    Community,
    CommunityMember,
    Post,
    PostReport,
    Subscription,
    TopicReading,
)


@jobs.task("communities.tell_announcement")
def tell_announcement(announcement_id: str) -> None:
    """Tell the members whom an announcement is for, unless it was withdrawn meanwhile."""
    with jobs.effect() as current:
        found = current.get_one(Announcement, UUID(announcement_id))
        if found.withdrawn_at is None:
            wanted = [CommunityMember.account_id != found.author_id, CommunityMember.notify != "none"]
            if found.theme_id is not None:
                wanted.append(_subscribes(found.theme_id))
            _tell(found.community_id, mails.announcement(found.community_id, found.id), *wanted)


@jobs.task("communities.tell_post")
def tell_post(post_id: str) -> None:
    """Tell those who want to know of discussions: once, until they come and read."""
    with jobs.effect() as current:
        found = current.get_one(Post, UUID(post_id))
        if found.withdrawn_at is None:
            to_come = CommunityMember.notify == "all"
            _tell(
                found.community_id,
                mails.discussion(found.community_id, found.topic_id),
                CommunityMember.account_id != found.author_id,
                to_come,
                ~_has_more_to_read(found),
            )


@jobs.task("communities.tell_report")
def tell_report(report_id: str) -> None:
    """Tell moderators that a message was reported; whatever they chose, this is theirs to do."""
    with jobs.effect() as current:
        found = current.get_one(PostReport, UUID(report_id))
        if not found.decision:
            moderators = CommunityMember.role.in_(rights.and_above(rights.MODERATOR))
            _tell(found.community_id, mails.reported(found.community_id), moderators)


@jobs.task("communities.tell_author")
def tell_author(post_id: str) -> None:
    """Tell an author that a moderator withdrew their message."""
    with jobs.effect() as current:
        found = current.get_one(Post, UUID(post_id))
        _tell(
            found.community_id,
            mails.withdrawn(found.community_id, found.topic_id),
            CommunityMember.account_id == found.author_id,
        )


def _tell(community_id: UUID, mail: Mail, *wanted: ColumnElement[bool]) -> None:
    for account in session.scalars(_accounts(community_id).where(*wanted)):
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)


def _accounts(community_id: UUID) -> Select[Account]:
    return (
        select(Account)
        .join(CommunityMember, CommunityMember.account_id == Account.id)
        .join(Community, Community.id == CommunityMember.community_id)
        .where(
            Community.id == community_id,
            CommunityMember.state == rights.ACTIVE,
            Account.closed_at.is_(None),
        )
        .order_by(Account.id)
    )


def _subscribes(theme_id: UUID) -> ColumnElement[bool]:
    return exists().where(Subscription.theme_id == theme_id, Subscription.account_id == CommunityMember.account_id)


def _has_more_to_read(post: Post) -> ColumnElement[bool]:
    """Whether something else of the discussion waits already for this member: they were told of that."""
    read_at = (
        select(TopicReading.read_at)
        .where(TopicReading.topic_id == post.topic_id, TopicReading.account_id == CommunityMember.account_id)
        .correlate(CommunityMember)
        .scalar_subquery()
    )
    earlier = select(Post.id).where(
        Post.topic_id == post.topic_id,
        Post.id != post.id,
        Post.created_at < post.created_at,
        Post.author_id != CommunityMember.account_id,
        (read_at.is_(None)) | (Post.created_at > read_at),
    )
    return exists(earlier.correlate(CommunityMember))
