"""Documents of communities: what they are, their versions, what was read in them, and the words that find them.

Every row names its community. A version is never changed; its text is apart, because it is read later, by a job, and
because a moderator decides on it. `library_words` is what the search looks through: nobody reads it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.files import StoredFile
from services.communities.library import states


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class LibraryCategory(Keyed, Base):
    """A shelf. parent_id: the one it stands on; two levels at most."""

    __tablename__ = "library_category"
    __table_args__ = (Index("ix_library_category_community_id", "community_id", "rank"),)

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("library_category.id"))
    name: Mapped[str]
    rank: Mapped[int] = mapped_column(default=0)


class LibraryDocument(Keyed, Base):
    """A document, whatever its version. current: the number of the version that members read, 0 for none yet.

    review_by: the day by which a protocol must be looked at again; owner_id: who sees to it. approved_version: the
    version that a moderator approved, 0 for none. reminded_for: the `review_by` of which the owner was told before,
    late_for: the one of which they were told after.
    """

    __tablename__ = "library_document"
    __table_args__ = (
        CheckConstraint(_among("kind", states.KINDS), "kind"),
        CheckConstraint(_among("state", states.STATES), "state"),
        Index("ix_library_document_community_id", "community_id", "state", "updated_at"),
        Index("ix_library_document_category_id", "category_id"),
        Index("ix_library_document_review_by", "review_by"),
    )

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    category_id: Mapped[UUID | None] = mapped_column(ForeignKey("library_category.id"))
    kind: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    keywords: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list)
    language: Mapped[str] = mapped_column(default="fr")
    state: Mapped[str] = mapped_column(default=states.DRAFT)
    current: Mapped[int] = mapped_column(default=0)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    author_name: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    owner_name: Mapped[str] = mapped_column(default="")
    reviewed_on: Mapped[date | None] = mapped_column(Date)
    reviewed_by_name: Mapped[str] = mapped_column(default="")
    review_by: Mapped[date | None] = mapped_column(Date)
    approved_version: Mapped[int] = mapped_column(default=0)
    approved_by_name: Mapped[str] = mapped_column(default="")
    approved_at: Mapped[datetime | None]
    reminded_for: Mapped[date | None] = mapped_column(Date)
    late_for: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    updated_at: Mapped[datetime] = mapped_column(default=db.now)
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(default="")

    category: Mapped[LibraryCategory | None] = relationship(lazy="joined", viewonly=True)


class LibraryVersion(Keyed, Base):
    """What a document was from one day on: append-only. file_id: None for a link, whose address is `url`."""

    __tablename__ = "library_version"
    __table_args__ = (UniqueConstraint("document_id", "number"),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("library_document.id"))
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    number: Mapped[int]
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    url: Mapped[str] = mapped_column(default="")
    sha256: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    note: Mapped[str] = mapped_column(default="")
    by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
    publish: Mapped[bool] = mapped_column(default=True)

    file: Mapped[StoredFile | None] = relationship(viewonly=True)
    document: Mapped[LibraryDocument] = relationship(viewonly=True)
    text: Mapped["LibraryText | None"] = relationship(
        primaryjoin="foreign(LibraryText.version_id) == LibraryVersion.id", viewonly=True, uselist=False
    )


class LibraryText(Base):
    """What was read in a version, and what was found in it. headings: its titles, which weigh more than the rest.

    why: words of `identifiers.Why`, each once; decided_by_name: the moderator who cleared or refused it.
    """

    __tablename__ = "library_text"
    __table_args__ = (
        CheckConstraint(_among("state", states.TEXT_STATES), "state"),
        CheckConstraint(_among("verdict", states.VERDICTS), "verdict"),
        Index("ix_library_text_state", "state", "asked_at"),
        Index("ix_library_text_community_id", "community_id", "verdict"),
    )

    version_id: Mapped[UUID] = mapped_column(ForeignKey("library_version.id"), primary_key=True)
    document_id: Mapped[UUID] = mapped_column(ForeignKey("library_document.id"))
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    number: Mapped[int]
    by_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(default=states.WAITING)
    verdict: Mapped[str] = mapped_column(default=states.CLEAN)
    why: Mapped[list[str]] = mapped_column(ARRAY(TEXT), default=list)
    pages: Mapped[int] = mapped_column(default=0)
    headings: Mapped[str] = mapped_column(default="")
    content: Mapped[str] = mapped_column(default="", deferred=True)
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    read_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="")


class LibraryWords(Base):
    """What finds a published document: its folded words, weighted (A title, B keywords, C headings and summary, D
    text), and what it is filtered by, so that a search looks at one table. What is exact (community, kind, category,
    author, type of file) is in `words` too, as `c:…`, `k:…`, `g:…`, `a:…`, `f:…`: one index answers everything, and no
    other index stands where the database could prefer it and read every text."""

    __tablename__ = "library_words"
    __table_args__ = (
        Index("ix_library_words_words", "words", postgresql_using="gin"),
        Index("ix_library_words_head", "head", postgresql_using="gin"),
    )

    document_id: Mapped[UUID] = mapped_column(ForeignKey("library_document.id"), primary_key=True)
    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"))
    category_id: Mapped[UUID | None]
    kind: Mapped[str]
    file_kind: Mapped[str]
    author_id: Mapped[UUID]
    review_by: Mapped[date | None] = mapped_column(Date)
    at: Mapped[datetime]
    head: Mapped[str] = mapped_column(TSVECTOR)
    words: Mapped[str] = mapped_column(TSVECTOR)


class LibraryVocabulary(Base):
    """The words of a community's published documents, so that a slip finds the word that was meant. spelt: as they
    were written."""

    __tablename__ = "library_vocabulary"
    __table_args__ = (
        Index("ix_library_vocabulary_word", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )

    community_id: Mapped[UUID] = mapped_column(ForeignKey("community.id"), primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
    spelt: Mapped[str]
