"""Taking out of documents what is searched and shown: after they came, never while somebody waits for a page."""

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload, scoped_session

from portal import db, files, files_shown, jobs
from portal.file_sniffing import FileRefused, Kind, clean_name
from services.documents import cda
from services.documents.models import Document
from services.documents.reading import content, results
from services.documents.reading.content import Content
from services.documents.reading.models import DocumentVocabulary, DocumentWords

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 500
_COPIED: Final = frozenset({"application/pdf", "image/jpeg", "image/png", "image/heic"})


@jobs.task("documents.read_content")
def read_content(document_id: str) -> None:
    """Keep the words and the results of a document, and ask for the copy that people see; once for each."""
    with jobs.reading() as current:
        document = _with_files(current, UUID(document_id))
        if document is None or document.content_read_at is not None or _is_waiting(document):
            return
        readable = document.file.state == document.shown_file.state == "clean"
        copy_id = _keep_pdf_copy(document) if readable else None
    found = content.of(document) if readable else Content([], [])
    with jobs.effect() as current:
        document = _with_files(current, UUID(document_id))
        if document is None or document.content_read_at is not None:
            raise jobs.AlreadyDone
        document.content_read_at = db.now()
        if copy_id is not None and document.content_id is None:
            _give_copy(document, copy_id)
        _keep_words(current, document, found.words)
        if found.rows:  # a document without any may have had them from elsewhere (ORU)
            results.keep(document, found.rows)
        if readable and document.shown_file.media_type in _COPIED:
            files_shown.make_later(document.shown_file)


@jobs.periodic("*/5 * * * *", "documents.read_contents")
def read_contents() -> None:
    """Those that nobody asked for, or that waited for the antivirus: the latest first."""
    with jobs.effect() as current:
        waiting = current.scalars(
            select(Document.id)
            .where(Document.content_read_at.is_(None))
            .order_by(Document.received_at.desc())
            .limit(_AT_ONCE)
        )
        for document_id in waiting.all():
            jobs.enqueue("documents.read_content", document_id=str(document_id))


@jobs.periodic("47 2 * * 0", "documents.forget_words")
def forget_words() -> None:
    """Words that no document holds any more."""
    with jobs.effect() as current:
        current.execute(select(func.forget_document_vocabulary()))


def _with_files(current: scoped_session[Session], document_id: UUID) -> Document | None:
    options = [joinedload(each) for each in (Document.file, Document.content, Document.establishment)]
    return current.scalar(select(Document).options(*options).where(Document.id == document_id))


def _is_waiting(document: Document) -> bool:
    """Whether the antivirus has not said: it is asked again later."""
    return "waiting" in (document.file.state, document.shown_file.state)


def _keep_pdf_copy(document: Document) -> UUID | None:
    """The PDF that a structured letter carries of itself, scanned and stored as a file of its own: people open it.

    None when there is none, or when it cannot be taken: the letter is read without it.
    """
    if not document.is_structured or document.content_id is not None:
        return None
    try:
        inside = cda.pdf_copy(b"".join(files.open_(document.file)))
        if inside is None:
            return None
        name = clean_name(f"{document.authored_on:%Y%m%d} {document.title}") + ".pdf"
        return files.receive(files.from_bytes([inside]), name, kinds=frozenset({Kind.PDF})).id
    except (cda.CdaError, FileRefused):
        log.warning("documents.pdf_copy_refused", document_id=str(document.id))
        return None


def _give_copy(document: Document, copy_id: UUID) -> None:
    """It belongs to whoever the letter belongs to by now."""
    letter = document.file
    document.content = files.attach(
        copy_id,
        patient_id=letter.patient_id,
        establishment_id=letter.establishment_id,
        staff_right=letter.staff_right,
    )


def _keep_words(current: scoped_session[Session], document: Document, words: list[str]) -> None:
    said = func.to_tsvector("french", " ".join(words))
    row = insert(DocumentWords).values(
        document_id=document.id, establishment_id=document.establishment_id, words=func.strip(said)
    )
    current.execute(row.on_conflict_do_update(index_elements=["document_id"], set_={"words": row.excluded.words}))
    # In one order, so that two jobs that meet wait for each other instead of for ever.
    lexemes = func.unnest(func.tsvector_to_array(said)).column_valued("word", joins_implicitly=True)
    known = select(lexemes).where(lexemes.regexp_match("^[a-z]{4,30}$")).order_by(lexemes)
    current.execute(insert(DocumentVocabulary).from_select(["word"], known).on_conflict_do_nothing())
