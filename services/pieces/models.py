"""A piece asked of a patient (identity card, insurance card…), its file, and every change it went through."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.files import StoredFile

KINDS = ("identity", "health_card", "top_up_card")
"""What may be asked, in the order people see it: identity document, carte Vitale, complementary insurance card."""

HAS_EXPIRY = frozenset({"identity", "top_up_card"})
"""Kinds that bear a date after which they are worth nothing."""

STATES = ("awaited", "scanning", "deposited", "infected", "accepted", "refused", "waived")
"""`scanning`: the file waits for the antivirus. `waived`: the paper is to be shown on the day of the stay."""


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class Piece(Keyed, Base):
    """One piece of one folder. The folder is a row of a room above (a pre-admission), which this room does not know.

    shared_at: when the hospital began to see it; a draft's pieces are the patient's alone.
    """

    __tablename__ = "piece"
    __table_args__ = (UniqueConstraint("folder_id", "kind"), _one_of("kind", KINDS), _one_of("state", STATES))

    folder_id: Mapped[UUID]
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str]
    needed: Mapped[bool]
    state: Mapped[str] = mapped_column(default="awaited", index=True)
    refusal_reason: Mapped[str] = mapped_column(default="")
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    expires_on: Mapped[date | None] = mapped_column(Date)
    shared_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    file: Mapped[StoredFile | None] = relationship()

    @property
    def is_there(self) -> bool:
        """The patient has done their part: nothing more to send unless the hospital refuses it."""
        return self.state in ("scanning", "deposited", "accepted", "waived")

    @property
    def is_to_redo(self) -> bool:
        return self.state in ("refused", "infected")

    @property
    def is_readable(self) -> bool:
        """The antivirus accepted its file."""
        return self.file is not None and self.file.state == "clean"


class PieceChange(Keyed, Base):
    """One change of one piece: from which state to which, by whom, when and why. Never altered.

    file_id is no foreign key: a file that was replaced is deleted, the line that tells so stays.
    """

    __tablename__ = "piece_change"

    piece_id: Mapped[UUID] = mapped_column(ForeignKey("piece.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    file_id: Mapped[UUID | None]
