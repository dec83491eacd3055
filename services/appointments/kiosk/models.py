"""Terminals where people say that they are there. Nothing about a person is kept for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, SmallInteger, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

EARLY_MIN, LATE_MIN = 120, 30


class Kiosk(Keyed, Base):
    """A terminal in a hall. place: where it stands. unit_ids: those it serves, none for the whole hospital.

    code_digest, code_until: of the one-time code typed on it, and until when it is good. token_digest: SHA-256 of what
    its browser shows since. early_min, late_min: how long before and after the time they are taken.
    """

    __tablename__ = "kiosk"
    __table_args__ = (
        CheckConstraint("(code_digest is null) = (code_until is null)", "code"),
        CheckConstraint("early_min between 0 and 720 and late_min between 0 and 720", "delays"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    name: Mapped[str]
    place: Mapped[str] = mapped_column(default="", server_default="")
    unit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, server_default="{}")
    early_min: Mapped[int] = mapped_column(SmallInteger, default=EARLY_MIN, server_default=str(EARLY_MIN))
    late_min: Mapped[int] = mapped_column(SmallInteger, default=LATE_MIN, server_default=str(LATE_MIN))
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    code_until: Mapped[datetime | None]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    enrolled_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()

    @property
    def is_in_service(self) -> bool:
        return self.token_digest is not None and self.revoked_at is None
