"""What is remembered of the keys of the configuration: names and moments, never a key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base


class SecretKeyMark(Base):
    """A value of PORTAL_SECRET_KEY, by a name that tells nothing of it, and since when it signs; None: since before
    anybody looked. What is older was made by another one."""

    __tablename__ = "secret_key_mark"

    name: Mapped[str] = mapped_column(primary_key=True)
    signs_since: Mapped[datetime | None]


class FileResealing(Base):
    """How far the stored files were gone through for one key. after_id: the last one that was looked at."""

    __tablename__ = "file_resealing"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime] = mapped_column(default=db.now)
    after_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
