"""The shelves of a library, kept by its animators: two levels at most."""

from uuid import UUID, uuid4

from sqlalchemy import func, or_, select

from portal.db import session
from services.communities import rights
from services.communities.actions import NotThere, nobody_in, writable
from services.communities.library.actions import Changed, trace
from services.communities.library.models import LibraryCategory, LibraryDocument
from services.communities.queries import Seat


class NameTaken(Exception):
    """There is a shelf of this name at the same place."""


class NotEmpty(Exception):
    """Documents or shelves stand on it."""


def add(seat: Seat, name: str, parent_id: UUID | None = None) -> LibraryCategory:
    """Raises CommunityClosed, NotAllowed, Identified, NameTaken, NotThere (no such parent, or it is on another one)."""
    writable(seat, rights.ANIMATOR)
    nobody_in(name)
    if parent_id is not None:
        parent = _one(seat, parent_id)
        if parent is None or parent.parent_id is not None:
            raise NotThere
    _check_free(seat, name, parent_id)
    last = session.scalar(
        select(func.max(LibraryCategory.rank)).where(LibraryCategory.community_id == seat.community.id)
    )
    made = LibraryCategory(
        id=uuid4(), community_id=seat.community.id, parent_id=parent_id, name=name, rank=(last or 0) + 1
    )
    session.add(made)
    session.flush()
    trace(seat, "library_category.added", "library_category", made.id, name)
    return made


def rename(seat: Seat, category_id: UUID, name: str) -> None:
    """Raises CommunityClosed, NotAllowed, Identified, NameTaken, NotThere."""
    writable(seat, rights.ANIMATOR)
    nobody_in(name)
    found = _there(seat, category_id)
    if name != found.name:
        _check_free(seat, name, found.parent_id)
    found.name = name
    session.flush()
    trace(seat, "library_category.renamed", "library_category", found.id, name)


def move(seat: Seat, category_id: UUID, *, up: bool) -> None:
    """Change places with its neighbour. Raises CommunityClosed, NotAllowed, NotThere, Changed (there is none)."""
    writable(seat, rights.ANIMATOR)
    found = _there(seat, category_id)
    beside = LibraryCategory.rank < found.rank if up else LibraryCategory.rank > found.rank
    order = LibraryCategory.rank.desc() if up else LibraryCategory.rank
    same = LibraryCategory.parent_id.is_not_distinct_from(found.parent_id)
    other = session.scalar(
        select(LibraryCategory)
        .where(LibraryCategory.community_id == seat.community.id, same, beside)
        .order_by(order)
        .limit(1)
    )
    if other is None:
        raise Changed
    found.rank, other.rank = other.rank, found.rank
    session.flush()
    trace(seat, "library_category.moved", "library_category", found.id, found.name)


def remove(seat: Seat, category_id: UUID) -> None:
    """Raises CommunityClosed, NotAllowed, NotThere, NotEmpty."""
    writable(seat, rights.ANIMATOR)
    found = _there(seat, category_id)
    held = select(LibraryDocument.id).where(LibraryDocument.category_id == found.id).limit(1)
    under = select(LibraryCategory.id).where(LibraryCategory.parent_id == found.id).limit(1)
    if session.scalar(select(or_(held.exists(), under.exists()))):
        raise NotEmpty
    session.delete(found)
    session.flush()
    trace(seat, "library_category.removed", "library_category", category_id, found.name)


def _one(seat: Seat, category_id: UUID) -> LibraryCategory | None:
    return session.scalar(
        select(LibraryCategory).where(
            LibraryCategory.id == category_id, LibraryCategory.community_id == seat.community.id
        )
    )


def _there(seat: Seat, category_id: UUID) -> LibraryCategory:
    found = _one(seat, category_id)
    if found is None:
        raise NotThere
    return found


def _check_free(seat: Seat, name: str, parent_id: UUID | None) -> None:
    same = select(LibraryCategory.id).where(
        LibraryCategory.community_id == seat.community.id,
        LibraryCategory.parent_id.is_not_distinct_from(parent_id),
        func.lower(LibraryCategory.name) == name.lower(),
    )
    if session.scalar(same.limit(1)) is not None:
        raise NameTaken
