"""A mandate: how an access came to be, what it covers, until when, who checked it, and each change of it.

`PatientAccess` is the key that every request reads; a mandate is why that key exists. Traits on a mandate are those
that the person who asked has typed: an agent alone says which patient they are.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from auth.mandates.states import KINDS, STATES
from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from portal.files import StoredFile


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


class Mandate(Keyed, Base):
    """Somebody (`account_id`) acts, asks to act, or is invited to act for somebody else (`patient_id`).

    patient_id: nobody until an agent has said whose record it is. establishment_id: the hospital that checks the
    proof; none for a carer, whom the adult designates alone. ends_on: the last day, included, in `time_zone`.
    carer_name: the family name the adult gave; the code opens to nobody else. warned_at: told that the end comes
    near. prompted_at: told that the child may sign in.
    """

    __tablename__ = "mandate"
    __table_args__ = (
        CheckConstraint(_among("kind", KINDS), "kind"),
        CheckConstraint(_among("state", STATES), "state"),
        CheckConstraint("state <> 'active' or (account_id is not null and patient_id is not null)", "active_is_whole"),
        CheckConstraint("kind = 'carer' or establishment_id is not null", "checked_somewhere"),
        CheckConstraint("state <> 'active' or ends_on is not null", "active_ends"),
        Index(
            "uq_mandate_one_active",
            "account_id",
            "patient_id",
            unique=True,
            postgresql_where=text("state = 'active'"),
        ),
        Index("ix_mandate_establishment_id_state", "establishment_id", "state"),
        Index("ix_mandate_ends_on", "ends_on", postgresql_where=text("state in ('active', 'offered')")),
    )

    kind: Mapped[str]
    state: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    proxy_name: Mapped[str] = mapped_column(default="", server_default="")
    person_name: Mapped[str] = mapped_column(default="", server_default="")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=lambda: list(db.SCOPES), server_default="{administrative,medical,payment}"
    )
    starts_on: Mapped[date | None] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)
    time_zone: Mapped[str] = mapped_column(default="Europe/Paris", server_default="Europe/Paris")
    asked_birth_name: Mapped[str] = mapped_column(default="", server_default="")
    asked_first_names: Mapped[str] = mapped_column(default="", server_default="")
    asked_birth_on: Mapped[date | None] = mapped_column(Date)
    asked_ends_on: Mapped[date | None] = mapped_column(Date)
    judged_on: Mapped[date | None] = mapped_column(Date)
    sole_authority: Mapped[bool] = mapped_column(default=False, server_default="false")
    proof_kind: Mapped[str] = mapped_column(default="", server_default="")
    proof_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"))
    checked_by_name: Mapped[str] = mapped_column(default="", server_default="")
    checked_at: Mapped[datetime | None]
    refusal_reason: Mapped[str] = mapped_column(default="", server_default="")
    carer_name: Mapped[str] = mapped_column(default="", server_default="")
    code_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    code_expires_at: Mapped[datetime | None]
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    warned_at: Mapped[datetime | None]
    prompted_at: Mapped[datetime | None]

    patient: Mapped[Patient | None] = relationship()
    establishment: Mapped[Establishment | None] = relationship()
    proof_file: Mapped[StoredFile | None] = relationship()

    @property
    def person(self) -> str:
        """The name of the person acted for, as the mandate knows it: their record's, else as it was typed."""
        return self.person_name or f"{self.asked_first_names} {self.asked_birth_name}".strip()

    @property
    def is_active(self) -> bool:
        return self.state == "active"


class MandateChange(Keyed, Base):
    """One change of a mandate, by whom and when; never altered."""

    __tablename__ = "mandate_change"
    __table_args__: Any = {"comment": "append-only"}

    mandate_id: Mapped[UUID] = mapped_column(ForeignKey("mandate.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="", server_default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="", server_default="")
