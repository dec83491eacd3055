"""Those who follow the rooms, what each was told, and what the hospital system told us."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.exchanges import states


class Follower(Keyed, Base):
    """The hospital system of one hospital, or a subscriber that is told by webhook.

    follows_since: changes before are not told. next_try_at, failures, failing_since, trouble: while it is away.
    stopped_at: by an administrator, or because it was away too long. lease: of the one job that tells it now.
    """

    __tablename__ = "follower"
    __table_args__ = (
        CheckConstraint("kind in ('his', 'webhook')", "kind"),
        CheckConstraint("kind = 'his' or url <> ''", "address"),
        Index("uq_follower_his", "establishment_id", unique=True, postgresql_where="kind = 'his'"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    url: Mapped[str] = mapped_column(default="")
    secret: Mapped[str] = mapped_column(SealedText("webhook secret"), default="")
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    follows_since: Mapped[datetime] = mapped_column(default=db.now)
    stopped_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")
    last_success_at: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()


class Delivery(Keyed, Base):
    """One change of something of a room, to be told to one follower: once, in order, however long it takes.

    subject_kind: one of `subjects`, "" for a test of the line. subject_id, change_id: rows of that room, to which
    this one has no foreign key since it lies below. event: a trigger (S12, A05…) or a webhook's event. changed_at:
    when it happened, the order in which it is told. control_id: MSH-10, the same at each try; another one when it is
    told anew (round). in_doubt: it left, and nobody knows whether it was done. told: why it was refused, in the words
    of the hospital system.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("follower_id", "change_id"),
        UniqueConstraint("follower_id", "control_id"),
        CheckConstraint(f"state in {states.DELIVERY_STATES!r}", "state"),
        CheckConstraint("(subject_kind = '') = (subject_id is null)", "subject"),
        Index("ix_delivery_waiting", "follower_id", "changed_at", "id", postgresql_where="state = 'waiting'"),
        Index("ix_delivery_refused", "establishment_id", postgresql_where="state = 'refused'"),
        Index("ix_delivery_establishment_id_changed_at", "establishment_id", "changed_at"),
    )

    follower_id: Mapped[UUID] = mapped_column(ForeignKey("follower.id", ondelete="cascade"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    subject_kind: Mapped[str] = mapped_column(default="")
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    change_id: Mapped[UUID | None]
    event: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    state: Mapped[str] = mapped_column(default=states.WAITING, server_default=states.WAITING)
    control_id: Mapped[str]
    round: Mapped[int] = mapped_column(default=0, server_default="0")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    in_doubt: Mapped[bool] = mapped_column(default=False, server_default="false")
    tried_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="", server_default="")
    error: Mapped[str] = mapped_column(default="", server_default="")
    told: Mapped[str] = mapped_column(default="", server_default="")

    follower: Mapped[Follower] = relationship()


class HisMessage(Keyed, Base):
    """A message of the hospital system, and our answer: the same message gets the same one.

    subject_kind: the room that takes messages of its type, "" when none does. sender: MSH-3 and MSH-4. body: as
    received, sealed; emptied after some weeks.
    """

    __tablename__ = "his_message"
    __table_args__ = (
        UniqueConstraint("establishment_id", "sender", "control_id"),
        Index("ix_his_message_establishment_id_received_at", "establishment_id", "received_at"),
        CheckConstraint("via in ('mllp', 'folder', 'http')", "via"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    subject_kind: Mapped[str] = mapped_column(default="")
    sender: Mapped[str]
    control_id: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    trigger: Mapped[str]
    via: Mapped[str]
    # The purpose is part of the seal: under another name, what was sealed before could not be opened.
    body: Mapped[str] = mapped_column(SealedText("siu message"))
    received_at: Mapped[datetime] = mapped_column(default=db.now)
    said_at: Mapped[datetime | None]
    times: Mapped[int] = mapped_column(default=1)
    answer: Mapped[str] = mapped_column(default="")
    error: Mapped[str] = mapped_column(default="")
    told: Mapped[str] = mapped_column(default="")
    acknowledgement: Mapped[str] = mapped_column(default="")
    subject_id: Mapped[UUID | None] = mapped_column(index=True)
    external_id: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()
