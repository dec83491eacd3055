"""How long a community keeps what is no longer of use: links that are over, words that were changed, its journal."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, exists, select

from portal import retention
from portal.db import session
from portal.retention import Due, Rule
from services.communities.actions import forgetting
from services.communities.models import Community, CommunityEvent, CommunityInvitation, PastPost


def declare() -> None:
    retention.offer(
        Rule(
            "community_invitation",
            _l("Invitations into communities"),
            _l("Counted from the day the link stopped; who joined stays in the journal of the community"),
            30, _invitations, forgetting.forget_invitation, most=365,
        ),
        Rule(
            "community_past_post",
            _l("What messages of communities said before"),
            _l("Words that were changed or withdrawn, which moderators can read; counted from the change"),
            365, _past_posts, forgetting.forget_past_post, most=1095,
        ),
        Rule(
            "community_event",
            _l("Journals of communities"),
            _l("What animators read of what was done; counted line by line"),
            1095, _journals, forgetting.forget_events, least=365,
        ),
    )  # fmt: skip


def _invitations(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _found(
        select(CommunityInvitation.id)
        .join(Community, Community.id == CommunityInvitation.community_id)
        .where(Community.establishment_id.is_not_distinct_from(place), CommunityInvitation.expires_at < before)
        .order_by(CommunityInvitation.expires_at)
        .limit(limit)
    )


def _past_posts(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    return _found(
        select(PastPost.id)
        .join(Community, Community.id == PastPost.community_id)
        .where(Community.establishment_id.is_not_distinct_from(place), PastPost.replaced_at < before)
        .order_by(PastPost.replaced_at)
        .limit(limit)
    )


def _journals(place: UUID | None, before: datetime, limit: int) -> Sequence[Due]:
    old = exists().where(CommunityEvent.community_id == Community.id, CommunityEvent.at < before)
    return _found(
        select(Community.id)
        .where(Community.establishment_id.is_not_distinct_from(place), old)
        .order_by(Community.id)
        .limit(limit)
    )


def _found(query: Select[UUID]) -> Sequence[Due]:
    return [Due(each) for each in session.scalars(query)]
