"""Links of accounts to a hospital's patient number (IPP): asked, proven, made, undone, and what moved with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

PROOFS = ("letter", "number", "agent", "pushed")
"""How a link was proven: a code given by the hospital, a number on its paper, an agent's check, its own system."""
_PROOF = "proof in ('letter', 'number', 'agent', 'pushed')"
_HOLDS = text("undone_at is null")
_WAITS = text("decided_at is null")


class Link(Keyed, Base):
    """The account's patient is the one this hospital knows by this IPP.

    record_patient_id: the hospital's own description of that person, kept aside while the link holds.
    """

    __tablename__ = "enrolment_link"
    __table_args__ = (
        CheckConstraint(_PROOF, "proof"),
        CheckConstraint("patient_id <> record_patient_id", "two_descriptions"),
        Index("uq_enrolment_link_ipp", "establishment_id", "ipp", unique=True, postgresql_where=_HOLDS),
        Index("uq_enrolment_link_patient_id", "patient_id", "establishment_id", unique=True, postgresql_where=_HOLDS),
        Index("ix_enrolment_link_record_patient_id", "record_patient_id"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    record_patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    ipp: Mapped[str]
    proof: Mapped[str]
    linked_by: Mapped[str] = mapped_column(default="")
    linked_at: Mapped[datetime] = mapped_column(default=db.now)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(default="", server_default="")
    undo_reason: Mapped[str] = mapped_column(default="", server_default="")

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship(foreign_keys=patient_id)
    record_patient: Mapped[Patient] = relationship(foreign_keys=record_patient_id)


class EnrolmentMove(Keyed, Base):
    """One row that changed hands: with a link, or with two accounts found to be one person's."""

    __tablename__ = "enrolment_move"

    cause_id: Mapped[UUID] = mapped_column(index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    room: Mapped[str]
    table: Mapped[str] = mapped_column("table_name")
    row_id: Mapped[UUID]


class LinkRequest(Keyed, Base):
    """A link that a person must decide: asked for by the patient, or doubtful.

    doubt: why it is here (`asked`, `traits_differ`, `already_linked`). differs: the traits that differ, by code.
    asked_at: when the patient asked for it; a doubt that nobody asked about is not shown to them.
    """

    __tablename__ = "enrolment_request"
    __table_args__ = (
        CheckConstraint("doubt in ('asked', 'traits_differ', 'already_linked')", "doubt"),
        CheckConstraint("decision in ('', 'linked', 'refused')", "decision"),
        Index("uq_enrolment_request_open", "patient_id", "establishment_id", unique=True, postgresql_where=_WAITS),
        Index("ix_enrolment_request_waiting", "establishment_id", "created_at", postgresql_where=_WAITS),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    record_patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    doubt: Mapped[str]
    differs: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    asked_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="", server_default="")
    decision: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient] = relationship(foreign_keys=patient_id)


class LinkCode(Keyed, Base):
    """A code that the hospital gives to the person it knows, by letter or at the desk; only a keyed digest is kept."""

    __tablename__ = "enrolment_code"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_by: Mapped[str] = mapped_column(default="")
    made_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LinkTry(Keyed, Base):
    """A number or a code that proved nothing, counted so that nobody tries them all."""

    __tablename__ = "enrolment_try"
    __table_args__ = (Index("ix_enrolment_try_account_id_at", "account_id", "at"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
