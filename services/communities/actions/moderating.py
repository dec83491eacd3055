"""Members report a message; a moderator keeps it or withdraws it, and says why."""

from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db, jobs, kpi
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import NotAllowed, NotThere, discussing
from services.communities.models import Post, PostReport
from services.communities.queries import Seat

KINDS: Final = ("patient", "manners", "wrong", "other")
"""Why a message is reported: somebody can be recognised, how it is said, it is not true, anything else."""


def report(seat: Seat, post: Post, kind: str, words: str) -> PostReport:
    """Tell moderators of a message; once for each member. Raises NotThere when it is withdrawn already."""
    if post.withdrawn_at is not None:
        raise NotThere
    known = session.scalar(
        select(PostReport).where(PostReport.post_id == post.id, PostReport.account_id == seat.member.account_id)
    )
    if known is not None:
        return known
    made = PostReport(
        id=uuid4(),
        post_id=post.id,
        community_id=seat.community.id,
        account_id=seat.member.account_id,
        name=seat.member.name,
        kind=kind,
        words=words,
    )
    session.add(made)
    session.flush()
    _note(seat, "community_post.reported", post.id, kind=kind)
    kpi.count("community_post_reported", establishment_id=seat.community.establishment_id)
    jobs.enqueue("communities.tell_report", report_id=str(made.id))
    return made


def keep(seat: Seat, post: Post, explanation: str) -> None:
    """The message stays; every report of it is answered. Raises NotAllowed, NotThere (nothing waits)."""
    _moderator(seat)
    if not _decide(seat, post, "kept", explanation):
        raise NotThere
    _note(seat, "community_post.kept", post.id)


def withdraw(seat: Seat, post: Post, reason: str) -> None:
    """Take a message away, reported or not; its author is told, with the reason. Raises NotAllowed, NotThere."""
    _moderator(seat)
    post = discussing.locked(post.id)
    if post.withdrawn_at is not None:
        raise NotThere
    discussing.take_away(post, "moderator", reason)
    _decide(seat, post, "withdrawn", reason)
    _note(seat, "community_post.moderated", post.id)
    jobs.enqueue("communities.tell_author", post_id=str(post.id))


def _moderator(seat: Seat) -> None:
    if not seat.at_least(rights.MODERATOR):
        raise NotAllowed


def _decide(seat: Seat, post: Post, decision: str, explanation: str) -> int:
    waiting = session.scalars(
        select(PostReport)
        .where(PostReport.post_id == post.id, PostReport.decision == "")
        .order_by(PostReport.id)
        .with_for_update(key_share=True)
    ).all()
    for each in waiting:
        each.decision, each.decided_at = decision, db.now()
        each.decided_by_name, each.explanation = seat.member.name, explanation
    return len(waiting)


def _note(seat: Seat, action: str, post_id: UUID, **details: str) -> None:
    traces.record(
        seat.community.id, action, object_kind="community_post", object_id=post_id,
        establishment_id=seat.community.establishment_id, **details,
    )  # fmt: skip
