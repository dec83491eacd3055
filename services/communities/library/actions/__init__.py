"""What people do in a library. Each gesture is written in the audit and in the community's own journal."""

from uuid import UUID

from services.communities import rights, traces
from services.communities.actions import NotAllowed
from services.communities.library.models import LibraryDocument
from services.communities.queries import Seat


class Changed(Exception):
    """Somebody did something with it meanwhile: what was asked no longer makes sense."""


def is_own(seat: Seat, document: LibraryDocument) -> bool:
    return document.author_id == seat.member.account_id


def keeps(seat: Seat, document: LibraryDocument) -> bool:
    """Whether this member may change the document: its author while they contribute, and moderators."""
    return seat.at_least(rights.MODERATOR) or (is_own(seat, document) and seat.at_least(rights.CONTRIBUTOR))


def reviews(seat: Seat, document: LibraryDocument) -> bool:
    """Whether this member sees to its review: also whoever it was given to."""
    return keeps(seat, document) or (document.owner_id == seat.member.account_id and seat.at_least(rights.CONTRIBUTOR))


def kept_by(seat: Seat, document: LibraryDocument) -> None:
    """Raises NotAllowed."""
    if not keeps(seat, document):
        raise NotAllowed


def note(seat: Seat, action: str, document: LibraryDocument, **details: str | int | None) -> None:
    trace(seat, action, "library_document", document.id, document.title, **details)


def trace(seat: Seat, action: str, kind: str, object_id: UUID, label: str, **details: str | int | None) -> None:
    traces.record(
        seat.community.id, action, object_kind=kind, object_id=object_id, label=label,
        establishment_id=seat.community.establishment_id, **details,
    )  # fmt: skip
