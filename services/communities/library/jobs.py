"""What happens to documents after they came: read, judged, shown, found; and protocols whose day comes."""

from datetime import date, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload, scoped_session, undefer

from auth.models import Account
from portal import apart, calendar, db, files, jobs, notifications
from portal.db import session
from portal.file_sniffing import Kind
from portal.notifications import Mail
from services.communities import identifiers, rights, traces
from services.communities.library import indexing, mails, states
from services.communities.library.actions import documents
from services.communities.library.models import LibraryDocument, LibraryText, LibraryVersion
from services.communities.library.reading import bounded
from services.communities.library.reading.bounded import Text
from services.communities.library.zones import zone_of
from services.communities.models import Community, CommunityMember

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 200
_KIND_OF: Final = {kind.media_type: kind.value for kind in Kind}


@jobs.task("library.read")
def read_version(version_id: str) -> None:
    """Take the text out of a version, look for patients in it, and show it when there is none; once."""
    with jobs.reading() as current:
        version = _version(current, UUID(version_id))
        if version is None or version.text is None or version.text.state != states.WAITING:
            return
        if version.file is not None and version.file.state == "waiting":
            return  # the antivirus has not said: `read_versions` comes back
    state, found = _text_of(version)
    with jobs.effect() as current:
        version = _version(current, UUID(version_id))
        read = current.get(LibraryText, UUID(version_id), with_for_update={"key_share": True})
        if version is None or read is None or read.state != states.WAITING:
            raise jobs.AlreadyDone
        _keep(read, state, found, version.document)
        if read.verdict != states.CLEAN:
            _set_aside(version, read)
        elif version.publish and _is_clean(version):
            documents.show(version.document, version)


def _is_clean(version: LibraryVersion) -> bool:
    return version.file is None or version.file.state == "clean"


def _text_of(version: LibraryVersion) -> tuple[str, Text]:
    """(state, text) of a version whose file the antivirus has judged."""
    nothing = Text(0, "", "")
    if version.file is None:
        return states.WITHOUT_TEXT, nothing
    if version.file.state != "clean":
        return states.UNREADABLE, nothing
    kind = _KIND_OF.get(version.file.media_type, "")
    try:
        found = bounded.read(b"".join(files.open_(version.file)), kind)
    except apart.GaveUp:
        log.warning("library.unreadable", version_id=str(version.id), kind=kind)
        return states.UNREADABLE, nothing
    return (states.WITHOUT_TEXT if found.is_empty else states.READ), found


def _keep(read: LibraryText, state: str, found: Text, document: LibraryDocument) -> None:
    read.state, read.read_at = state, db.now()
    read.pages, read.headings, read.content = found.pages, found.headings, found.content
    marks = identifiers.found(f"{found.headings}\n{found.content}")
    if marks:
        read.verdict = states.NUMBER if identifiers.refused(marks) else states.SUSPECT
        read.why = sorted({str(mark.why) for mark in marks})


def _set_aside(version: LibraryVersion, read: LibraryText) -> None:
    """Nobody sees it but its author and moderators, who are told."""
    traces.record(
        version.community_id, "library_document.set_aside", object_kind="library_document",
        object_id=version.document_id, establishment_id=_host(version.community_id), verdict=read.verdict,
    )  # fmt: skip
    mail = mails.set_aside(version.community_id, version.document_id)
    _tell({version.by_id, *_moderators(version.community_id)}, mail)


@jobs.periodic("*/5 * * * *", "library.read_versions")
def read_versions() -> None:
    """Versions that nobody read yet: their job was lost, or they waited for the antivirus."""
    with jobs.effect() as current:
        late = db.now() - timedelta(minutes=2)
        waiting = select(LibraryText.version_id).where(LibraryText.state == states.WAITING, LibraryText.asked_at < late)
        for version_id in current.scalars(waiting.order_by(LibraryText.asked_at).limit(_AT_ONCE)):
            jobs.enqueue("library.read", version_id=str(version_id))


@jobs.task("library.index")
def index(document_id: str) -> None:
    """Have a document found by what it says now, or by nothing when it is not published. Runs twice without harm."""
    with jobs.effect() as current:
        document = current.get(
            LibraryDocument, UUID(document_id), with_for_update={"key_share": True, "of": LibraryDocument}
        )
        if document is None:
            return
        version = current.scalar(
            select(LibraryVersion)
            .options(joinedload(LibraryVersion.file))
            .where(LibraryVersion.document_id == document.id, LibraryVersion.number == document.current)
        )
        if document.state != states.PUBLISHED or version is None:
            indexing.forget(current, document.id)
            return
        read = current.get_one(LibraryText, version.id, options=[undefer(LibraryText.content)])
        media_type = version.file.media_type if version.file else ""
        indexing.keep(current, document, read, states.file_kind(media_type))


@jobs.periodic("17 3 * * 0", "library.forget_words")
def forget_words() -> None:
    """Words that no document of a community holds any more."""
    with jobs.effect() as current:
        current.execute(select(func.library_forget_vocabulary()))


@jobs.periodic("25 6 * * *", "library.remind_reviews")
def remind_reviews() -> None:
    """Tell who sees to a protocol that its day comes in a month, and again when it has passed: once each."""
    with jobs.effect() as current:
        rows = current.execute(
            select(LibraryDocument, Community)
            .join(Community, Community.id == LibraryDocument.community_id)
            .where(
                LibraryDocument.state == states.PUBLISHED,
                LibraryDocument.review_by <= calendar.latest_day(db.now()) + timedelta(days=states.REMIND_DAYS),
                Community.closed_at.is_(None),
                LibraryDocument.late_for.is_distinct_from(LibraryDocument.review_by),
            )
            .order_by(LibraryDocument.id)
            .limit(_AT_ONCE)
        )
        for document, community in rows.all():
            _remind(document, calendar.civil_day(db.now(), zone_of(community)))


def _remind(document: LibraryDocument, today: date) -> None:
    due = document.review_by
    if due is None:
        return
    if due < today:
        document.late_for = document.reminded_for = due
    elif due <= today + timedelta(days=states.REMIND_DAYS) and document.reminded_for != due:
        document.reminded_for = due
    else:
        return
    owner = document.owner_id or document.author_id
    told = {owner, *_moderators(document.community_id)} if due < today else {owner}
    _tell(told, mails.review(document.community_id, document.id))


def _version(current: scoped_session[Session], version_id: UUID) -> LibraryVersion | None:
    options = [joinedload(each) for each in (LibraryVersion.file, LibraryVersion.document, LibraryVersion.text)]
    return current.scalar(select(LibraryVersion).options(*options).where(LibraryVersion.id == version_id))


def _host(community_id: UUID) -> UUID | None:
    return session.scalar(select(Community.establishment_id).where(Community.id == community_id))


def _moderators(community_id: UUID) -> list[UUID]:
    return list(
        session.scalars(
            select(CommunityMember.account_id).where(
                CommunityMember.community_id == community_id,
                CommunityMember.state == rights.ACTIVE,
                CommunityMember.role.in_(rights.and_above(rights.MODERATOR)),
            )
        )
    )


def _tell(account_ids: set[UUID], mail: Mail) -> None:
    people = select(Account).where(Account.id.in_(account_ids), Account.closed_at.is_(None)).order_by(Account.id)
    for account in session.scalars(people):
        notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)
