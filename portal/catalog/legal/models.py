"""Versions of legal pages, the yearly plan of accessibility, and what readers could not use."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

PAGES: Final = ("accessibility", "legal", "personal-data")
"""The first two are the group's; the third is each hospital's, who answers for the data of its patients."""
ACTION_STATES: Final = ("planned", "under_way", "done", "dropped")
REPORT_STATES: Final = ("received", "in_progress", "answered")


class LegalPage(Keyed, Base):
    """One version of what a page is made from (`content`). The last one is shown; the others are kept, unchanged."""

    __tablename__ = "legal_page"
    __table_args__ = (
        UniqueConstraint("page", "establishment_id", "version", postgresql_nulls_not_distinct=True,
                         name="uq_legal_page_page_establishment_id_version"),
    )  # fmt: skip

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    page: Mapped[str] = mapped_column(server_default="")
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default="{}")
    actor_name: Mapped[str] = mapped_column(server_default="")
    published_at: Mapped[datetime] = mapped_column(default=db.now)


class AccessibilityAction(Keyed, Base):
    """One line of the yearly plan (décret 2019-768, art. 6)."""

    __tablename__ = "accessibility_action"

    year: Mapped[int]
    title: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="")
    changed_at: Mapped[datetime] = mapped_column(default=db.now, onupdate=db.now)


class AccessibilityReport(Keyed, Base):
    """What somebody could not use. page: its address here. email: where to answer, "" when they want no answer.
    actor_name: of the agent who answered."""

    __tablename__ = "accessibility_report"

    page: Mapped[str] = mapped_column(server_default="")
    words: Mapped[str] = mapped_column(server_default="")
    email: Mapped[str] = mapped_column(server_default="")
    locale: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="")
    answer: Mapped[str] = mapped_column(server_default="")
    actor_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]
