"""A pre-admission: what a patient tells a hospital before a stay, and every change of its state."""

import secrets
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.preadmission.kinds import STAY_KINDS

STATES = (
    "draft",
    "submitted",
    "in_review",
    "to_complete",
    "completed",
    "validated",
    "transmitted",
    "integrated",
    "closed",
    "refused",
    "cancelled_by_patient",
    "cancelled_by_hospital",
    "lapsed",
    "purged",
)
OPEN_STATES = ("draft", "submitted", "in_review", "to_complete", "completed")
"""Something is still expected, from the patient or from the hospital."""
ORIGINS = ("patient", "invitation", "desk", "hospital")
"""Who began it: the patient, the patient invited by the hospital, an agent for somebody on the phone, its system."""
THE_HOSPITALS = ("invitation", "hospital")
"""The stay itself is the hospital's: whoever prepares it changes neither its day nor its unit."""

_REFERENCE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowel (no word by accident), no 0/O nor 1/I (read aloud, copied by hand)."""


def new_reference() -> str:
    """Eight signs in two groups, such as `KT7P-3XBN`: 3.8e11 possibilities, and unique in the base."""
    signs = [secrets.choice(_REFERENCE_ALPHABET) for _ in range(8)]
    return f"{''.join(signs[:4])}-{''.join(signs[4:])}"


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


_QUEUES = {
    "to_process": "state in ('submitted', 'in_review', 'completed')",
    "waiting": "state = 'to_complete'",
    "ready": "state in ('validated', 'transmitted', 'integrated')",
    "closed": "state in ('closed', 'refused', 'cancelled_by_patient', 'cancelled_by_hospital', 'lapsed')",
}
"""The agents' trays, each read in the order of its index."""


def _queue(name: str, states: str) -> Index:
    columns = ("establishment_id", "planned_on", "submitted_at", "id")
    return Index(f"ix_preadmission_{name}", *columns, postgresql_where=states)


class Preadmission(Keyed, Base):
    """One file, for one stay of one patient at one hospital.

    The hospital sees it from its submission on (row-level security compares `submitted_at`). Strict identity traits
    stay in the patient's record as FranceConnect gave them; what the patient typed is in `StepAnswers`. The hospital's
    system is the master of stays: ipp and visit_number are what it answered. nir_digest finds the same number again.
    late: sent after the day by which the office promises to look. confidential: nobody is told that they are there.
    version: counts the patient's and the agents' gestures, so that nobody overwrites another by surprise.
    """

    __tablename__ = "preadmission"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index("ix_preadmission_tray", "establishment_id", "state", "planned_on"),
        Index("ix_preadmission_visit", "establishment_id", "visit_number"),
        Index("ix_preadmission_agent_id", "agent_id", postgresql_where="agent_id is not null"),
        *(_queue(name, states) for name, states in _QUEUES.items()),
        _one_of("state", STATES),
        _one_of("stay_kind", STAY_KINDS),
        _one_of("origin", ORIGINS),
        CheckConstraint("(state = 'draft') <= (submitted_at is null)", "draft_is_not_submitted"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reference: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    origin: Mapped[str] = mapped_column(default="patient", server_default="patient")
    version: Mapped[int] = mapped_column(default=0, server_default="0")

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    planned_on: Mapped[date] = mapped_column(Date)
    stay_kind: Mapped[str]
    confidential: Mapped[bool] = mapped_column(default=False, server_default="false")
    nir_digest: Mapped[bytes | None] = mapped_column(LargeBinary, index=True)

    created_at: Mapped[datetime] = mapped_column(default=db.now)
    submitted_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(default=False, server_default="false")
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    complete_by: Mapped[date | None] = mapped_column(Date)
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    agent_name: Mapped[str] = mapped_column(default="")
    decision_reason: Mapped[str] = mapped_column(default="")
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")

    message_id: Mapped[str] = mapped_column(default="", server_default="")
    ipp: Mapped[str] = mapped_column(default="", server_default="")
    visit_number: Mapped[str] = mapped_column(default="", server_default="")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    patient: Mapped[Patient] = relationship()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


class StepAnswers(Keyed, Base):
    """What was answered at one step, as JSON of its class in `answers`; saved whole or not at all.

    version: how many times it was saved; whoever saves says which one they had read.
    """

    __tablename__ = "preadmission_answers"
    __table_args__ = (UniqueConstraint("preadmission_id", "step"),)

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"))
    step: Mapped[str]
    answers: Mapped[str] = mapped_column(SealedText("preadmission answers"))
    version: Mapped[int] = mapped_column(default=1)
    filled_at: Mapped[datetime] = mapped_column(default=db.now)
    filled_by: Mapped[str] = mapped_column(default="")
    filled_by_name: Mapped[str] = mapped_column(default="")


class PreadmissionChange(Keyed, Base):
    """One change of one file: from which state to which, by whom, when and why. Never altered."""

    __tablename__ = "preadmission_change"

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
