"""What is announced, where, in which languages and until when."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.catalog.models import Texts
from portal.db import Base, Keyed

LEVELS: Final = ("closure", "warning", "maintenance", "info")
"""The gravest first: something closed at once, something that goes wrong, an announced stop, something to know."""


class SiteNotice(Keyed, Base):
    """A notice. establishment_id: None for the whole group. texts: language → `title`, `text`.

    shown_from, shown_until: when it is on the pages. window_from, window_until: when the service stops, told in the
    reader's words (level `maintenance`). withdrawn_at: taken back before its end.
    """

    __tablename__ = "site_notice"

    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    level: Mapped[str] = mapped_column(server_default="")
    texts: Mapped[Texts] = mapped_column(JSONB, default=dict, server_default="{}")
    shown_from: Mapped[datetime]
    shown_until: Mapped[datetime | None]
    window_from: Mapped[datetime | None]
    window_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    withdrawn_at: Mapped[datetime | None]
