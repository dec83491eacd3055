"""The words that find a document: written by jobs, as the system."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from services.communities.library.models import LibraryDocument, LibraryText
from services.communities.library.reading import folding

_EXACT = "array_to_tsvector(cast(:exact as text[]))"
_TITLE = "setweight(to_tsvector('french', :title), 'A')"
_KEYWORDS = "setweight(to_tsvector('french', :keywords), 'B')"
_HEADINGS = "setweight(to_tsvector('french', :headings), 'C')"
_CONTENT = "setweight(to_tsvector('french', :content), 'D')"
_COLUMNS = "document_id, community_id, category_id, kind, file_kind, author_id, review_by, at, head, words"
_CHANGED = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS.split(", ")[1:])
KEEP: Final = text(
    f"insert into library_words ({_COLUMNS}) values"
    " (:document_id, :community_id, :category_id, :kind, :file_kind, :author_id, :review_by, :at,"
    f" {_TITLE} || {_KEYWORDS} || {_EXACT}, {_TITLE} || {_KEYWORDS} || {_HEADINGS} || {_CONTENT} || {_EXACT})"
    f" on conflict (document_id) do update set {_CHANGED}"
)
_LEARN: Final = text(
    "insert into library_vocabulary (community_id, word, spelt)"
    " select :community_id, unnest(cast(:words as text[])), unnest(cast(:spelt as text[]))"
    " on conflict (community_id, word) do nothing"
)


def keep(current: scoped_session[Session], document: LibraryDocument, read: LibraryText, file_kind: str) -> None:
    """Have a published document found by these words, and no longer by those of before."""
    current.execute(KEEP, row(document, read.headings, read.content, file_kind))
    every = [document.title, " ".join(document.keywords), document.summary, read.headings, read.content]
    # In one order: two documents that teach the same words at once would wait for each other.
    learnt = sorted(folding.spellings("\n".join(every)).items())
    current.execute(
        _LEARN,
        {"community_id": document.community_id, "words": [word for word, _ in learnt], "spelt": [s for _, s in learnt]},
    )


def forget(current: scoped_session[Session], document_id: UUID) -> None:
    current.execute(text("delete from library_words where document_id = :id"), {"id": document_id})


def row(document: LibraryDocument, headings: str, content: str, file_kind: str) -> Mapping[str, Any]:
    """The values of `KEEP`."""
    return {
        "document_id": document.id,
        "community_id": document.community_id,
        "category_id": document.category_id,
        "kind": document.kind,
        "file_kind": file_kind,
        "author_id": document.author_id,
        "review_by": document.review_by,
        "at": document.updated_at,
        "title": folding.key(document.title),
        "keywords": folding.key(" ".join(document.keywords)),
        "headings": folding.key(f"{document.summary}\n{headings}"),
        "content": folding.key(content),
        "exact": exact(document, file_kind),
    }


def exact(document: LibraryDocument, file_kind: str) -> list[str]:
    """What a document is filtered by, as words that nobody can type (`models.LibraryWords`)."""
    found = [f"c:{document.community_id}", f"k:{document.kind}", f"a:{document.author_id}", f"f:{file_kind or 'none'}"]
    return [*found, f"g:{document.category_id}"] if document.category_id else found
