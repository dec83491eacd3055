"""Letters that hospitals receive and patients read.

Original bytes are in `portal.files`, kept exactly. Traits on a document are those it carries, never the patient's.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from portal.files import StoredFile

RIGHT: Final = "documents"
"""What an agent must hold at a hospital to open and sort its documents (`portal.db.RIGHTS`)."""


class DocumentArrival(Keyed, Base):
    """One file that came through a door (`channel`: command | upload | staff | exchange | his | fhir…).

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
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_message.id"), index=True)
    code: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime] = mapped_column(default=db.now)

    establishment: Mapped[Establishment] = relationship()


class ArrivalDecision(Base):
    """What somebody made of a parcel in quarantine. outcome: released | tray | returned | discarded. Never changed."""

    __tablename__ = "arrival_decision"
    __table_args__ = (
        CheckConstraint("outcome in ('released', 'tray', 'returned', 'discarded')", "outcome"),
        {"comment": "append-only"},
    )

    arrival_id: Mapped[UUID] = mapped_column(ForeignKey("document_arrival.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=db.now)


class Document(Keyed, Base):
    """One version of one letter. A patient sees it when it is filed, when a newer version replaced it, and that it was
    withdrawn.

    unique_id, set_id: OID, or OID^extension (IHE XDS). level: N1 (a file in an envelope), N3 (structured text), FILE
    (a file without envelope). content_id: the file inside the envelope of an N1. code, reason: why it is in the tray.
    content_read_at: when its words and results were taken (`reading`).
    custodian_id: who keeps the original (OID^extension). visibility, wishes: codes of the table MetaDMPMSS, those that
    keep it from somebody and those that ask for something (`matching.HIDES`). kind: of `shelf.kinds`.
    visible_at: from when its patient sees it, None while an agent keeps it for a consultation. told_at, reminded_at:
    when they were told, and reminded once. posted_at, posted_by: it left on paper.
    """

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("establishment_id", "unique_id"),
        Index("ix_document_establishment_id_set_id", "establishment_id", "set_id"),
        Index("ix_document_establishment_id_state", "establishment_id", "state"),
        Index("ix_document_patient_id_authored_at", "patient_id", "authored_at"),
        Index("ix_document_to_tell", "visible_at", postgresql_where="state = 'filed' and told_at is null"),
        CheckConstraint("kind in ('letter', 'prescription', 'result', 'certificate', 'imaging', 'other')", "kind"),
        Index("ix_document_content_unread", "received_at", postgresql_where=text("content_read_at is null")),
        CheckConstraint("state in ('tray', 'filed', 'superseded', 'discarded', 'withdrawn')", "state"),
        CheckConstraint(
            "state = 'withdrawn' or (state in ('filed', 'superseded')) = (patient_id is not null)",
            "patient_when_filed",
        ),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    arrival_id: Mapped[UUID] = mapped_column(ForeignKey("document_arrival.id"), index=True)
    joined_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_file.id"), unique=True)
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
    kind: Mapped[str] = mapped_column(default="other", server_default="other")
    visible_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    posted_by: Mapped[str] = mapped_column(default="", server_default="")
    content_read_at: Mapped[datetime | None]
    custodian_id: Mapped[str] = mapped_column(default="", server_default="")
    visibility: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    wishes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")

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

    @property
    def is_hidden_from_patient(self) -> bool:
        """Whether its sender keeps it from the patient for now."""
        return "INVISIBLE_PATIENT" in self.visibility


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


class Misfiling(Keyed, Base):
    """A document was on the shelf of somebody it was not about, until it was taken back.

    openings: who opened it meanwhile, as `{"at", "who", "how"}`; None until that is known.
    """

    __tablename__ = "document_misfiling"

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    reason: Mapped[str]
    given_at: Mapped[datetime]
    taken_back_at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    actor_name: Mapped[str]
    openings: Mapped[list[dict[str, str]] | None] = mapped_column(JSONB(none_as_null=True))


class DocumentReading(Base):
    """This account has opened this document of this patient; parents and mandated persons each have their own."""

    __tablename__ = "document_reading"
    __table_args__ = {"comment": "append-only"}

    document_id: Mapped[UUID] = mapped_column(ForeignKey("document.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    read_at: Mapped[datetime] = mapped_column(default=db.now)
