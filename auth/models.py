"""People and how they prove who they are.

A patient is a record of its own and exists without an account (phone bookings, imported bills, children); services
reference the patient, never the account. Accounts are keyed by (issuer, subject), never by e-mail.
"""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from auth.practice import activities
from portal import db
from portal.db import Base, Keyed

IDENTITY_STATUSES = ("PROV", "RECUP", "VALI", "QUAL")
"""RNIV: provisional, retrieved from INSi, validated, qualified. The portal itself only ever writes PROV."""


Audience = Literal["patient", "professional", "staff"]
"""For whom a door of the portal is, and who acts by it (portal.db.Kind)."""


class Account(Keyed, Base):
    """One person's access to the portal, for one audience.

    first_visit_on, last_visit_on: civil days of the group on which they signed in, for figures that span months.
    """

    __tablename__ = "account"
    __table_args__ = (CheckConstraint("audience in ('patient', 'professional', 'staff')", "audience"),)

    audience: Mapped[Audience] = mapped_column(Text)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="")
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), default=lambda: ["mail"], server_default="{mail}")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    closed_at: Mapped[datetime | None]
    first_visit_on: Mapped[date | None] = mapped_column(Date, index=True)
    last_visit_on: Mapped[date | None] = mapped_column(Date)


class Identity(Keyed, Base):
    """How an account proves itself at an identity provider.

    as_staff: a health professional's identity used at the staff's door; the same one may open their own account too.
    acr, amr: how it was proven the last time.
    """

    __tablename__ = "identity"
    __table_args__ = (UniqueConstraint("issuer", "subject", "as_staff"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    as_staff: Mapped[bool] = mapped_column(default=False, server_default="false")
    acr: Mapped[str] = mapped_column(default="", server_default="")
    amr: Mapped[str] = mapped_column(default="", server_default="")
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    last_used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()


class Patient(Keyed, Base):
    """A person who is cared for. Traits are kept verbatim as their source gave them (INS guide: strict traits).

    birth_on_raw: the day as the provider wrote it when a part of it is unknown ("1992-00-00"). birthplace_text: the
    place of people without an INSEE code (European providers). name_key, first_key: for searches alone, derived from
    the names whenever they are written (`auth.identity.traits`). nir_sealed, nir_index: see `auth.identity.nir`.
    """

    __tablename__ = "patient"
    __table_args__ = (
        CheckConstraint("identity_status in ('PROV', 'RECUP', 'VALI', 'QUAL')", "identity_status"),
        Index("ix_patient_ins", "ins", "ins_oid", postgresql_where=text("ins <> ''")),
        Index("ix_patient_birth_on", "birth_on"),
        Index("ix_patient_name_key", "name_key", "first_key"),
        Index("ix_patient_nir_index", "nir_index", postgresql_where=text("nir_index is not null")),
    )

    birth_name: Mapped[str]
    used_name: Mapped[str] = mapped_column(default="")
    first_names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    sex: Mapped[str] = mapped_column(default="")
    birth_on: Mapped[date]
    birth_on_raw: Mapped[str] = mapped_column(default="", server_default="")
    birthplace_insee: Mapped[str] = mapped_column(default="")
    birthcountry_insee: Mapped[str] = mapped_column(default="")
    birthplace_text: Mapped[str] = mapped_column(default="", server_default="")
    ins: Mapped[str] = mapped_column(default="")
    ins_oid: Mapped[str] = mapped_column(default="")
    identity_status: Mapped[str] = mapped_column(default="PROV")
    email: Mapped[str] = mapped_column(default="")
    mobile: Mapped[str] = mapped_column(default="")
    nir_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    nir_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    deceased_on: Mapped[date | None]
    name_key: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    first_key: Mapped[str] = mapped_column(Text(collation="C"), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    @property
    def first_name(self) -> str:
        return self.first_names[0] if self.first_names else ""

    @property
    def full_name(self) -> str:
        """First name and the name of use, or the birth name when there is none."""
        return f"{self.first_name} {self.used_name or self.birth_name}".strip()

    @property
    def shown_ins(self) -> str:
        """The INS that may be shown or sent: only of a qualified identity (RNIV), "" otherwise."""
        return self.ins if self.identity_status == "QUAL" else ""


class PatientRecord(Base):
    """A patient as one hospital knows them (IPP). It is also what lets that hospital's staff see the patient."""

    __tablename__ = "patient_record"
    __table_args__ = (UniqueConstraint("establishment_id", "ipp"),)

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    ipp: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)


class PatientAccess(Base):
    """An account may act for a patient: oneself, or someone else, in some matters, between two days, unless revoked.

    Days are civil days in `time_zone`, the one of the hospital that checked the proof; both are included.
    """

    __tablename__ = "patient_access"
    __table_args__ = (CheckConstraint("relation in ('self', 'parent', 'guardian', 'curator', 'carer')", "relation"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True, index=True)
    relation: Mapped[str] = mapped_column(default="self")
    scopes: Mapped[list[str]] = mapped_column(
        ARRAY(Text), default=lambda: list(db.SCOPES), server_default="{administrative,medical,payment}"
    )
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    time_zone: Mapped[str] = mapped_column(default="Europe/Paris", server_default="Europe/Paris")
    revoked_at: Mapped[datetime | None]

    patient: Mapped[Patient] = relationship()


class Professional(Keyed, Base):
    """A city practitioner or their staff, as Pro Santé Connect knows them (SubjectNameID, RPPS when they have one)."""

    __tablename__ = "professional"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), unique=True)
    subject_name_id: Mapped[str] = mapped_column(unique=True)
    rpps: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str]
    given_name: Mapped[str]
    profession: Mapped[str] = mapped_column(default="")
    activities: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)

    account: Mapped[Account] = relationship()

    @property
    def full_name(self) -> str:
        """The name of the exercise, or the civil one when there is none."""
        return activities.name_at_work(self.activities or [], self.given_name, self.family_name)

    @property
    def titled_name(self) -> str:
        """The same, as one speaks of them: « Dr Claire ROUMILLAC »."""
        return f"{activities.title(self.activities or [])} {self.full_name}".strip()

    @property
    def civil_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class Delegation(Keyed, Base):
    """A practitioner lets somebody of their practice act in their stead, until a day, unless revoked.

    The names as they were that day: neither may read the other's record. *_seen_at: who has seen its last change.
    """

    __tablename__ = "delegation"
    __table_args__ = (CheckConstraint("professional_id <> delegate_id", "two_people"),)

    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"), index=True)
    delegate_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"), index=True)
    professional_name: Mapped[str] = mapped_column(default="", server_default="")
    delegate_name: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    ends_on: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    professional_seen_at: Mapped[datetime | None]
    delegate_seen_at: Mapped[datetime | None]


class EmergencyAccess(Keyed, Base):
    """An agent opened a file they have no right to ("bris de glace"): why, until when, and what the review said."""

    __tablename__ = "emergency_access"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    kind: Mapped[str] = mapped_column(default="other", server_default="other")
    reason: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(default=db.now)
    ends_at: Mapped[datetime]
    justified: Mapped[bool | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    review: Mapped[str] = mapped_column(default="", server_default="")


class StaffRight(Base):
    """What a member of staff may do at one hospital (`portal.db.RIGHTS`)."""

    __tablename__ = "staff_right"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    right: Mapped[str] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(default=db.now)


class StaffInvitation(Keyed, Base):
    """A one-time link: it gives rights, or another way in, to whoever proves at its provider to be the invited agent.

    email: where the link is sent, and the mail that the identity must carry (Pro Santé Connect gives none: there
    subject_name_id is compared). siret: the employer that ProConnect must name. account_id: the agent who gets
    another way in; None for a new agent. establishment_id: None for every hospital (`parvis admin invite`).
    """

    __tablename__ = "staff_invitation"

    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str]
    provider: Mapped[str] = mapped_column(default="proconnect", server_default="proconnect")
    siret: Mapped[str] = mapped_column(default="", server_default="")
    subject_name_id: Mapped[str] = mapped_column(default="", server_default="")
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text))
    unit_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, server_default="{}")
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class WebSession(Keyed, Base):
    """A signed-in browser. The cookie holds a random token; only its SHA-256 is stored.

    factor: our own second factor proven in this session (`passkey`, `totp`, `sms`, `mail`, `recovery`, `desk`).
    activity: where a practitioner works today. on_behalf_of: the practitioner in whose stead they act.
    """

    __tablename__ = "web_session"

    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    provider: Mapped[str]
    acr: Mapped[str] = mapped_column(default="")
    amr: Mapped[str] = mapped_column(default="")
    id_token: Mapped[str] = mapped_column(default="")
    browser: Mapped[str] = mapped_column(default="")
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    idle_s: Mapped[int] = mapped_column(default=1800, server_default="1800")
    factor: Mapped[str] = mapped_column(default="", server_default="")
    factor_at: Mapped[datetime | None]
    activity: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    on_behalf_of: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"))
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    last_seen_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInAttempt(Base):
    """A sign-in under way: state and nonce, used once, bound to one browser, gone after ten minutes.

    audience: at whose door it began. invitation: the token of the link that was followed to it.
    """

    __tablename__ = "sign_in_attempt"

    state_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_digest: Mapped[bytes] = mapped_column(LargeBinary)
    provider: Mapped[str]
    nonce: Mapped[str]
    code_verifier: Mapped[str] = mapped_column(default="")
    next_path: Mapped[str] = mapped_column(default="")
    audience: Mapped[str] = mapped_column(default="", server_default="")
    invitation: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)


class HeldForm(Keyed, Base):
    """What somebody typed when their session had ended, sealed, kept for the same account for an hour."""

    __tablename__ = "held_form"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    path: Mapped[str]
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
