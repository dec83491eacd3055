"""Where practitioners receive at a distance."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class RemoteRoom(Base):
    """Where a practitioner receives patients at a distance, when each has their own room. link: https only."""

    __tablename__ = "remote_room"
    __table_args__ = (CheckConstraint("link like 'https://%'", "link"),)

    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioner.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    link: Mapped[str]
