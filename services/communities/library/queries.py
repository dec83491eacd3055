"""Libraries for their members: always of the community of a seat (row-level security is the second lock)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.db import session
from services.communities import rights
from services.communities.library import states
from services.communities.library.models import LibraryCategory, LibraryDocument, LibraryText, LibraryVersion
from services.communities.models import CommunityMember
from services.communities.queries import Seat


@dataclass(frozen=True)
class Shelf:
    """A category, and those on it."""

    category: LibraryCategory
    under: Sequence[LibraryCategory]

    @property
    def ids(self) -> tuple[UUID, ...]:
        return (self.category.id, *(each.id for each in self.under))


def document(seat: Seat, document_id: UUID) -> LibraryDocument | None:
    """A document that this member may read."""
    return session.scalar(
        select(LibraryDocument).where(
            LibraryDocument.id == document_id, LibraryDocument.community_id == seat.community.id
        )
    )


def versions(document_id: UUID) -> Sequence[LibraryVersion]:
    """Those that this member may read, the latest first, with their files and what was read in them."""
    return session.scalars(
        select(LibraryVersion)
        .join(LibraryText, LibraryText.version_id == LibraryVersion.id)
        .options(joinedload(LibraryVersion.file), contains_eager(LibraryVersion.text))
        .where(LibraryVersion.document_id == document_id)
        .order_by(LibraryVersion.number.desc())
    ).all()


def version(seat: Seat, document_id: UUID, number: int) -> LibraryVersion | None:
    return session.scalar(
        select(LibraryVersion)
        .options(joinedload(LibraryVersion.file), joinedload(LibraryVersion.document), joinedload(LibraryVersion.text))
        .where(
            LibraryVersion.document_id == document_id,
            LibraryVersion.number == number,
            LibraryVersion.community_id == seat.community.id,
        )
    )


def shelves(community_id: UUID) -> Sequence[Shelf]:
    """The categories in the order of the animators."""
    query = select(LibraryCategory).where(LibraryCategory.community_id == community_id)
    every = session.scalars(query.order_by(LibraryCategory.rank, LibraryCategory.name, LibraryCategory.id)).all()
    return [Shelf(each, [on for on in every if on.parent_id == each.id]) for each in every if each.parent_id is None]


def documents_by_category(community_id: UUID) -> Mapping[UUID, int]:
    """How many documents stand on each, whatever their state that this member sees."""
    rows = session.execute(
        select(LibraryDocument.category_id, func.count())
        .where(LibraryDocument.community_id == community_id, LibraryDocument.category_id.is_not(None))
        .group_by(LibraryDocument.category_id)
    )
    return {category_id: number for category_id, number in rows if category_id}


def mine(seat: Seat) -> Sequence[LibraryDocument]:
    """What this member deposited and others do not read, the latest first."""
    return session.scalars(
        select(LibraryDocument)
        .where(
            LibraryDocument.community_id == seat.community.id,
            LibraryDocument.author_id == seat.member.account_id,
            LibraryDocument.state != states.PUBLISHED,
        )
        .order_by(LibraryDocument.updated_at.desc(), LibraryDocument.id)
        .limit(200)
    ).all()


def set_aside(seat: Seat) -> Sequence[LibraryVersion]:
    """Versions where something looks like a patient: every one for moderators, their own for others."""
    own = LibraryText.by_id == seat.member.account_id
    waiting = [LibraryText.verdict == states.SUSPECT, LibraryText.verdict == states.NUMBER]
    # A number is out of the way once a later version took its place.
    return session.scalars(
        select(LibraryVersion)
        .join(LibraryText, LibraryText.version_id == LibraryVersion.id)
        .join(LibraryDocument, LibraryDocument.id == LibraryVersion.document_id)
        .options(contains_eager(LibraryVersion.text), contains_eager(LibraryVersion.document))
        .where(
            LibraryText.community_id == seat.community.id,
            or_(*waiting),
            LibraryVersion.number > LibraryDocument.current,
            LibraryDocument.state != states.WITHDRAWN,
            *([] if seat.at_least(rights.MODERATOR) else [own]),
        )
        .order_by(LibraryVersion.at, LibraryVersion.id)
        .limit(200)
    ).all()


def count_set_aside(seat: Seat) -> int:
    """For the menu of moderators."""
    if not seat.at_least(rights.MODERATOR):
        return 0
    return (
        session.scalar(
            select(func.count())
            .select_from(LibraryText)
            .where(LibraryText.community_id == seat.community.id, LibraryText.verdict == states.SUSPECT)
        )
        or 0
    )


def protocols(seat: Seat, today: date) -> Sequence[LibraryDocument]:
    """Published protocols that are to be reviewed within three months or late, the most urgent first; then those that
    have no day."""
    horizon = today + timedelta(days=92)
    return session.scalars(
        select(LibraryDocument)
        .where(
            LibraryDocument.community_id == seat.community.id,
            LibraryDocument.state == states.PUBLISHED,
            LibraryDocument.kind == "protocol",
            or_(LibraryDocument.review_by.is_(None), LibraryDocument.review_by <= horizon),
        )
        .order_by(LibraryDocument.review_by.asc().nulls_last(), LibraryDocument.title, LibraryDocument.id)
        .limit(200)
    ).all()


def authors(community_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Who published something, by name: the filter of the search."""
    rows = session.execute(
        select(LibraryDocument.author_id, func.max(LibraryDocument.author_name))
        .where(LibraryDocument.community_id == community_id, LibraryDocument.state == states.PUBLISHED)
        .group_by(LibraryDocument.author_id)
        .order_by(func.max(LibraryDocument.author_name))
        .limit(300)
    )
    return [(account_id, name) for account_id, name in rows]


def owners(community_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Who may see to the review of a protocol: members who contribute, by name."""
    rows = session.execute(
        select(CommunityMember.account_id, CommunityMember.name)
        .where(
            CommunityMember.community_id == community_id,
            CommunityMember.state == rights.ACTIVE,
            CommunityMember.role.in_(rights.and_above(rights.CONTRIBUTOR)),
        )
        .order_by(CommunityMember.name, CommunityMember.account_id)
    )
    return [(account_id, name) for account_id, name in rows]
