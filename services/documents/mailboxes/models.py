"""Boxes, the mails that left from them (one transmission is one message to one address), and those that came."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment, Unit


class Mailbox(Keyed, Base):
    """An MSSanté box that a hospital holds. kind: PER (a person's), ORG (an organisation's), APP (an application's).

    holder_id: the account whose box it is (PER): it opens only while their Pro Santé Connect session lives. label: who
    writes, as correspondents read it (MSS/va1.16). url: its operator, sealed; empty for the hospital's `mssante_url`.
    """

    __tablename__ = "mailbox"
    __table_args__ = (
        CheckConstraint("kind in ('PER', 'ORG', 'APP')", "kind"),
        CheckConstraint("(kind = 'PER') = (holder_id is not null)", "holder"),
        CheckConstraint("address = lower(address)", "address"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    address: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("unit.id"), index=True)
    holder_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    label: Mapped[str]
    url: Mapped[str] = mapped_column(SealedText("mailbox.url"), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    closed_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
    unit: Mapped[Unit | None] = relationship()

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class Transmission(Keyed, Base):
    """One message on its way to one address. message_key: its RFC 5322 Message-ID, the same at each try.

    role: `to` its correspondent, `copy` of what they read in the portal. state: waiting; uncertain (the line was cut
    after the last byte); accepted by our operator; delivered to their box; read; refused; given_up. code: of whoever
    refused; reason: our word for what to do. receipt_asked: whether a read receipt was asked for. begun_at: a try that
    has not said how it ended; next_at: when it is tried again.
    """

    __tablename__ = "transmission"
    __table_args__ = (
        CheckConstraint("role in ('to', 'copy')", "role"),
        CheckConstraint(
            "state in ('waiting', 'uncertain', 'accepted', 'delivered', 'read', 'refused', 'given_up')", "state"
        ),
        Index("ix_transmission_message_key", "message_key"),
        Index("ix_transmission_establishment_id_changed_at", "establishment_id", "changed_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    mailbox_id: Mapped[UUID] = mapped_column(ForeignKey("mailbox.id"), index=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("exchange_message.id"), index=True)
    address: Mapped[str]
    role: Mapped[str]
    message_key: Mapped[str]
    state: Mapped[str] = mapped_column(default="")
    code: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    receipt_asked: Mapped[bool] = mapped_column(default=False, server_default="false")
    tries: Mapped[int] = mapped_column(default=0, server_default="0")
    begun_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    mailbox: Mapped[Mailbox] = relationship()
    changes: Mapped[list["TransmissionChange"]] = relationship(order_by="TransmissionChange.at")


class TransmissionChange(Keyed, Base):
    """A transmission went from one state to another, or was tried again: when, and what was answered. Never changed."""

    __tablename__ = "transmission_change"
    __table_args__ = {"comment": "append-only"}

    transmission_id: Mapped[UUID] = mapped_column(ForeignKey("transmission.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    from_state: Mapped[str]
    to_state: Mapped[str]
    code: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class MailboxReading(Base):
    """How far a box has been read (IMAP's UIDVALIDITY and last UID), and how its reading goes.

    trouble: our word for why the last reading failed; again_at: not read before. lease: of the reader at work, which
    nobody disturbs before leased_until.
    """

    __tablename__ = "mailbox_reading"

    mailbox_id: Mapped[UUID] = mapped_column(ForeignKey("mailbox.id"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    validity: Mapped[int] = mapped_column(BigInteger, default=0)
    uid: Mapped[int] = mapped_column(BigInteger, default=0)
    read_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(default="")
    again_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]


class MailOperator(Base):
    """An operator of a hospital's boxes that failed: nobody asks it anything before again_at."""

    __tablename__ = "mail_operator"

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(default="")
    again_at: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)


class ReceivedMail(Keyed, Base):
    """One mail that came into a box, once whatever the box says. message_key: its Message-ID, or made from its bytes.

    kind: message | receipt | delivery | bounce | automatic | unknown. outcome: what became of it: `message` of a
    thread; `report` that moved a transmission; `noted` (reason: why it changes nothing); `quarantined` (reason: what
    broke us), then `released` or `discarded` by somebody. file_id: its bytes as they came, sealed. receipt: what its
    sender is told of its reading: "" | wanted | due | sent | refused.
    """

    __tablename__ = "received_mail"
    __table_args__ = (
        UniqueConstraint("mailbox_id", "message_key"),
        CheckConstraint("kind in ('message', 'receipt', 'delivery', 'bounce', 'automatic', 'unknown')", "kind"),
        CheckConstraint("outcome in ('message', 'report', 'noted', 'quarantined', 'released', 'discarded')", "outcome"),
        CheckConstraint("receipt in ('', 'wanted', 'due', 'sent', 'refused')", "receipt"),
        Index("ix_received_mail_establishment_id_received_at", "establishment_id", "received_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    mailbox_id: Mapped[UUID] = mapped_column(ForeignKey("mailbox.id"))
    message_key: Mapped[str]
    kind: Mapped[str]
    sender: Mapped[str] = mapped_column(default="")
    size: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("stored_file.id"), index=True)
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("exchange_message.id"), index=True)
    transmission_id: Mapped[UUID | None] = mapped_column(ForeignKey("transmission.id"), index=True)
    receipt: Mapped[str] = mapped_column(default="")
    receipt_code: Mapped[str] = mapped_column(default="")
    actor: Mapped[str] = mapped_column(default="")
    actor_name: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    received_at: Mapped[datetime] = mapped_column(default=db.now)

    mailbox: Mapped[Mailbox] = relationship()


class MailOpposition(Keyed, Base):
    """A patient does not want what is about them to leave by MSSanté, to a professional or to their own box.

    audience: professional | patient. ended_at: when they took it back.
    """

    __tablename__ = "mail_opposition"
    __table_args__ = (
        CheckConstraint("audience in ('professional', 'patient')", "audience"),
        Index(
            "uq_mail_opposition_standing",
            "patient_id",
            "establishment_id",
            "audience",
            unique=True,
            postgresql_where="ended_at is null",
        ),
    )

    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    audience: Mapped[str]
    actor: Mapped[str]
    actor_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]
