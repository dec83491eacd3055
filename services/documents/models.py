"""Letters that hospitals receive and patients read; exchanges between a hospital's unit and a practitioner.

Original bytes are in `portal.files`, kept exactly. Traits on a document are those it carries, never the patient's.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient, Professional
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit
from portal.files import StoredFile

RIGHT: Final = "documents"
"""What an agent must hold at a hospital to open and sort its documents (`portal.db.RIGHTS`)."""


class DocumentArrival(Keyed, Base):
    """One file that came through a door (`channel`: command | upload | staff | exchange).

    code and reason say why all of it was put in quarantine; empty when its documents went further. file_id: the bytes
    as they came; none when they are not kept (infected, or of another world than this instance).
    """

    __tablename__ = "document_arrival"
    __table_args__ = {"comment": "append-only"}

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    channel: Mapped[str]
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"))
    code: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()


class Document(Keyed, Base):
    """One version of one letter. A patient sees it when it is filed, and when a newer version replaced it.

    unique_id, set_id: OID, or OID^extension (IHE XDS). level: N1 (a file in an envelope), N3 (structured text), FILE
    (a file without envelope). content_id: the file inside the envelope of an N1. code, reason: why it is in the tray.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("establishment_id", "unique_id"),
        Index("ix_document_establishment_id_set_id", "establishment_id", "set_id"),
        Index("ix_document_establishment_id_state", "establishment_id", "state"),
        CheckConstraint("state in ('tray', 'filed', 'superseded', 'discarded')", "state"),
        CheckConstraint("(state in ('filed', 'superseded')) = (patient_id is not null)", "patient_when_filed"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    arrival_id: Mapped[UUID] = mapped_column(ForeignKey("document_arrival.id"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_message.id"), unique=True)
    file_id: Mapped[UUID] = mapped_column(ForeignKey("stored_file.id"), index=True)
    content_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    state: Mapped[str]
    level: Mapped[str]
    unique_id: Mapped[str]
    set_id: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    replaces: Mapped[str] = mapped_column(default="")
    superseded_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"), index=True)
    type_code: Mapped[str] = mapped_column(default="")
    type_label: Mapped[str] = mapped_column(default="")
    title: Mapped[str]
    authored_at: Mapped[datetime]
    confidentiality: Mapped[str] = mapped_column(default="N")
    author_name: Mapped[str] = mapped_column(default="")
    author_speciality: Mapped[str] = mapped_column(default="")
    author_organization: Mapped[str] = mapped_column(default="")
    birth_name: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="")
    birth_on: Mapped[date | None] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(default="")
    ins: Mapped[str] = mapped_column(default="")
    ins_oid: Mapped[str] = mapped_column(default="")
    ipp: Mapped[str] = mapped_column(default="")
    code: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    filed_at: Mapped[datetime | None]
    masked: Mapped[bool] = mapped_column(default=False, server_default="false")

    establishment: Mapped[Establishment] = relationship()
    patient: Mapped[Patient | None] = relationship()
    file: Mapped[StoredFile] = relationship(foreign_keys=file_id)
    content: Mapped[StoredFile | None] = relationship(foreign_keys=content_id)
    arrival: Mapped[DocumentArrival] = relationship()

    @property
    def authored_on(self) -> date:
        """The day it was written, at its hospital."""
        return self.authored_at.astimezone(self.establishment.tz).date()

    @property
    def shown_file(self) -> StoredFile:
        """The file a person opens: what the envelope holds, else the document itself."""
        return self.content or self.file

    @property
    def is_structured(self) -> bool:
        return self.level == "N3"


class DocumentChange(Keyed, Base):
    """A document went from one state to another: when, by whom, why. Never changed."""

    __tablename__ = "document_change"
    __table_args__ = {"comment": "append-only"}

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class DocumentReading(Base):
    """This account has opened this document of this patient; parents and mandated persons each have their own."""

    __tablename__ = "document_reading"
    __table_args__ = {"comment": "append-only"}

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    read_at: Mapped[datetime] = mapped_column(default=db.now)


class Exchange(Keyed, Base):
    """A thread of messages between a unit and a professional about one patient, described by typed traits.

    The traits are what somebody typed: they never search, and reveal nothing.
    """

    __tablename__ = "exchange"
    __table_args__ = (
        CheckConstraint("state in ('received', 'opened', 'delivered', 'read')", "state"),
        Index("ix_exchange_establishment_id_changed_at", "establishment_id", "changed_at"),
        Index("ix_exchange_professional_id_changed_at", "professional_id", "changed_at"),
    )

    reference: Mapped[str] = mapped_column(unique=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    subject: Mapped[str]
    birth_name: Mapped[str]
    first_name: Mapped[str]
    birth_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit] = relationship()
    professional: Mapped[Professional] = relationship()
    messages: Mapped[list["ExchangeMessage"]] = relationship(order_by="ExchangeMessage.sent_at")
    changes: Mapped[list["ExchangeChange"]] = relationship(order_by="ExchangeChange.at")

    @property
    def patient_name(self) -> str:
        """The patient, as typed."""
        return f"{self.first_name} {self.birth_name}"


class ExchangeMessage(Keyed, Base):
    """One message of an exchange, from the `professional` or from the `unit`. Never changed."""

    __tablename__ = "exchange_message"
    __table_args__ = (CheckConstraint("sender in ('professional', 'unit')", "sender"), {"comment": "append-only"})

    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchange.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    sender: Mapped[str]
    author_name: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"))
    sent_at: Mapped[datetime] = mapped_column(default=db.now)

    file: Mapped[StoredFile | None] = relationship()


class ExchangeChange(Keyed, Base):
    """An exchange went from one state to another: when and by whom. Never changed."""

    __tablename__ = "exchange_change"
    __table_args__ = {"comment": "append-only"}

    exchange_id: Mapped[UUID] = mapped_column(ForeignKey("exchange.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)
