"""A pre-admission: what a patient tells a hospital before a stay, and every change of its state."""

import secrets
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit

STATES = (
    "draft",
    "submitted",
    "in_review",
    "to_complete",
    "completed",
    "validated",
    "refused",
    "cancelled_by_patient",
    "lapsed",
)
OPEN_STATES = ("draft", "submitted", "in_review", "to_complete", "completed")
"""Something is still expected, from the patient or from the hospital."""
STAY_KINDS = ("outpatient", "day_case", "inpatient", "maternity")
AMO_KINDS = ("french", "european", "other")
"""Compulsory cover (AMO): French scheme, European card, none of these."""
AMC_KINDS = ("private", "c2s", "none")
"""Complementary cover (AMC): an insurer (mutuelle), the State's Complémentaire santé solidaire, none."""

PIECES = {"identity": True, "health_card": False, "top_up_card": False}
"""Pieces asked for, True when the file cannot be sent without it."""

_REFERENCE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowel (no word by accident), no 0/O nor 1/I (read aloud, copied by hand)."""


def new_reference() -> str:
    """Eight signs in two groups, such as `KT7P-3XBN`: 3.8e11 possibilities, and unique in the base."""
    signs = [secrets.choice(_REFERENCE_ALPHABET) for _ in range(8)]
    return f"{''.join(signs[:4])}-{''.join(signs[4:])}"


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class Preadmission(Keyed, Base):
    """One file, for one stay of one patient at one hospital.

    The hospital sees it from its submission on (row-level security compares `submitted_at`). Strict identity traits
    stay in the patient's record as FranceConnect gave them; what is here is what the patient may type.
    """

    __tablename__ = "preadmission"
    __table_args__ = (
        UniqueConstraint("reference"),
        Index("ix_preadmission_tray", "establishment_id", "state", "planned_on"),
        _one_of("state", STATES),
        _one_of("stay_kind", STAY_KINDS),
        CheckConstraint("(state = 'draft') <= (submitted_at is null)", "draft_is_not_submitted"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    reference: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    planned_on: Mapped[date] = mapped_column(Date)
    stay_kind: Mapped[str]

    used_name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")

    amo_kind: Mapped[str] = mapped_column(default="")
    nir: Mapped[str] = mapped_column(SealedText("preadmission nir"), default="")
    amc_kind: Mapped[str] = mapped_column(default="")
    amc_name: Mapped[str] = mapped_column(default="")
    amc_number: Mapped[str] = mapped_column(default="")

    relative_name: Mapped[str] = mapped_column(default="")
    relative_link: Mapped[str] = mapped_column(default="")
    relative_phone: Mapped[str] = mapped_column(default="")

    created_at: Mapped[datetime] = mapped_column(default=db.now)
    submitted_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    complete_by: Mapped[date | None] = mapped_column(Date)
    agent_name: Mapped[str] = mapped_column(default="")
    decision_reason: Mapped[str] = mapped_column(default="")
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    patient: Mapped[Patient] = relationship()

    @property
    def steps_done(self) -> frozenset[str]:
        """Which steps the patient has filled; pieces are counted apart. A step is saved whole or not at all."""
        filled = {"stay": True, "identity": self.phone, "coverage": self.amo_kind, "relative": self.relative_name}
        return frozenset(step for step, value in filled.items() if value)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


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
