"""What those who watch over accesses keep: unusual ones, reviews of rights, incidents of security."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Account
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

TO_REVIEW, EXPLAINED, REPORTED = "to_review", "explained", "reported"
KEPT, REMOVED, GONE = "kept", "removed", "gone"
"""What became of a right under review; `gone`: taken away meanwhile by another way."""


class UnusualAccess(Keyed, Base):
    """One agent, one rule, one week: how often, what is usual, and whose files (at most fifty, ids alone).

    week_on: its Monday, in the hospital's zone. It is a question put to an auditor, never a verdict.
    """

    __tablename__ = "unusual_access"
    __table_args__ = (
        UniqueConstraint("establishment_id", "week_on", "rule", "account_id"),
        CheckConstraint("state in ('to_review', 'explained', 'reported')", "state"),
        CheckConstraint("state = 'to_review' or (reviewed_by is not null and comment <> '')", "reviewed"),
        CheckConstraint("reviewed_by is distinct from account_id", "two_people"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    week_on: Mapped[date] = mapped_column(Date)
    rule: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    times: Mapped[int]
    usual: Mapped[int | None]
    patient_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, server_default="{}")
    found_at: Mapped[datetime] = mapped_column(default=db.now)
    state: Mapped[str] = mapped_column(default=TO_REVIEW, server_default=TO_REVIEW)
    comment: Mapped[str] = mapped_column(default="", server_default="")
    reviewed_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    reviewed_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(foreign_keys=account_id)
    reviewer: Mapped[Account | None] = relationship(foreign_keys=reviewed_by)
    establishment: Mapped[Establishment] = relationship()


class AccessReview(Keyed, Base):
    """A campaign: every right of every agent of a hospital, kept or removed by an administrator before a day."""

    __tablename__ = "access_review"
    __table_args__ = (
        UniqueConstraint("id", "establishment_id"),
        Index(
            "uq_access_review_open", "establishment_id", unique=True, postgresql_where=text("closed_at is null")
        ),
    )  # fmt: skip

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    opened_at: Mapped[datetime] = mapped_column(default=db.now)
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    due_on: Mapped[date] = mapped_column(Date)
    reminded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    lines: Mapped[list["AccessReviewLine"]] = relationship(
        back_populates="review", order_by="AccessReviewLine.account_id, AccessReviewLine.right"
    )


class AccessReviewLine(Base):
    """One right of one agent, as it was when the campaign opened. The database refuses one's own."""

    __tablename__ = "access_review_line"
    __table_args__ = (
        ForeignKeyConstraint(
            ["review_id", "establishment_id"], ["access_review.id", "access_review.establishment_id"]
        ),
        CheckConstraint("decision in ('', 'kept', 'removed', 'gone')", "decision"),
        CheckConstraint("decided_by is distinct from account_id", "two_people"),
    )  # fmt: skip

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    right: Mapped[str] = mapped_column(primary_key=True)
    establishment_id: Mapped[UUID]
    granted_at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(default="", server_default="")
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]

    review: Mapped[AccessReview] = relationship(back_populates="lines")
    account: Mapped[Account] = relationship(foreign_keys=account_id)
    decider: Mapped[Account | None] = relationship(foreign_keys=decided_by)


class SecurityIncident(Keyed, Base):
    """Something that went wrong with people's data or with the portal. detected_at starts the 72 hours of RGPD art. 33.

    people: how many are touched, None while nobody knows. authority_why: why the CNIL need not be told, when it need
    not. Texts name nobody: a register of incidents is shown to inspectors.
    """

    __tablename__ = "security_incident"
    __table_args__ = (
        UniqueConstraint("establishment_id", "number"),
        UniqueConstraint("id", "establishment_id"),
        CheckConstraint("risk in ('none', 'some', 'high')", "risk"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    number: Mapped[int]
    kind: Mapped[str]
    title: Mapped[str]
    facts: Mapped[str]
    detected_at: Mapped[datetime]
    risk: Mapped[str]
    people: Mapped[int | None]
    opened_at: Mapped[datetime] = mapped_column(default=db.now)
    authority_told_at: Mapped[datetime | None]
    authority_why: Mapped[str] = mapped_column(default="", server_default="")
    cert_told_at: Mapped[datetime | None]
    people_told_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    steps: Mapped[list["IncidentStep"]] = relationship(order_by="IncidentStep.at", back_populates="incident")


class IncidentStep(Keyed, Base):
    """What was done about an incident, by whom and when; never altered."""

    __tablename__ = "incident_step"
    __table_args__ = (
        ForeignKeyConstraint(
            ["incident_id", "establishment_id"], ["security_incident.id", "security_incident.establishment_id"]
        ),
        Index("ix_incident_step_incident_id", "incident_id"),
    )

    incident_id: Mapped[UUID]
    establishment_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str]
    kind: Mapped[str]
    words: Mapped[str] = mapped_column(default="", server_default="")

    incident: Mapped[SecurityIncident] = relationship(back_populates="steps")
