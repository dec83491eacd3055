"""Who is around a patient, what changed, codes that patients show, and what practitioners ask in their own words."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.circle import states


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def _all_of(column: str) -> str:
    return f"{column} <@ '{{{','.join(states.SCOPES)}}}'::text[]"


class CircleMember(Keyed, Base):
    """One professional around one patient. identity: national identifier (`8` and the RPPS number, `0` and the ADELI
    number), "" for somebody who was only named: they see nothing here.

    Names are as they were when this was written, on both sides: neither may read the other's record. scopes: what they
    may see while active, until until_at. why: in the words of whoever asked. account_id: of the professional, once they
    opened the file. closed_by_death: kept by a trigger of the database. establishment_id: whose file said so.
    """

    __tablename__ = "circle_member"
    __table_args__ = (
        CheckConstraint(_among("role", states.ROLES), "role"),
        CheckConstraint(_among("standing", states.STANDINGS), "standing"),
        CheckConstraint(_among("state", states.STATES), "state"),
        CheckConstraint(_among("origin", states.ORIGINS), "origin"),
        CheckConstraint(_all_of("scopes"), "scopes"),
        Index(
            "uq_circle_member_treating",
            "patient_id",
            unique=True,
            postgresql_where=text("role = 'treating_doctor' and state in ('active', 'objected')"),
        ),
        Index(
            "uq_circle_member_once",
            "patient_id",
            "identity",
            unique=True,
            postgresql_where=text("identity <> '' and state in ('asked', 'active', 'objected')"),
        ),
        Index("ix_circle_member_identity", "identity", postgresql_where=text("state = 'active'")),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    identity: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    occupation: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    role: Mapped[str]
    standing: Mapped[str] = mapped_column(default=states.TEAM)
    state: Mapped[str]
    origin: Mapped[str] = mapped_column(default="patient")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    why: Mapped[str] = mapped_column(default="")
    patient_name: Mapped[str] = mapped_column(default="")
    patient_birth_on: Mapped[date | None] = mapped_column(Date)
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"))
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("circle_proposal.id", ondelete="set null"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    since_at: Mapped[datetime | None]
    until_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    first_opened_at: Mapped[datetime | None]
    closed_by_death: Mapped[bool] = mapped_column(default=False, server_default="false")

    establishment: Mapped[Establishment | None] = relationship()

    @property
    def sees(self) -> tuple[str, ...]:
        """What they see now, in the order of `states.SCOPES`."""
        open_now = self.state == states.ACTIVE and self.identity and not self.is_over
        return tuple(each for each in states.SCOPES if open_now and each in self.scopes)

    @property
    def is_over(self) -> bool:
        """Whether the last day of the consent is behind us."""
        return self.until_at is not None and self.until_at <= db.now()

    @property
    def is_treating(self) -> bool:
        return self.role == states.TREATING


class CircleChange(Keyed, Base):
    """What changed about a member: when, by whom, and what they may see from then on. Never changed."""

    __tablename__ = "circle_change"
    __table_args__ = {"comment": "append-only"}

    member_id: Mapped[UUID] = mapped_column(ForeignKey("circle_member.id"), index=True)
    code: Mapped[str]
    from_state: Mapped[str] = mapped_column(default="")
    to_state: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    until_at: Mapped[datetime | None]
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class CircleCode(Keyed, Base):
    """A code that a patient shows, good once and for ten minutes, with what they let its reader see; only its SHA-256
    is kept."""

    __tablename__ = "circle_code"
    __table_args__ = (
        CheckConstraint(_among("role", states.ROLES), "role"),
        CheckConstraint(_among("standing", states.STANDINGS), "standing"),
        CheckConstraint(_all_of("scopes"), "scopes"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[str]
    standing: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    until_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CircleProposal(Keyed, Base):
    """A practitioner asks to be around somebody whom they describe. Their own words: whether anybody is so is written
    elsewhere, where they cannot read it. account_id: theirs. looked_at: when somebody was looked for."""

    __tablename__ = "circle_proposal"
    __table_args__ = (CheckConstraint(_among("role", states.ROLES), "role"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    identity: Mapped[str]
    name: Mapped[str]
    occupation: Mapped[str] = mapped_column(default="")
    place: Mapped[str] = mapped_column(default="")
    role: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    birth_name: Mapped[str]
    first_name: Mapped[str]
    birth_on: Mapped[date] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.birth_name}"


class CircleChoice(Base):
    """The patient says that they have no treating doctor."""

    __tablename__ = "circle_choice"

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), primary_key=True)
    no_treating_doctor_at: Mapped[datetime | None]
