"""A stay that the hospital knows and invites somebody to prepare, and every change of that invitation."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from services.preadmission.kinds import STAY_KINDS
from services.preadmission.models import Preadmission

STATES = ("waiting", "sent", "told", "opened", "expired", "withdrawn", "cancelled")
"""waiting: nothing has left yet. sent: a code is on its way, by mail or on paper. told: the file is in their space.
opened: they have used the code. cancelled: the stay itself is."""
SOURCES = ("agent", "file", "messages", "fhir")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} in ({', '.join(repr(value) for value in values)})", column)


class StayInvitation(Keyed, Base):
    """One stay, one invitation: its visit number says so.

    birth_name, first_name, birth_on: as the hospital knows the person; whoever gives the code must prove them. Empty
    once the invitation is over. digest: of the code that works now, None when there is none. patient_id: once known.
    """

    __tablename__ = "stay_invitation"
    __table_args__ = (
        Index(
            "uq_stay_invitation_visit", "establishment_id", "visit_number", unique=True,
            postgresql_where=text("visit_number <> ''"),
        ),
        Index("ix_stay_invitation_planned_on", "establishment_id", "planned_on"),
        _one_of("state", STATES),
        _one_of("stay_kind", STAY_KINDS),
        _one_of("source", SOURCES),
    )  # fmt: skip

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    visit_number: Mapped[str]
    ipp: Mapped[str] = mapped_column(default="")
    planned_on: Mapped[date] = mapped_column(Date)
    stay_kind: Mapped[str]
    birth_name: Mapped[str]
    first_name: Mapped[str]
    birth_on: Mapped[date | None] = mapped_column(Date)
    email: Mapped[str] = mapped_column(default="")
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    preadmission_id: Mapped[UUID | None] = mapped_column(ForeignKey("preadmission.id"), index=True)
    state: Mapped[str] = mapped_column(default="waiting")
    source: Mapped[str]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime | None]
    times_sent: Mapped[int] = mapped_column(SmallInteger, default=0)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    file: Mapped[Preadmission | None] = relationship()

    @property
    def who(self) -> str:
        """As a list of the hospital names somebody; "" once the invitation is over and forgotten."""
        return f"{self.birth_name} {self.first_name}".strip()

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "sent", "expired")


class StayInvitationChange(Keyed, Base):
    """One change of one invitation: from which state to which, by whom and when. Never altered."""

    __tablename__ = "stay_invitation_change"

    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("stay_invitation.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
