"""News for all members, or for those who subscribe to a theme."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select

from portal import db, jobs, kpi
from portal.db import session
from services.communities import rights, traces
from services.communities.actions import NotAllowed, NotThere, nobody_in, writable
from services.communities.models import Announcement, Theme
from services.communities.queries import Seat


def publish(
    seat: Seat,
    title: str,
    body: str,
    theme_id: UUID | None = None,
    *,
    starts_on: date | None = None,
    ends_on: date | None = None,
    pinned: bool = False,
) -> Announcement:
    """Publish, and tell those whom it is for, without its content.

    Raises CommunityClosed, NotAllowed, NotThere (the theme), Identified.
    """
    writable(seat, rights.CONTRIBUTOR)
    nobody_in(title, body)
    if theme_id is not None and not _is_theme(seat, theme_id):
        raise NotThere
    made = Announcement(
        id=uuid4(),
        community_id=seat.community.id,
        theme_id=theme_id,
        title=title,
        body=body,
        author_id=seat.member.account_id,
        author_name=seat.member.name,
        starts_on=starts_on,
        ends_on=ends_on,
        pinned_at=db.now() if pinned else None,
    )
    session.add(made)
    session.flush()
    mark_read(seat, made)
    _note(seat, "community_announcement.published", made)
    kpi.count("community_announced", establishment_id=seat.community.establishment_id)
    jobs.enqueue("communities.tell_announcement", announcement_id=str(made.id))
    return made


def withdraw(seat: Seat, announcement: Announcement) -> None:
    """Take it back: by its author, or by a moderator. Raises NotAllowed."""
    if announcement.author_id != seat.member.account_id and not seat.at_least(rights.MODERATOR):
        raise NotAllowed
    if announcement.withdrawn_at is None:
        announcement.withdrawn_at = db.now()
        _note(seat, "community_announcement.withdrawn", announcement)


def pin(seat: Seat, announcement: Announcement, *, pinned: bool) -> None:
    """Keep it above the others, or not any more. Raises CommunityClosed, NotAllowed."""
    writable(seat, rights.MODERATOR)
    announcement.pinned_at = db.now() if pinned else None
    action = "community_announcement.pinned" if pinned else "community_announcement.unpinned"
    _note(seat, action, announcement)


def mark_read(seat: Seat, announcement: Announcement) -> None:
    """The member has read it; how many did is shown to moderators, not who."""
    db.write_later(
        "insert into community_announcement_reading (announcement_id, account_id, community_id, read_at)"
        " values (:announcement_id, :account_id, :community_id, :read_at) on conflict do nothing",
        {"announcement_id": announcement.id, "account_id": seat.member.account_id,
         "community_id": announcement.community_id, "read_at": db.now()},
    )  # fmt: skip


def _is_theme(seat: Seat, theme_id: UUID) -> bool:
    query = select(Theme.id).where(
        Theme.id == theme_id, Theme.community_id == seat.community.id, Theme.archived_at.is_(None)
    )
    return session.scalar(query) is not None


def _note(seat: Seat, action: str, announcement: Announcement) -> None:
    traces.record(
        seat.community.id, action, object_kind="community_announcement", object_id=announcement.id,
        label=announcement.title, establishment_id=seat.community.establishment_id,
    )  # fmt: skip
