"""Accounts that no identity provider vouches for: opened on an invitation, kept by a passkey or two proofs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class LocalInvitation(Keyed, Base):
    """A one-time link with which somebody sets up the way they will sign in, without an identity provider."""

    __tablename__ = "local_invitation"

    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LocalPassword(Base):
    """A password and the name it goes with; it opens nothing without the code of an application."""

    __tablename__ = "local_password"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
