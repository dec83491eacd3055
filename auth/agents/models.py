"""Agents beside their rights: units they work in, rights that wait for a second administrator, notices of dormancy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Account
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit

OUTCOMES = ("", "confirmed", "refused", "withdrawn", "lapsed")
"""What became of a request; "" while it waits."""


class StaffUnit(Base):
    """An agent works in this unit: shown beside their rights, and chosen first in their lists."""

    __tablename__ = "staff_unit"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)

    unit: Mapped[Unit] = relationship()


class StaffRole(Keyed, Base):
    """A function as a hospital names it, and the rights it needs (`portal.db.RIGHTS`): it ticks them in forms."""

    __tablename__ = "staff_role"
    __table_args__ = (
        CheckConstraint("cardinality(rights) > 0", "rights"),
        UniqueConstraint("establishment_id", "name"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    name: Mapped[str]
    rights: Mapped[list[str]] = mapped_column(ARRAY(Text))
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


class RightRequest(Keyed, Base):
    """A right that one administrator asks for an agent, and that another administrator confirms or refuses.

    The database refuses a confirmation by whoever asked, or by whoever would get the right.
    """

    __tablename__ = "right_request"
    __table_args__ = (
        CheckConstraint("outcome in ('', 'confirmed', 'refused', 'withdrawn', 'lapsed')", "outcome"),
        CheckConstraint(
            "outcome <> 'confirmed' or (decided_by is not null and decided_by not in (requested_by, account_id))",
            "two_people",
        ),
        Index(
            "uq_right_request_waiting",
            "account_id",
            "establishment_id",
            "right",
            unique=True,
            postgresql_where="outcome = ''",
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    right: Mapped[str]
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime] = mapped_column(default=db.now)
    expires_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship(foreign_keys=account_id)
    requester: Mapped[Account] = relationship(foreign_keys=requested_by)
    establishment: Mapped[Establishment] = relationship()


class DormancyNotice(Base):
    """An agent who has not signed in for long was told that their rights will end."""

    __tablename__ = "dormancy_notice"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(default=db.now)
