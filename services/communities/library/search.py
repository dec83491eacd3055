"""Finding a document by its words: accents, plurals, slips and acronyms do not count; or by what it is.

A function of the database looks through the words, which nobody else reads: it first asks whether the actor is a
member, and gives ids, joined back here under the actor's own policies. Words as they were typed, else nearly so, else
any of them.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, Uuid, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT

from portal.db import session
from portal.files import StoredFile
from services.communities.library import states
from services.communities.library.models import LibraryDocument, LibraryText, LibraryVersion
from services.communities.library.reading import acronyms, excerpts, folding
from services.communities.library.reading.excerpts import Piece

PAGE: Final = 20
LAST_PAGE: Final = 25
_MOST_READ: Final = 100_000
"""Characters of a text where an excerpt is looked for."""
_LEXEME: Final = re.compile(r"'([a-z0-9]+)'")


@dataclass(frozen=True)
class Asked:
    """What is looked for. categories: the one that was chosen and those on it. late: to be reviewed before this day.

    since, until: of the last change, `until` excluded. by_date: the latest first.
    """

    words: str = ""
    kind: str = ""
    file_kind: str = ""
    categories: tuple[UUID, ...] = ()
    author_id: UUID | None = None
    since: date | None = None
    until: date | None = None
    late: date | None = None
    by_date: bool = False
    page: int = 1

    @property
    def offset(self) -> int:
        return (min(max(self.page, 1), LAST_PAGE) - 1) * PAGE


@dataclass(frozen=True)
class Hit:
    """A document that was found, and a few of its words around those that were asked for."""

    document: LibraryDocument
    pieces: Sequence[Piece] = ()


@dataclass(frozen=True)
class Found:
    """level: 0 the words as they were typed, 1 nearly so, 2 some of them. meant: what was probably meant, or "".

    kinds, categories, files: how many of all that was found are so. reached: how many of them pages show: of a word
    that is everywhere, only some are ranked.
    """

    hits: Sequence[Hit]
    total: int
    reached: int
    level: int = 0
    meant: str = ""
    kinds: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)

    @property
    def last_page(self) -> int:
        return min(LAST_PAGE, max(1, -(-self.reached // PAGE)))


def search(community_id: UUID, asked: Asked) -> Found:
    """The published documents of a community that answer, the best first; a page of 20."""
    typed = folding.asked(asked.words)
    if not typed:
        return _browse(community_id, asked)
    told: dict[str, Any] = session.scalar(select(_call(community_id, typed, asked))) or {}
    ids = [UUID(each) for each in told.get("ids", [])]
    stems = [*_LEXEME.findall(told.get("stems", "")), *typed]
    level = int(told.get("level", 2))
    return Found(
        hits=_hits(ids, stems),
        total=int(told.get("total", 0)),
        reached=int(told.get("reached", 0)),
        level=level,
        meant=_meant(community_id, asked.words, typed) if level or not ids else "",
        kinds=told.get("kinds", {}),
        categories=told.get("categories", {}),
        files=told.get("files", {}),
    )


def _call(community_id: UUID, typed: Sequence[str], asked: Asked) -> Any:
    return func.library_search(
        literal(community_id, Uuid),
        cast(literal(json.dumps(acronyms.groups(typed))), JSONB),
        literal(_exact(asked), ARRAY(TEXT)),
        literal(asked.since, Date),
        literal(asked.until, Date),
        literal(asked.late, Date),
        asked.by_date,
        literal(PAGE, Integer),
        literal(asked.offset, Integer),
        type_=JSONB,
    )


def _exact(asked: Asked) -> list[str]:
    """Queries of one word each, among those of `indexing.exact`: made of codes and ids, never of what was typed."""
    found = []
    if asked.kind in states.KINDS:
        found.append(f"'k:{asked.kind}'")
    if asked.file_kind in states.FILE_KINDS and asked.file_kind:
        found.append(f"'f:{asked.file_kind}'")
    if asked.author_id:
        found.append(f"'a:{asked.author_id}'")
    if asked.categories:
        found.append(" | ".join(f"'g:{each}'" for each in asked.categories))
    return found


def _hits(ids: Sequence[UUID], stems: Sequence[str]) -> Sequence[Hit]:
    """In the order of `ids`; what this member may not see (any more) is not there."""
    if not ids:
        return []
    rows = session.execute(
        select(LibraryDocument, func.left(LibraryText.content, _MOST_READ))
        .join(
            LibraryVersion,
            (LibraryVersion.document_id == LibraryDocument.id) & (LibraryVersion.number == LibraryDocument.current),
        )
        .join(LibraryText, LibraryText.version_id == LibraryVersion.id)
        .where(LibraryDocument.id.in_(ids), LibraryDocument.state == states.PUBLISHED)
    )
    by_id = {document.id: Hit(document, excerpts.excerpt(content, stems)) for document, content in rows}
    return [by_id[each] for each in ids if each in by_id]


def _meant(community_id: UUID, words: str, typed: Sequence[str]) -> str:
    """What was typed, with each word that no document holds put right; "" when there is nothing better to say."""
    rows = session.execute(
        select(func.library_meant(literal(community_id, Uuid), literal(list(typed), ARRAY(TEXT))).table_valued(
            "word", "spelt"
        ))
    )  # fmt: skip
    better = {row.word: row.spelt for row in rows}
    if not better:
        return ""
    return " ".join(better.get(" ".join(folding.words(word)), word) for word in words[:300].split())


def _browse(community_id: UUID, asked: Asked) -> Found:
    """Without words: everything that is so, the latest first."""
    where = _conditions(community_id, asked)
    document = LibraryDocument
    hits = session.scalars(
        select(document)
        .where(*where)
        .order_by(document.updated_at.desc(), document.id)
        .limit(PAGE)
        .offset(asked.offset)
    )
    counted = session.execute(
        select(document.kind, document.category_id, func.count())
        .where(*where)
        .group_by(document.kind, document.category_id)
    )
    kinds: dict[str, int] = {}
    categories: dict[str, int] = {}
    for kind, category_id, number in counted:
        kinds[kind] = kinds.get(kind, 0) + number
        if category_id:
            categories[str(category_id)] = categories.get(str(category_id), 0) + number
    total = sum(kinds.values())
    return Found([Hit(each) for each in hits], total, total, kinds=kinds, categories=categories)


def _conditions(community_id: UUID, asked: Asked) -> list[ColumnElement[bool]]:
    document = LibraryDocument
    where = [document.community_id == community_id, document.state == states.PUBLISHED, document.current > 0]
    if asked.kind in states.KINDS:
        where.append(document.kind == asked.kind)
    if asked.categories:
        where.append(document.category_id.in_(asked.categories))
    if asked.author_id:
        where.append(document.author_id == asked.author_id)
    if asked.since:
        where.append(document.updated_at >= asked.since)
    if asked.until:
        where.append(document.updated_at < asked.until)
    if asked.late:
        where.append(document.review_by < asked.late)
    if asked.file_kind in states.FILE_KINDS and asked.file_kind:
        where.append(_is_of(asked.file_kind))
    return where


def _is_of(file_kind: str) -> ColumnElement[bool]:
    current = (
        select(LibraryVersion.id)
        .join(LibraryVersion.file)
        .where(
            LibraryVersion.document_id == LibraryDocument.id,
            LibraryVersion.number == LibraryDocument.current,
            StoredFile.media_type.in_(states.media_types(file_kind)),
        )
    )
    return current.exists()
