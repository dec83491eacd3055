"""What hospitals wrote instead of the portal's own words: every version of it, append-only."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

LANGUAGES: Final = ("fr", "en", "es", "ar")
LONGEST_SUBJECT: Final = 120
"""Signs; mail programs cut after 60 or so."""
LONGEST_BODY: Final = 4000
MOST_PARTS: Final = 3
"""Of a text message, as operators count and bill them."""


class MessageText(Keyed, Base):
    """One version of a text: the greatest one is used. is_default: from then on the portal's own words are used again,
    and subject and body are empty. kind: a code of `kinds`; one that no room declares any more is never read.
    subject: "" for a text message."""

    __tablename__ = "message_text"
    __table_args__ = (
        UniqueConstraint("establishment_id", "kind", "language", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("is_default = (body = '')", name="body"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    language: Mapped[str]
    version: Mapped[int]
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    is_default: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    actor_name: Mapped[str] = mapped_column(default="")
