"""A thread between a unit and one correspondent: a practitioner with an account here, a patient, or an MSSanté address.

The traits of a thread are what somebody typed, or what a mail carried: they never search, and reveal nothing.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient, Professional
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from portal.files import StoredFile


class Exchange(Keyed, Base):
    """A thread. unit_id: None while nobody has said which unit answers (a mail to a box of the whole hospital).

    professional_id, patient_id: the correspondent, when they have an account or are a patient here; at most one.
    rpps: of a practitioner who has not signed in yet: the thread is theirs once they do; email: where they are told.
    address: where MSSanté reaches them, with mailbox_id, the box from which the unit writes. about_id: the hospital's
    patient whom it is about, once recognised. assigned_*: who has it in charge. answer_by: when an answer is owed.
    """

    __tablename__ = "exchange"
    __table_args__ = (
        CheckConstraint("state in ('received', 'opened', 'delivered', 'read', 'closed')", "state"),
        CheckConstraint("priority in ('normal', 'urgent')", "priority"),
        CheckConstraint("num_nonnulls(professional_id, patient_id) <= 1", "one_correspondent"),
        CheckConstraint(
            "num_nonnulls(professional_id, patient_id) = 1 or address <> '' or rpps <> ''", "some_correspondent"
        ),
        Index("ix_exchange_establishment_id_changed_at", "establishment_id", "changed_at"),
        Index("ix_exchange_professional_id_changed_at", "professional_id", "changed_at"),
        Index("ix_exchange_patient_id_changed_at", "patient_id", "changed_at"),
        Index("ix_exchange_establishment_id_state", "establishment_id", "state"),
        Index("ix_exchange_rpps", "rpps", postgresql_where=text("rpps <> '' and professional_id is null")),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"))
    professional_id: Mapped[UUID | None] = mapped_column(ForeignKey("professional.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    address: Mapped[str] = mapped_column(default="", server_default="")
    correspondent: Mapped[str] = mapped_column(default="", server_default="")
    rpps: Mapped[str] = mapped_column(default="", server_default="")
    email: Mapped[str] = mapped_column(default="", server_default="")
    mailbox_id: Mapped[UUID | None] = mapped_column(ForeignKey("mailbox.id"), index=True)
    subject: Mapped[str]
    about_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    birth_name: Mapped[str] = mapped_column(default="", server_default="")
    first_name: Mapped[str] = mapped_column(default="", server_default="")
    birth_on: Mapped[date | None] = mapped_column(Date)
    state: Mapped[str]
    priority: Mapped[str] = mapped_column(default="normal", server_default="normal")
    assigned_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    assigned_name: Mapped[str] = mapped_column(default="", server_default="")
    answer_by: Mapped[datetime | None]
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()
    professional: Mapped[Professional | None] = relationship()
    patient: Mapped[Patient | None] = relationship(foreign_keys=patient_id)
    about: Mapped[Patient | None] = relationship(foreign_keys=about_id)
    messages: Mapped[list["ExchangeMessage"]] = relationship(order_by="ExchangeMessage.sent_at")
    changes: Mapped[list["ExchangeChange"]] = relationship(order_by="ExchangeChange.at")

    @property
    def kind(self) -> str:
        """With whom: `professional` and `patient` sign in here, `address` is reached by MSSanté alone."""
        if self.patient_id:
            return "patient"
        return "address" if self.address and not self.professional_id else "professional"

    @property
    def correspondent_name(self) -> str:
        """The other side, as the unit reads it."""
        if self.professional:
            return self.professional.full_name
        return self.correspondent or (self.patient.full_name if self.patient else self.address or self.rpps)

    @property
    def unit_name(self) -> str:
        return self.unit.name if self.unit else self.establishment.name

    @property
    def phone(self) -> str:
        """What to call when it cannot wait."""
        return (self.unit.phone if self.unit else "") or self.establishment.phone

    @property
    def patient_name(self) -> str:
        """The patient it is about, as typed; empty when nobody is named."""
        return f"{self.first_name} {self.birth_name}".strip()


class UnitDesk(Base):
    """A unit that takes messages of patients. answer_days: business days within which it answers. note: what patients
    read before they write to it. signature: what ends each of its messages."""

    __tablename__ = "unit_desk"
    __table_args__ = (CheckConstraint("answer_days between 1 and 30", "answer_days"),)

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    is_open: Mapped[bool] = mapped_column(default=True, server_default="true")
    answer_days: Mapped[int] = mapped_column(default=3, server_default="3")
    note: Mapped[str] = mapped_column(default="", server_default="")
    signature: Mapped[str] = mapped_column(default="", server_default="")

    unit: Mapped[Unit] = relationship()


class ExchangeMessage(Keyed, Base):
    """One message. Never changed. sender: professional | patient | unit. channel: portal | mssante.

    message_key: its RFC 5322 Message-ID once it is a mail. replaces_id: the message it cancels and replaces.
    raw_file_id: the mail as it came. receipt_wanted: whether its author asked to know when it is read.
    """

    __tablename__ = "exchange_message"
    __table_args__ = (
        CheckConstraint("sender in ('professional', 'patient', 'unit')", "sender"),
        CheckConstraint("channel in ('portal', 'mssante')", "channel"),
        Index("ix_exchange_message_message_key", "message_key"),
        {"comment": "append-only"},
    )

    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchange.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    sender: Mapped[str]
    channel: Mapped[str] = mapped_column(default="portal", server_default="portal")
    author_name: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    message_key: Mapped[str] = mapped_column(default="", server_default="")
    replaces_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_message.id"))
    raw_file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"))
    receipt_wanted: Mapped[bool] = mapped_column(default=False, server_default="false")
    sent_at: Mapped[datetime] = mapped_column(default=db.now)

    files: Mapped[list["ExchangeFile"]] = relationship(order_by="ExchangeFile.position")


class ExchangeFile(Keyed, Base):
    """A file joined to a message. Never changed. A letter that a mail carries is a Document instead (its arrival names
    the message)."""

    __tablename__ = "exchange_file"
    __table_args__ = {"comment": "append-only"}

    message_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_message.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)

    file: Mapped[StoredFile] = relationship()


class ExchangeChange(Keyed, Base):
    """An exchange went from one state to another: when and by whom. Never changed."""

    __tablename__ = "exchange_change"
    __table_args__ = {"comment": "append-only"}

    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchange.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
