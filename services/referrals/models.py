"""What units take by referral, the requests of practitioners, and what became of each at each unit."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from auth.models import Patient, Professional
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from portal.files import StoredFile
from services.referrals import definition
from services.referrals.definition import AskedFile, Level
from services.sent_patients.models import SentPatient

RIGHT = "referrals"
"""What an agent must hold at a hospital to read and answer the referrals of its units."""
_KINDS = f"kind in ({', '.join(repr(kind) for kind in definition.KINDS)})"


class ReferralOffer(Keyed, Base):
    """Something that a unit takes by referral, and its rules.

    speciality: TRE_R38 code. age_from, age_to: years, both included. requires: what the unit needs, in words.
    questionnaire: code of the unit's own questions (services.questionnaires). urgencies, files: see `definition`.
    usual_days: how long one usually waits for the visit, in days. phone: where to call when it cannot wait; the unit's
    own when empty. escalate_to: who is told by mail when nobody answered in time.
    """

    __tablename__ = "referral_offer"
    __table_args__ = (CheckConstraint(_KINDS, "kind"), CheckConstraint("age_from <= age_to", "ages"))

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    speciality: Mapped[str] = mapped_column(default="", server_default="")
    presentation: Mapped[str] = mapped_column(default="", server_default="")
    requires: Mapped[str] = mapped_column(default="", server_default="")
    age_from: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    age_to: Mapped[int] = mapped_column(SmallInteger, default=130, server_default="130")
    questionnaire: Mapped[str] = mapped_column(default="", server_default="")
    urgencies: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    files: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list, server_default="[]")
    usual_days: Mapped[int | None] = mapped_column(SmallInteger)
    phone: Mapped[str] = mapped_column(default="", server_default="")
    escalate_to: Mapped[str] = mapped_column(default="", server_default="")
    is_open: Mapped[bool] = mapped_column(default=True, server_default="true")
    position: Mapped[int] = mapped_column(default=0, server_default="0")

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()

    @property
    def levels(self) -> tuple[Level, ...]:
        """The urgency grid; the usual one when the unit wrote none."""
        return definition.levels(self.urgencies) if self.urgencies else definition.USUAL_LEVELS

    @property
    def asked_files(self) -> tuple[AskedFile, ...]:
        return definition.asked_files(self.files)

    @property
    def call(self) -> str:
        """The number for what cannot wait: the offer's, the unit's, the hospital's."""
        return self.phone or self.unit.phone or self.establishment.phone

    @property
    def call_for_patients(self) -> str:
        """The number that a patient is given: the offer's own is for practitioners only."""
        return self.unit.phone or self.establishment.phone

    def takes_age(self, years: int) -> bool:
        return self.age_from <= years <= self.age_to


class Referral(Keyed, Base):
    """What a practitioner asks for somebody, described in their own words: those find nobody.

    author_name: who typed it (somebody of their practice may). question: why, and what is wanted. urgency: code of a
    level of the first unit's grid, urgency_label its words that day. patient_informed: the practitioner told the
    patient themselves; otherwise the unit does. postal_address: where to write to somebody without an account.
    rpps: of a practitioner who has not signed in yet (a machine sent it): theirs once they do.
    """

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint(_KINDS, "kind"),
        CheckConstraint("professional_id is not null or rpps <> ''", "author"),
        UniqueConstraint("id", "professional_id"),
        Index("ix_referral_professional_id_sent_at", "professional_id", "sent_at"),
        Index("ix_referral_rpps", "rpps", postgresql_where=text("professional_id is null")),
        Index("ix_referral_birth_name_birth_on", "birth_name", "birth_on"),
        Index("ix_referral_birth_on", "birth_on"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    professional_id: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"))
    rpps: Mapped[str] = mapped_column(default="", server_default="")
    author_name: Mapped[str]
    kind: Mapped[str]
    question: Mapped[str]
    urgency: Mapped[str]
    urgency_label: Mapped[str]
    birth_name: Mapped[str]
    first_name: Mapped[str]
    birth_on: Mapped[date] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(default="", server_default="")
    mobile: Mapped[str] = mapped_column(default="", server_default="")
    email: Mapped[str] = mapped_column(default="", server_default="")
    postal_address: Mapped[str] = mapped_column(default="", server_default="")
    patient_informed: Mapped[bool] = mapped_column(default=False, server_default="false")
    channel: Mapped[str] = mapped_column(default="web", server_default="web")
    sent_at: Mapped[datetime] = mapped_column(default=db.now)

    professional: Mapped[Professional | None] = relationship()
    targets: Mapped[list["ReferralTarget"]] = relationship(
        order_by="ReferralTarget.position", back_populates="referral", foreign_keys="ReferralTarget.referral_id"
    )
    files: Mapped[list["ReferralFile"]] = relationship(order_by="ReferralFile.position")

    @property
    def patient_name(self) -> str:
        """As the practitioner described them."""
        return f"{self.first_name} {self.birth_name}"

    @property
    def professional_name(self) -> str:
        return self.professional.titled_name if self.professional else self.author_name

    @property
    def own_files(self) -> list["ReferralFile"]:
        """Those that came with the request; the others belong to a message."""
        return [each for each in self.files if each.message_id is None]

    @property
    def current(self) -> "ReferralTarget":
        """The unit whose turn it is, or the last one that had it."""
        return _current(self.targets)


def _current(targets: Sequence["ReferralTarget"]) -> "ReferralTarget":
    for state in ("accepted", "completed", "asked", "received"):
        if found := next((each for each in targets if each.state == state), None):
            return found
    reached = [each for each in targets if each.received_at]
    return max(reached, key=lambda each: (each.changed_at, each.position)) if reached else targets[0]


class ReferralTarget(Keyed, Base):
    """A request at one unit, in the practitioner's order of preference (position, from 0).

    A unit sees it once `received_at` is written. patient_id: the provisional person registered at that hospital, or
    whom it found since. answers: to the unit's own questions, sealed with questionnaire_id. answer_by: until when the
    unit answers; escalated_at: when its head was told that it had not. why: code of a refusal; advice: what to do;
    opinion: what the unit thinks. outcome_*: the appointment or stay it became (a key of another room), and when.
    proposed_id: the offer of the unit that this one names instead. told_*: how the patient learned of the answer.
    forgotten_at: when its words were erased.
    """

    __tablename__ = "referral_target"
    __table_args__ = (
        UniqueConstraint("referral_id", "offer_id"),
        # One owner: a request at a unit is of whoever wrote the referral, whatever an insert says.
        ForeignKeyConstraint(["referral_id", "professional_id"], ["referral.id", "referral.professional_id"]),
        CheckConstraint(
            "state in ('waiting', 'received', 'asked', 'accepted', 'refused', 'redirected', 'completed', 'withdrawn',"
            " 'objected', 'lapsed')",
            "state",
        ),
        CheckConstraint("outcome_kind in ('', 'opinion', 'appointment', 'stay')", "outcome_kind"),
        CheckConstraint("told_by in ('', 'account', 'post', 'phone', 'practitioner')", "told_by"),
        Index("ix_referral_target_tray", "establishment_id", "state", "answer_by"),
        Index("ix_referral_target_unit_id_state", "unit_id", "state"),
        Index("ix_referral_target_establishment_id_received_at", "establishment_id", "received_at"),
        Index("ix_referral_target_professional_id", "professional_id"),
        Index("ix_referral_target_patient_id", "patient_id", postgresql_where=text("patient_id is not null")),
        Index("ix_referral_target_answer_by", "answer_by", postgresql_where=text("state in ('received', 'asked')")),
        Index(
            "ix_referral_target_ended",
            "changed_at",
            postgresql_where=text("state in ('refused', 'redirected', 'completed', 'withdrawn', 'objected', 'lapsed')"),
        ),
        Index("ix_referral_target_accepted", "changed_at", postgresql_where=text("state = 'accepted'")),
        Index("ix_referral_target_outcome_id", "outcome_id", postgresql_where=text("outcome_id is not null")),
    )

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    professional_id: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    offer_id: Mapped[UUID] = mapped_column(ForeignKey("referral_offer.id"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    sent_patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("sent_patient.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    questionnaire_id: Mapped[UUID | None] = mapped_column(ForeignKey("questionnaire.id"))
    answers: Mapped[str] = mapped_column(SealedText("referral_target.answers"), default="", server_default="")
    answer_hours: Mapped[int] = mapped_column(default=0, server_default="0")
    received_at: Mapped[datetime | None]
    answer_by: Mapped[datetime | None]
    escalated_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="", server_default="")
    why: Mapped[str] = mapped_column(default="", server_default="")
    advice: Mapped[str] = mapped_column(default="", server_default="")
    opinion: Mapped[str] = mapped_column(default="", server_default="")
    outcome_kind: Mapped[str] = mapped_column(default="", server_default="")
    outcome_id: Mapped[UUID | None]
    outcome_at: Mapped[datetime | None]
    proposed_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral_offer.id"))
    assigned_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    assigned_name: Mapped[str] = mapped_column(default="", server_default="")
    told_by: Mapped[str] = mapped_column(default="", server_default="")
    told_at: Mapped[datetime | None]
    unit_seen_at: Mapped[datetime | None]
    professional_seen_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    forgotten_at: Mapped[datetime | None]

    referral: Mapped[Referral] = relationship(back_populates="targets", foreign_keys=referral_id)
    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    offer: Mapped[ReferralOffer] = relationship(foreign_keys=offer_id)
    proposed: Mapped[ReferralOffer | None] = relationship(foreign_keys=proposed_id)
    patient: Mapped[Patient | None] = relationship()
    sent_patient: Mapped[SentPatient | None] = relationship()
    messages: Mapped[list["ReferralMessage"]] = relationship(order_by="ReferralMessage.sent_at")
    changes: Mapped[list["ReferralChange"]] = relationship(order_by="ReferralChange.at")

    @property
    def is_late(self) -> bool:
        """The unit owes an answer and its time is over."""
        return self.state == "received" and self.answer_by is not None and self.answer_by < db.now()


class ReferralMessage(Keyed, Base):
    """One message between the practitioner and a unit about a request. Never changed, erased with it.

    sender: professional | unit. for_patient: the patient reads it too.
    """

    __tablename__ = "referral_message"
    __table_args__ = (CheckConstraint("sender in ('professional', 'unit')", "sender"),)

    target_id: Mapped[UUID] = mapped_column(ForeignKey("referral_target.id"), index=True)
    sender: Mapped[str]
    author_name: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    for_patient: Mapped[bool] = mapped_column(default=False, server_default="false")
    sent_at: Mapped[datetime] = mapped_column(default=db.now)

    files: Mapped[list["ReferralFile"]] = relationship(order_by="ReferralFile.position")


class ReferralFile(Keyed, Base):
    """A file of a request. Never changed, erased with it. Of the request itself, all units that it reached read it; of
    a message, its target's unit alone. code: which file the offer asked for, "" for any other."""

    __tablename__ = "referral_file"

    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("referral_message.id"), index=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    code: Mapped[str] = mapped_column(default="", server_default="")
    position: Mapped[int] = mapped_column(SmallInteger, default=0)

    file: Mapped[StoredFile] = relationship()


class ReferralChange(Keyed, Base):
    """A request went from one state to another at a unit: when and by whom. Never changed. note: a code."""

    __tablename__ = "referral_change"
    __table_args__ = {"comment": "append-only"}

    target_id: Mapped[UUID] = mapped_column(ForeignKey("referral_target.id"), index=True)
    referral_id: Mapped[UUID] = mapped_column(ForeignKey("referral.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    note: Mapped[str] = mapped_column(default="", server_default="")
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
