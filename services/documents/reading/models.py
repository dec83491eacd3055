"""What was read in documents: the results of laboratories, and the words that find a document again.

Neither names a patient: a document that changes hands takes them along. Results are seen by whoever sees their
document; words by nobody, `search` alone looks through them.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed


class DocumentResult(Keyed, Base):
    """One result of a laboratory, as its document says it. Fields: those of `reading.results.Row`."""

    __tablename__ = "document_result"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id", ondelete="cascade"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    rank: Mapped[int]
    group: Mapped[str]
    label: Mapped[str]
    code: Mapped[str]
    value: Mapped[str]
    number: Mapped[Decimal | None] = mapped_column(Numeric)
    unit: Mapped[str]
    range: Mapped[str]
    low: Mapped[Decimal | None] = mapped_column(Numeric)
    high: Mapped[Decimal | None] = mapped_column(Numeric)
    flag: Mapped[str]
    at: Mapped[datetime]


class DocumentWords(Base):
    """The words of a document, each once, folded, without their order: it is found by them, and not read in them."""

    __tablename__ = "document_words"
    __table_args__ = (Index("ix_document_words_words", "words", postgresql_using="gin"),)

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id", ondelete="cascade"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    words: Mapped[str] = mapped_column(TSVECTOR)


class DocumentVocabulary(Base):
    """Every word that some document holds, so that a slip finds the word that was meant. It says of no one."""

    __tablename__ = "document_vocabulary"
    __table_args__ = (
        Index("ix_document_vocabulary_word", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),
    )

    word: Mapped[str] = mapped_column(primary_key=True)
