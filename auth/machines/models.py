"""Machines: other systems of a hospital that call the portal by themselves, and what they hold for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class Machine(Keyed, Base):
    """An OAuth2 client of one hospital (RFC 6749, 2.1: confidential).

    It proves itself by a secret, of which only the SHA-256 is stored, or by its own key, of which `jwks` is the
    public half (RFC 7523). quota_per_hour: calls it may make in one hour of UTC.
    """

    __tablename__ = "machine"
    __table_args__ = (
        CheckConstraint("(secret_digest is null) <> (jwks is null)", "one_proof"),
        CheckConstraint("quota_per_hour > 0", "quota"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    name: Mapped[str]
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    quota_per_hour: Mapped[int] = mapped_column(default=3600)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()

    @property
    def proof(self) -> str:
        """`secret` or `key`."""
        return "secret" if self.jwks is None else "key"

    @property
    def is_open(self) -> bool:
        """Whether it may ask for a token now."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > db.now())


class MachineToken(Base):
    """An access token handed to a machine; only its SHA-256 is stored. rights: what its scopes stand for."""

    __tablename__ = "machine_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machine.id", ondelete="cascade"), index=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text))
    issued_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MachineAssertion(Base):
    """A signed assertion that was used: its `jti` buys nothing a second time (RFC 7523, 3)."""

    __tablename__ = "machine_assertion"

    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machine.id", ondelete="cascade"), primary_key=True)
    jti: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class MachineUse(Base):
    """How many calls a machine made in an hour through one connection of the database.

    One row a connection: calls at the same time never wait for each other's row.
    """

    __tablename__ = "machine_use"

    machine_id: Mapped[UUID] = mapped_column(ForeignKey("machine.id", ondelete="cascade"), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    backend: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    calls: Mapped[int]
