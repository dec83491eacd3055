"""By which numbers hospital systems name the documents that they sent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class HisDocument(Keyed, Base):
    """A document under its sender's number: TXA-12, OBR-3, or a FHIR identifier as `system|value`.

    sender: MSH-3 and MSH-4, or the machine. said_at: when the sender wrote it.
    """

    __tablename__ = "his_document"
    __table_args__ = (UniqueConstraint("establishment_id", "number", "sender", "document_id"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    sender: Mapped[str]
    number: Mapped[str]
    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), index=True)
    said_at: Mapped[datetime] = mapped_column(default=db.now)
