"""The word that a secretary reads out, so that a practitioner finds them without browsing names."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class DelegationCode(Keyed, Base):
    """Made on the page of whoever will act for others, good once and for a quarter of an hour; only its SHA-256 is
    kept."""

    __tablename__ = "delegation_code"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
