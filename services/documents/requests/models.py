"""What people ask a hospital for, what they joined and wrote, and what it answered."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from portal import calendar, db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from portal.files import StoredFile
from services.documents.requests import clock
from services.documents.requests.clock import Clock
from services.documents.requests.kinds import DESKS, KINDS, QUALITIES, Kind
from services.documents.requests.states import CLOSED, MISSING, OPEN, RUNNING, STATES


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(each) for each in values)})"


class RecordRequest(Keyed, Base):
    """One request. patient_id: about whom; none when it is about somebody who died, known by the traits that the
    applicant typed: they search for nobody. desk, scope: as the kind says. facts: answers of the steps (codes, days,
    addresses); text: free words, sealed. masked: kept from those who act for the patient. version: grows at each
    change, so that an agent decides on what they have read.
    """

    __tablename__ = "record_request"
    __table_args__ = (
        CheckConstraint(_among("kind", tuple(KINDS)), "kind"),
        CheckConstraint(_among("state", STATES), "state"),
        CheckConstraint(_among("desk", DESKS), "desk"),
        CheckConstraint(_among("quality", QUALITIES), "quality"),
        CheckConstraint(f"({_among('state', RUNNING)}) = (due_on is not null)", "clock_runs"),
        CheckConstraint(f"(state = '{MISSING}') = (days_left is not null)", "clock_waits"),
        CheckConstraint("(quality = 'heir') = (patient_id is null)", "about_whom"),
        Index("ix_record_request_tray", "establishment_id", "state", "due_on"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]
    desk: Mapped[str]
    scope: Mapped[str]
    quality: Mapped[str]
    applicant_name: Mapped[str]
    identity_known: Mapped[bool] = mapped_column(default=False)
    birth_name: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    birth_on: Mapped[date | None] = mapped_column(Date)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    text: Mapped[str] = mapped_column(SealedText("record_request.text"), default="")
    masked: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    sent_at: Mapped[datetime | None]
    complete_at: Mapped[datetime | None]
    due_on: Mapped[date | None] = mapped_column(Date)
    days_left: Mapped[int | None] = mapped_column(SmallInteger)
    is_old: Mapped[bool] = mapped_column(default=False)
    missing: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    agent_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    agent_name: Mapped[str] = mapped_column(default="")
    hospital_number: Mapped[str] = mapped_column(default="")
    unread: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]
    refusal: Mapped[str] = mapped_column(default="")
    delivered_by: Mapped[str] = mapped_column(default="")
    was_late: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()

    @property
    def definition(self) -> Kind:
        return KINDS[self.kind]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_closed(self) -> bool:
        return self.state in CLOSED

    @property
    def clock(self) -> Clock:
        return Clock(self.due_on, self.days_left)

    @property
    def today(self) -> date:
        """The hospital's day."""
        return calendar.civil_day(db.now(), self.establishment.tz)

    @property
    def is_late(self) -> bool:
        return self.due_on is not None and self.due_on < self.today

    @property
    def sent_on(self) -> date:
        return calendar.civil_day(self.sent_at or self.created_at, self.establishment.tz)

    @property
    def closed_on(self) -> date | None:
        return calendar.civil_day(self.closed_at, self.establishment.tz) if self.closed_at else None

    @property
    def reflection_ends_at(self) -> datetime | None:
        """Before that moment nothing is handed over."""
        if not self.definition.reflects or self.complete_at is None or self.facts.get("reopened"):
            return None  # asked again, it was reflected upon already
        return clock.reflection_ends(self.complete_at)

    @property
    def is_reflecting(self) -> bool:
        ends = self.reflection_ends_at
        return ends is not None and db.now() < ends

    @property
    def subject_name(self) -> str:
        """The person it is about."""
        return f"{self.first_name} {self.birth_name}".strip()


class RecordRequestChange(Keyed, Base):
    """One change of a request's state, or what an agent did in between; never altered."""

    __tablename__ = "record_request_change"
    __table_args__ = {"comment": "append-only"}

    request_id: Mapped[UUID] = mapped_column(ForeignKey("record_request.id", ondelete="CASCADE"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    because: Mapped[str] = mapped_column(default="")
    due_on: Mapped[date | None] = mapped_column(Date)
    actor: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class RecordRequestMessage(Keyed, Base):
    """A few words between the applicant and the hospital about a request; never altered."""

    __tablename__ = "record_request_message"
    __table_args__ = {"comment": "append-only"}

    request_id: Mapped[UUID] = mapped_column(ForeignKey("record_request.id", ondelete="CASCADE"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_staff: Mapped[bool]
    actor: Mapped[str]
    by_name: Mapped[str]
    text: Mapped[str] = mapped_column(SealedText("record_request_message.text"))
    at: Mapped[datetime] = mapped_column(default=db.now)


class RecordRequestFile(Keyed, Base):
    """A proof that the applicant joined, or what the hospital answered with. use: identity | quality | other | answer.

    document_id: the same file on the patient's shelf.
    """

    __tablename__ = "record_request_file"
    __table_args__ = (CheckConstraint(_among("use", ("identity", "quality", "other", "answer")), "use"),)

    request_id: Mapped[UUID] = mapped_column(ForeignKey("record_request.id", ondelete="CASCADE"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"), index=True)
    use: Mapped[str]
    from_staff: Mapped[bool]
    added_at: Mapped[datetime] = mapped_column(default=db.now)

    file: Mapped[StoredFile] = relationship()


class RecordRequestAnswer(Keyed, Base):
    """What a hospital's agents start a message from. kind: "" for any request of that desk."""

    __tablename__ = "record_request_answer"
    __table_args__ = (
        CheckConstraint(_among("kind", ("", *KINDS)), "kind"),
        CheckConstraint(_among("desk", DESKS), "desk"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    desk: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_by_name: Mapped[str] = mapped_column(default="")


class HospitalCertificate(Keyed, Base):
    """What the hospital certified: anybody checks it by its number and code. facts: what is printed (days, hours),
    never a unit. revoked_at: it was wrong, and holds no longer.
    """

    __tablename__ = "hospital_certificate"
    __table_args__ = (CheckConstraint(_among("kind", ("situation", "presence")), "kind"),)

    request_id: Mapped[UUID] = mapped_column(ForeignKey("record_request.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    kind: Mapped[str]
    number: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_at: Mapped[datetime] = mapped_column(default=db.now)
    issued_by_name: Mapped[str] = mapped_column(default="")
    revoked_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()

    @property
    def printed_code(self) -> str:
        """The code in two halves."""
        return f"{self.code[:5]}-{self.code[5:]}"
