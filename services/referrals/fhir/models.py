"""What the software of a practice calls the requests it sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base


class ReferralIdentifier(Base):
    """A request as the software that sent it identifies it (FHIR Identifier: a system and a value).

    sender: the machine, as the audit names it: what it sent is what it sees. establishment_id: the machine's hospital.
    rpps: of the practitioner in whose name it was sent.
    """

    __tablename__ = "referral_identifier"

    sender: Mapped[str] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    rpps: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
