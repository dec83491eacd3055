"""What a document says, taken out of it once, by a job: the words that find it, and its results."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from portal import apart, files
from services.documents import cda
from services.documents.models import Document
from services.documents.reading import folding, results
from services.documents.reading.results import Row

log = structlog.get_logger(__name__)

_PDF_SECONDS: Final = 20
_PDF_READER: Final = Path(__file__).parent / "pdf_reader.py"


@dataclass(frozen=True)
class Content:
    """words: folded, each once."""

    words: list[str]
    rows: list[Row]


def of(document: Document) -> Content:
    """Read a document whose files the antivirus has accepted. What cannot be read is found by its title alone."""
    texts = [document.title, document.type_label, document.author_name, document.author_speciality]
    texts += [document.author_organization, document.establishment.name]
    rows: list[Row] = []
    if document.level != "FILE":
        data = b"".join(files.open_(document.file))
        try:
            texts += cda.plain_texts(data)
            rows = results.of_cda(data)
        except cda.CdaError:  # it was read when it came: our limits have changed since
            log.warning("documents.content_unreadable", document_id=str(document.id))
    return Content(folding.of_texts([*texts, *_of_pdf(document)]), rows)


def _of_pdf(document: Document) -> Iterator[str]:
    stored = document.shown_file
    if stored.media_type != "application/pdf":
        return
    try:
        read = apart.run(_PDF_READER, b"".join(files.open_(stored)), seconds=_PDF_SECONDS)
    except apart.GaveUp:
        log.warning("documents.pdf_without_words", document_id=str(document.id))
        return
    yield read.decode("utf-8", "replace")
