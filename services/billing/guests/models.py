"""What a browser may pay for a short while, because its owner typed what the letter says."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class BillOpening(Keyed, Base):
    """One bill opened to one browser. digest: SHA-256 of the secret in its cookie; the key itself is nowhere."""

    __tablename__ = "bill_opening"
    __table_args__ = (UniqueConstraint("digest", "bill_id"),)

    digest: Mapped[bytes] = mapped_column(LargeBinary)
    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    opened_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
