"""Those who sign with the patient: holders of parental authority, the person of trust; what each signed, and when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

ROLES = ("holder", "trust")
"""A holder of parental authority, who authorises an operation; a person of trust, who accepts to be one."""
STATES = (
    "named",
    "invited",
    "to_check",
    "opened",
    "signed",
    "declined",
    "on_paper",
    "waived",
    "revoked",
    "withdrawn",
)
"""invited: a link was sent. to_check: came in under another name than the one given, an agent decides. opened: may
read and sign. on_paper: signs a sheet, or at the hospital. waived: the hospital needs no signature of theirs. revoked:
took it back, or the patient did. withdrawn: somebody else was named, or nobody."""
OVER = ("revoked", "withdrawn")
DECISIONS = ("signed", "declined", "revoked", "received")
"""received: an agent holds the signed sheet."""


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class Companion(Keyed, Base):
    """Somebody whose signature a pre-admission waits for.

    rank: 1 and 2 for the two holders, 1 for the person of trust. account_id: with which they came in, or act. words:
    what they are given to read and sign, composed when they were invited; it is all they see of the file. link_digest:
    SHA-256 of the secret of the link that is good now, gone once followed; link_number: how many were sent.
    """

    __tablename__ = "companion"
    __table_args__ = (
        _one_of("role", ROLES),
        _one_of("state", STATES),
        CheckConstraint("rank in (1, 2)", "rank"),
        CheckConstraint("state not in ('to_check', 'opened') or account_id is not null", "opened_by_somebody"),
        Index(
            "uq_companion_one_of_a_rank",
            "preadmission_id",
            "role",
            "rank",
            unique=True,
            postgresql_where=text("state not in ('revoked', 'withdrawn')"),
        ),
    )

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id", ondelete="cascade"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    role: Mapped[str]
    rank: Mapped[int] = mapped_column(SmallInteger, default=1)
    state: Mapped[str]
    first_name: Mapped[str] = mapped_column(SealedText("companion name"))
    family_name: Mapped[str] = mapped_column(SealedText("companion name"))
    link: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(SealedText("companion phone"), default="")
    email: Mapped[str] = mapped_column(SealedText("companion email"), default="")
    address: Mapped[str] = mapped_column(SealedText("companion address"), default="")
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    signer_name: Mapped[str] = mapped_column(SealedText("companion name"), default="")
    words: Mapped[str] = mapped_column(SealedText("companion words"), default="")
    link_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    link_number: Mapped[int] = mapped_column(SmallInteger, default=0)
    link_expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    reminded_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.family_name}".strip()

    @property
    def is_over(self) -> bool:
        return self.state in OVER


class CompanionChange(Keyed, Base):
    """One change of one companion, by whom, when and why. Never altered."""

    __tablename__ = "companion_change"

    companion_id: Mapped[UUID] = mapped_column(ForeignKey("companion.id", ondelete="cascade"), index=True)
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")


class Signature(Keyed, Base):
    """The evidence of one decision: who, when, how they had proven who they are, and what they had read. Never altered.

    account_id: whose decision it is. by_patient: the patient's own signature on the naming of their person of trust.
    provider, acr: of the session. digest: SHA-256 of `words` in UTF-8, the very text that was on the page. received:
    written by an agent for a sheet of paper.
    """

    __tablename__ = "companion_signature"
    __table_args__: Any = (_one_of("decision", DECISIONS),)

    companion_id: Mapped[UUID] = mapped_column(ForeignKey("companion.id", ondelete="cascade"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    by_patient: Mapped[bool] = mapped_column(default=False, server_default="false")
    at: Mapped[datetime] = mapped_column(default=db.now)
    decision: Mapped[str]
    signer_name: Mapped[str] = mapped_column(SealedText("companion name"))
    provider: Mapped[str] = mapped_column(default="")
    acr: Mapped[str] = mapped_column(default="")
    text_kind: Mapped[str]
    text_version: Mapped[str]
    locale: Mapped[str] = mapped_column(default="fr")
    words: Mapped[str] = mapped_column(SealedText("companion words"))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
