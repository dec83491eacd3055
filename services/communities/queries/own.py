"""What the portal holds of one member, for them to take away."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from portal.db import session
from services.communities.library.models import LibraryDocument, LibraryVersion
from services.communities.models import (
    Announcement,
    Community,
    CommunityMember,
    PastPost,
    Post,
    PostReport,
    Subscription,
    Theme,
    Topic,
)

_COLUMNS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("memberships", CommunityMember, ("community_id", "name", "calling", "role", "state", "charter_version",
                                      "charter_at", "notify", "joined_at", "ended_at")),
    ("discussions", Topic, ("community_id", "title", "created_at")),
    ("messages", Post, ("community_id", "topic_id", "body", "created_at", "edited_at", "withdrawn_at", "reason")),
    ("earlier_messages", PastPost, ("community_id", "post_id", "body", "replaced_at")),
    ("announcements", Announcement, ("community_id", "title", "body", "published_at", "withdrawn_at")),
    ("documents", LibraryDocument, ("community_id", "kind", "title", "summary", "keywords", "state", "created_at",
                                    "published_at", "withdrawn_at", "withdrawn_reason")),
    ("versions", LibraryVersion, ("community_id", "document_id", "number", "url", "note", "at")),
    ("reports", PostReport, ("community_id", "kind", "words", "created_at", "decision", "explanation")),
)  # fmt: skip


def everything(account_id: UUID) -> dict[str, Any]:
    """Kind → rows, moments in ISO 8601. What was written in a community that one has left is not readable any more
    (row-level security), and is asked of its animator."""
    found: dict[str, Any] = {
        name: [_row(each, columns) for each in session.scalars(_of(model, account_id))]
        for name, model, columns in _COLUMNS
    }
    themes = session.scalars(
        select(Theme.name).join(Subscription, Subscription.theme_id == Theme.id).where(
            Subscription.account_id == account_id
        )
    )  # fmt: skip
    names = session.execute(select(Community.id, Community.name))
    return {"communities": {str(row[0]): row[1] for row in names}, "themes": sorted(themes), **found}


def _of(model: Any, account_id: UUID) -> Any:
    who = next(getattr(model, name) for name in ("account_id", "author_id", "by_id") if hasattr(model, name))
    return select(model).where(who == account_id).order_by(model.id)


def _row(each: Any, columns: tuple[str, ...]) -> dict[str, Any]:
    values = {name: getattr(each, name) for name in columns}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
