"""Places for births, by month, site and level of care; what a patient asked each site, and every answer."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Site

LEVELS = ("I", "II", "III")
"""Of maternity units (CSP R6123-39): I obstetrics, II newborn care, III newborn intensive care."""
STATES = ("received", "studied", "offered", "waiting_list", "refused", "confirmed", "cancelled", "born_elsewhere")
TAKEN = ("offered", "confirmed")
"""Keeps a place from others."""
OPEN = ("received", "studied", "waiting_list", "offered", "confirmed")


class MaternityPlaces(Keyed, Base):
    """How many births a site takes in a month, at one level of care. month: its first day."""

    __tablename__ = "maternity_places"
    __table_args__ = (
        UniqueConstraint("site_id", "month", "level"),
        CheckConstraint("level in ('I', 'II', 'III')", "level"),
        CheckConstraint("places >= 0", "places"),
        CheckConstraint("extract(day from month) = 1", "month"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    month: Mapped[date] = mapped_column(Date)
    level: Mapped[str]
    places: Mapped[int]

    site: Mapped[Site] = relationship()


class MaternityRequest(Keyed, Base):
    """A place asked for one birth: administrative facts alone, health questions are a questionnaire."""

    __tablename__ = "maternity_request"

    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id"), unique=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    due_on: Mapped[date] = mapped_column(Date)
    multiple: Mapped[bool]
    follow_up: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)

    patient: Mapped[Patient] = relationship()
    wishes: Mapped[list["MaternityWish"]] = relationship(order_by="MaternityWish.rank", back_populates="request")


class MaternityWish(Keyed, Base):
    """A request at one of the sites wished, and where that site is with it. At most one of them keeps a place.

    places_id: where the place is kept, or which list is waited for. listed_at: since when. answer_by: the last day to
    accept. reason: a code of `states.REASONS`. words: of the hospital to the patient.
    """

    __tablename__ = "maternity_wish"
    __table_args__ = (
        UniqueConstraint("request_id", "site_id"),
        CheckConstraint(f"state in {STATES!r}", "state"),
        CheckConstraint("(state in ('offered', 'confirmed', 'waiting_list')) <= (places_id is not null)", "place"),
        Index("ix_maternity_wish_tray", "establishment_id", "state"),
        Index("uq_maternity_wish_one_place", "request_id", unique=True,
              postgresql_where=text("state in ('offered', 'confirmed')")),
    )  # fmt: skip

    request_id: Mapped[UUID] = mapped_column(ForeignKey("maternity_request.id"))
    preadmission_id: Mapped[UUID] = mapped_column(ForeignKey("preadmission.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    rank: Mapped[int]
    state: Mapped[str]
    places_id: Mapped[UUID | None] = mapped_column(ForeignKey("maternity_places.id"), index=True)
    answer_by: Mapped[date | None] = mapped_column(Date)
    listed_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="", server_default="")
    words: Mapped[str] = mapped_column(default="", server_default="")
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    request: Mapped[MaternityRequest] = relationship(back_populates="wishes")
    establishment: Mapped[Establishment] = relationship()
    site: Mapped[Site] = relationship()
    places: Mapped[MaternityPlaces | None] = relationship()

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class MaternityChange(Keyed, Base):
    """One change of one wish: from which state to which, by whom, when and why. Never altered."""

    __tablename__ = "maternity_change"

    wish_id: Mapped[UUID] = mapped_column(ForeignKey("maternity_wish.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(default="")
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
