"""Documents come, change, are shown and taken back; a version is never changed, a new one takes its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal import db, files, jobs
from portal.db import session
from portal.files import StoredFile
from services.communities import rights
from services.communities.actions import NotThere, nobody_in, writable
from services.communities.library import states
from services.communities.library.actions import Changed, kept_by, note
from services.communities.library.models import LibraryCategory, LibraryDocument, LibraryText, LibraryVersion
from services.communities.queries import Seat

MOST_KEYWORDS: Final = 12


@dataclass(frozen=True)
class Wish:
    """What a member says of a document. review_by: of a protocol; owner: (account, name) of who will review it."""

    kind: str
    title: str
    summary: str = ""
    keywords: Sequence[str] = ()
    category_id: UUID | None = None
    language: str = "fr"
    review_by: date | None = None
    owner: tuple[UUID, str] | None = None


@dataclass(frozen=True)
class Content:
    """What a version is: a file that was received, or an address elsewhere. note: what is new in it."""

    file_id: UUID | None = None
    url: str = ""
    note: str = ""
    publish: bool = True


def deposit(seat: Seat, wish: Wish, content: Content) -> LibraryDocument:
    """Put a document in the library; members see it once a job has read it and found no patient in it.

    Raises CommunityClosed, NotAllowed, Identified, NotThere (the category), FileNotReadable.
    """
    writable(seat, rights.CONTRIBUTOR)
    _nobody_in(wish, content)
    made = LibraryDocument(
        id=uuid4(),
        community_id=seat.community.id,
        author_id=seat.member.account_id,
        author_name=seat.member.name,
        state=states.DRAFT,
        current=0,
    )
    _describe(seat, made, wish)
    session.add(made)
    session.flush()
    _add_version(seat, made, content, number=1)
    note(seat, "library_document.deposited", made, sort=made.kind)
    return made


def renew(seat: Seat, document: LibraryDocument, content: Content) -> LibraryVersion:
    """Add a version; the one before stays until this one may be shown.

    Raises CommunityClosed, NotAllowed, Identified, FileNotReadable.
    """
    writable(seat, rights.CONTRIBUTOR)
    kept_by(seat, document)
    nobody_in(content.note, content.url)
    session.refresh(document, with_for_update={"key_share": True, "of": LibraryDocument})
    last = session.scalar(select(func.max(LibraryVersion.number)).where(LibraryVersion.document_id == document.id))
    made = _add_version(seat, document, content, number=(last or 0) + 1)
    note(seat, "library_document.renewed", document, version=made.number)
    return made


def describe(seat: Seat, document: LibraryDocument, wish: Wish) -> None:
    """Change what is said of a document. Raises CommunityClosed, NotAllowed, Identified, NotThere."""
    writable(seat, rights.CONTRIBUTOR)
    kept_by(seat, document)
    _nobody_in(wish, Content())
    _describe(seat, document, wish)
    session.flush()
    _index_later(document.id)
    note(seat, "library_document.described", document)


def publish(seat: Seat, document: LibraryDocument) -> None:
    """Show its latest version to members. Raises CommunityClosed, NotAllowed, Changed (nothing may be shown)."""
    writable(seat, rights.CONTRIBUTOR)
    kept_by(seat, document)
    version = _latest_showable(document.id)
    if version is None:
        raise Changed
    show(document, version)
    note(seat, "library_document.published", document, version=version.number)


def show(document: LibraryDocument, version: LibraryVersion) -> None:
    """Make this version the one that members read, and have it found."""
    now = db.now()
    document.state = states.PUBLISHED
    document.current = version.number
    document.published_at = document.published_at or now
    document.updated_at = now
    document.withdrawn_at = None
    document.withdrawn_reason = ""
    session.flush()
    _index_later(document.id)


def withdraw(seat: Seat, document: LibraryDocument, reason: str) -> None:
    """Take it away from members: by its author, or by a moderator. Raises NotAllowed, Identified, Changed."""
    kept_by(seat, document)
    nobody_in(reason)
    if document.state == states.WITHDRAWN:
        raise Changed
    document.state = states.WITHDRAWN
    document.withdrawn_at = db.now()
    document.withdrawn_reason = reason
    session.flush()
    _index_later(document.id)
    note(seat, "library_document.withdrawn", document)


def hand_over(seat: Seat, version: LibraryVersion) -> StoredFile:
    """Give the file of a version that this member may read, and write that it was given. Raises NotThere."""
    if version.file is None or version.community_id != seat.community.id:
        raise NotThere
    note(seat, "library_document.opened", version.document, version=version.number)
    return version.file


def judge(seat: Seat, text: LibraryText, version: LibraryVersion, *, clear: bool) -> None:
    """Decide on a version where something looked like a patient. Raises CommunityClosed, NotAllowed, Changed."""
    writable(seat, rights.MODERATOR)
    session.refresh(text, with_for_update={"key_share": True})
    if text.verdict != states.SUSPECT:
        raise Changed
    text.verdict = states.CLEARED if clear else states.REFUSED
    text.decided_at = db.now()
    text.decided_by_name = seat.member.name
    session.flush()
    if clear and version.publish:
        show(version.document, version)
    note(seat, "library_document.cleared" if clear else "library_document.refused", version.document,
         version=version.number)  # fmt: skip


def _nobody_in(wish: Wish, content: Content) -> None:
    nobody_in(wish.title, wish.summary, " ".join(wish.keywords), content.note, content.url)


def _describe(seat: Seat, document: LibraryDocument, wish: Wish) -> None:
    if wish.category_id is not None and not _is_category(seat, wish.category_id):
        raise NotThere
    document.kind, document.title, document.summary = wish.kind, wish.title, wish.summary
    document.keywords = list(wish.keywords)[:MOST_KEYWORDS]
    document.category_id, document.language = wish.category_id, wish.language
    is_protocol = wish.kind == "protocol"
    document.review_by = wish.review_by if is_protocol else None
    if is_protocol and document.owner_id is None and wish.owner is None:
        document.owner_id, document.owner_name = document.author_id, document.author_name
    elif wish.owner is not None:
        document.owner_id, document.owner_name = wish.owner


def _is_category(seat: Seat, category_id: UUID) -> bool:
    query = select(LibraryCategory.id).where(
        LibraryCategory.id == category_id, LibraryCategory.community_id == seat.community.id
    )
    return session.scalar(query) is not None


def _add_version(seat: Seat, document: LibraryDocument, content: Content, *, number: int) -> LibraryVersion:
    stored = files.attach(content.file_id) if content.file_id else None
    made = LibraryVersion(
        id=uuid4(),
        document_id=document.id,
        community_id=document.community_id,
        number=number,
        file_id=stored.id if stored else None,
        url=content.url,
        sha256=stored.sha256 if stored else b"",
        note=content.note,
        by_id=seat.member.account_id,
        by_name=seat.member.name,
        publish=content.publish,
    )
    session.add(made)
    session.flush()
    session.add(
        LibraryText(
            version_id=made.id, document_id=document.id, community_id=document.community_id, number=number,
            by_id=made.by_id, state=states.WAITING, verdict=states.CLEAN,
        )
    )  # fmt: skip
    session.flush()
    jobs.enqueue("library.read", version_id=str(made.id))
    return made


def _latest_showable(document_id: UUID) -> LibraryVersion | None:
    return session.scalar(
        select(LibraryVersion)
        .join(LibraryText, LibraryText.version_id == LibraryVersion.id)
        .outerjoin(StoredFile, StoredFile.id == LibraryVersion.file_id)
        .where(
            func.coalesce(StoredFile.state, "clean") == "clean",
            LibraryVersion.document_id == document_id,
            LibraryText.verdict.in_(states.SHOWABLE),
            LibraryText.state != states.WAITING,
        )
        .order_by(LibraryVersion.number.desc())
        .limit(1)
    )


def _index_later(document_id: UUID) -> None:
    jobs.enqueue("library.index", document_id=str(document_id))
