"""What a person chose, each time they did."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed


class ChoiceMade(Keyed, Base):
    """The choices of one file as they were saved one day, all of them. Never altered: the last one counts.

    choices: JSON of `answers.Choices`. digest: SHA-256 of the texts of that version as they were read in `locale`.
    """

    __tablename__ = "preadmission_choice"

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), index=True)
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    choices: Mapped[str] = mapped_column(SealedText("preadmission choices"))
    text_version: Mapped[str]
    locale: Mapped[str] = mapped_column(default="fr")
    digest: Mapped[bytes] = mapped_column(LargeBinary)
