"""An invitation to one file or one appointment, for somebody who has no account."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class GuestInvitation(Keyed, Base):
    """A link used once, a birth date, a code by text message; then a guest's session, all about one object.

    digest, session_digest: SHA-256 of the link's secret and of the guest's cookie. mobile: where codes go, as the
    hospital knew it when it invited. code_number: which code was sent last (the code is derived, never kept).
    birth_matched: whether the last birth date typed was the right one; nobody is told before the code is right too.
    """

    __tablename__ = "guest_invitation"
    __table_args__ = (
        CheckConstraint("object_kind in ('preadmission', 'appointment')", "object_kind"),
        CheckConstraint("channel in ('sms', 'mail')", "channel"),
        Index("ix_guest_invitation_object_id", "object_id"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    object_kind: Mapped[str]
    object_id: Mapped[UUID]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    channel: Mapped[str]
    mobile: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    created_by_name: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    code_number: Mapped[int] = mapped_column(SmallInteger, default=0)
    code_expires_at: Mapped[datetime | None]
    birth_matched: Mapped[bool] = mapped_column(default=False)
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    session_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    session_seen_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship()
    establishment: Mapped[Establishment] = relationship()
