"""Where a person may be reached: their own, proven by a code, never an identity trait."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed

KINDS = ("mail", "mobile")


class ContactPoint(Keyed, Base):
    """A mail address or a mobile number of an account. Waiting (a code was sent), verified, then perhaps replaced.

    code_sealed: the code until it has left, for the job that sends it; what is compared is its keyed digest.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        CheckConstraint("kind in ('mail', 'mobile')", "kind"),
        Index(
            "uq_contact_point_current",
            "account_id",
            "kind",
            unique=True,
            postgresql_where=text("verified_at is not null and replaced_at is null"),
        ),
        Index("ix_contact_point_account_id_created_at", "account_id", "created_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    value: Mapped[str]
    code_digest: Mapped[bytes] = mapped_column(LargeBinary)
    code_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    code_expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    verified_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]
