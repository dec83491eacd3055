"""What a person proves besides their password, and the proofs under way."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

KINDS = ("passkey", "totp", "sms", "mail")


class Factor(Keyed, Base):
    """One second factor of an account. It is written once proven, so every row has been used once at least.

    sealed: the secret of an application, a telephone number or an address, never readable in the database.
    sign_count: how often a passkey says it signed; last_step: the last time step whose code was accepted (RFC 6238).
    """

    __tablename__ = "factor"
    __table_args__ = (
        CheckConstraint("kind in ('passkey', 'totp', 'sms', 'mail')", "kind"),
        CheckConstraint("(kind = 'passkey') = (credential_id is not null)", "credential"),
        Index("ix_factor_account_id", "account_id", postgresql_where=text("removed_at is null")),
        Index("ix_factor_credential_id", "credential_id", unique=True, postgresql_where=text("removed_at is null")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    label: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    credential_id: Mapped[bytes | None] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    last_used_at: Mapped[datetime] = mapped_column(default=db.now)
    removed_at: Mapped[datetime | None]


class RecoveryCode(Keyed, Base):
    """One of the ten codes on the sheet a person keeps at home; good once."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("account_id", "digest"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    used_at: Mapped[datetime | None]


class FactorChallenge(Keyed, Base):
    """A code that was sent, or a passkey's challenge that was answered: each serves once, in one session.

    sealed: where the code goes and what it says, until it has gone. factor_id: None while a factor is being added.
    """

    __tablename__ = "factor_challenge"
    __table_args__ = (CheckConstraint("kind in ('sms', 'mail', 'passkey')", "kind"),)

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("web_session.id", ondelete="cascade"))
    factor_id: Mapped[UUID | None] = mapped_column(ForeignKey("factor.id"))
    kind: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class FactorReset(Keyed, Base):
    """A code printed at the hospital's desk for a person who lost their factors: which agent, on which document."""

    __tablename__ = "factor_reset"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    issued_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    document: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
