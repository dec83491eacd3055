"""News of an account, the messages that tell them, and how each person wants to be told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from portal import db
from portal.db import Base, Keyed


class NewsMessage(Keyed, Base):
    """One message that tells several news of an account by one channel. kinds, lines: what it tells, and how many.

    state: waiting; sent; withheld (all was read meanwhile, or nobody is told any more); refused; uncertain (cut twice
    after the last byte). tries: sendings that ended in a doubt.
    """

    __tablename__ = "news_message"
    __table_args__ = (
        CheckConstraint("channel in ('mail', 'mssante')", "channel"),
        CheckConstraint("state in ('waiting', 'sent', 'withheld', 'refused', 'uncertain')", "state"),
        Index("ix_news_message_account_id_channel_formed_at", "account_id", "channel", "formed_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    channel: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    lines: Mapped[int]
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default="waiting")
    because: Mapped[str] = mapped_column(default="")
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    formed_at: Mapped[datetime] = mapped_column(default=db.now)
    ended_at: Mapped[datetime | None]


class News(Keyed, Base):
    """Something that happened and concerns an account: its kind and the page that shows it, nothing of what it is.

    waiting: a channel has not told it yet; look_at: not looked at before. *_id: the message that told it.
    """

    __tablename__ = "news"
    __table_args__ = (
        Index("ix_news_account_id_created_at", "account_id", "created_at"),
        Index("ix_news_unread", "account_id", "path", postgresql_where=text("read_at is null")),
        Index("ix_news_look_at", "look_at", postgresql_where=text("waiting")),
        Index("ix_news_created_at", "created_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    path: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False)
    waiting: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    look_at: Mapped[datetime] = mapped_column(default=db.now)
    read_at: Mapped[datetime | None]
    mail_id: Mapped[UUID | None] = mapped_column(ForeignKey("news_message.id"), index=True)
    mssante_id: Mapped[UUID | None] = mapped_column(ForeignKey("news_message.id"), index=True)


class NewsChoice(Base):
    """How often somebody wants to be told of a kind by a channel; without a row, as usual (`kinds.usual`)."""

    __tablename__ = "news_choice"
    __table_args__ = (
        CheckConstraint("channel in ('mail', 'mssante')", "channel"),
        CheckConstraint("rhythm in ('at_once', 'hourly', 'daily', 'never')", "rhythm"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    rhythm: Mapped[str]


class NewsHours(Base):
    """When somebody is not disturbed, and when they are told once a day: hours of their clock."""

    __tablename__ = "news_hours"
    __table_args__ = (
        CheckConstraint("quiet_from between 0 and 24 and quiet_until between 0 and 24", "quiet"),
        CheckConstraint("daily_at between 0 and 23", "daily_at"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    quiet_from: Mapped[int] = mapped_column(SmallInteger)
    quiet_until: Mapped[int] = mapped_column(SmallInteger)
    daily_at: Mapped[int] = mapped_column(SmallInteger)
    weekends: Mapped[bool]
    time_zone: Mapped[str]


class NewsBox(Base):
    """The professional box (MSSanté) where somebody wants to be told. digest: of the link that proves it, while it
    waits; verified_at: proven, or known by the national directory as theirs. trouble: why its operator refused."""

    __tablename__ = "news_box"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    address: Mapped[str]
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    verified_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(default="")
