"""What other systems call our files, and each file's version as they have seen it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, Keyed


class EncounterIdentifier(Base):
    """A file as another system of its hospital identifies it (FHIR Identifier: a system and a value)."""

    __tablename__ = "encounter_identifier"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    system: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), index=True)


class EncounterStir(Keyed, Base):
    """A file changed, or one of its pieces: written by the same transaction (triggers), gone once it has a version."""

    __tablename__ = "encounter_stir"

    establishment_id: Mapped[UUID] = mapped_column(index=True)
    folder_id: Mapped[UUID]


class EncounterVersion(Base):
    """The version of a file, and when it was first there to be read: later than all that was read before.

    appointment: the appointment that the hospital's system gave it, `Appointment/<id>`.
    """

    __tablename__ = "encounter_version"
    __table_args__ = (Index("ix_encounter_version_at", "establishment_id", "at", "preadmission_id"),)

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    appointment: Mapped[str] = mapped_column(default="", server_default="")
