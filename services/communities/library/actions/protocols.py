"""Protocols are approved by a moderator, and looked at again before their day."""

from datetime import date

from portal import db, jobs
from portal.db import session
from services.communities import rights
from services.communities.actions import NotAllowed, writable
from services.communities.library import states
from services.communities.library.actions import Changed, note, reviews
from services.communities.library.models import LibraryDocument
from services.communities.queries import Seat


def approve(seat: Seat, document: LibraryDocument) -> None:
    """Write that this member approved the version that is read. Raises CommunityClosed, NotAllowed, Changed."""
    writable(seat, rights.MODERATOR)
    if document.kind != "protocol" or document.state != states.PUBLISHED or document.current == 0:
        raise Changed
    document.approved_version = document.current
    document.approved_by_name = seat.member.name
    document.approved_at = db.now()
    session.flush()
    note(seat, "library_protocol.approved", document, version=document.current)


def review(seat: Seat, document: LibraryDocument, *, today: date, next_on: date) -> None:
    """Write that it was looked at and holds still, until the next day. Raises CommunityClosed, NotAllowed, Changed."""
    writable(seat, rights.CONTRIBUTOR)
    if not reviews(seat, document):
        raise NotAllowed
    if document.kind != "protocol" or next_on <= today:
        raise Changed
    document.reviewed_on, document.reviewed_by_name = today, seat.member.name
    document.review_by = next_on
    session.flush()
    jobs.enqueue("library.index", document_id=str(document.id))
    note(seat, "library_protocol.reviewed", document)
