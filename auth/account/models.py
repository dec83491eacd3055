"""Known devices, accepted texts, downloads of one's data, and requests about it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.account.states import CLOSED, KINDS, STATES
from auth.models import Account, Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from portal.files import StoredFile


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class KnownDevice(Keyed, Base):
    """A browser that signed in to an account before. It holds a random token; only a digest for this account is kept,
    so that two accounts used on one computer cannot be brought together."""

    __tablename__ = "known_device"
    __table_args__ = (UniqueConstraint("account_id", "digest"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    browser: Mapped[str] = mapped_column(default="")
    first_seen_at: Mapped[datetime] = mapped_column(default=db.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=db.now)


class Consent(Keyed, Base):
    """A person agreed to one version of one text, until they withdraw.

    patient_id: about whose care, when the text is not about the account itself. text_digest: SHA-256 of the text as it
    was shown, in `locale`. evidence: how we know (session, provider, browser), never health data.
    """

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_in_force",
            "account_id",
            "patient_id",
            "kind",
            "version",
            unique=True,
            postgresql_where=text("withdrawn_at is null"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_consent_patient_id", "patient_id"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    kind: Mapped[str]
    version: Mapped[str]
    text_digest: Mapped[bytes] = mapped_column(LargeBinary)
    locale: Mapped[str]
    channel: Mapped[str] = mapped_column(default="web")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    given_at: Mapped[datetime] = mapped_column(default=db.now)
    withdrawn_at: Mapped[datetime | None]


class DataExport(Keyed, Base):
    """A copy of all of somebody's data, asked by themselves, ready for a week. state: preparing | ready | expired."""

    __tablename__ = "data_export"
    __table_args__ = (
        CheckConstraint("state in ('preparing', 'ready', 'expired')", "state"),
        Index("uq_data_export_one_at_a_time", "account_id", unique=True, postgresql_where=text("state = 'preparing'")),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    state: Mapped[str] = mapped_column(default="preparing")
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"))
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    requested_at: Mapped[datetime] = mapped_column(default=db.now)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]

    file: Mapped[StoredFile | None] = relationship()


class DataRequest(Keyed, Base):
    """A person asks a hospital to correct, delete, restrict or stop using data (GDPR, articles 16 to 18 and 21).

    due_on: the legal date of the answer, in the hospital's civil days. answer: what the hospital said, and why.
    """

    __tablename__ = "data_request"
    __table_args__ = (
        UniqueConstraint("number"),
        _one_of("kind", KINDS),
        _one_of("state", STATES),
        Index("ix_data_request_establishment_id_due_on", "establishment_id", "due_on"),
        Index("ix_data_request_patient_id", "patient_id"),
    )

    number: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    what: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    asked_by: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="received")
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    due_on: Mapped[date] = mapped_column(Date)
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")

    account: Mapped[Account] = relationship()
    patient: Mapped[Patient] = relationship()
    establishment: Mapped[Establishment] = relationship()
    changes: Mapped[list["DataRequestChange"]] = relationship(order_by="DataRequestChange.at", viewonly=True)

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED


class DataRequestChange(Keyed, Base):
    """One change of a request's state: by whom, when, with what reason. Never altered."""

    __tablename__ = "data_request_change"
    __table_args__ = {"comment": "append-only"}

    request_id: Mapped[UUID] = mapped_column(ForeignKey("data_request.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    by: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)
    reason: Mapped[str] = mapped_column(default="")
