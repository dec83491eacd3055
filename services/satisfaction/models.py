"""What people think of a service, without who they are; and that somebody was asked, without what they said."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.acts import SERVICES
from auth.identity.sealing import SealedText
from portal.db import Base, Keyed
from portal.establishments import Establishment

_SERVICES = f"service in ({', '.join(repr(each) for each in SERVICES)})"


class OpinionTurn(Keyed, Base):
    """Somebody may be asked about what they have just done. digest: of their pseudonym of the month, which nobody can
    compute once the month's key is destroyed; it is in no other table."""

    __tablename__ = "opinion_turn"
    __table_args__ = (CheckConstraint(_SERVICES, "service"), Index("ix_opinion_turn_digest", "digest"))

    digest: Mapped[str]
    service: Mapped[str]
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    invited_at: Mapped[datetime]
    shown_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]


class Opinion(Keyed, Base):
    """One answer. given_on: the hospital's civil day. words: of the comment, once an agent has let them through; ""
    before, and for ever when there is none. Nothing leads back to whoever answered."""

    __tablename__ = "opinion"
    __table_args__ = (
        CheckConstraint(_SERVICES, "service"),
        CheckConstraint("audience in ('patient', 'professional')", "audience"),
        CheckConstraint("score between 1 and 5", "score"),
        Index("ix_opinion_establishment_id_given_on", "establishment_id", "given_on"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    service: Mapped[str]
    audience: Mapped[str]
    score: Mapped[int] = mapped_column(SmallInteger)
    given_on: Mapped[date] = mapped_column(Date)
    words: Mapped[str] = mapped_column(SealedText("opinion.words"), default="", server_default="")
    published_at: Mapped[datetime | None]

    establishment: Mapped[Establishment] = relationship()


class OpinionComment(Base):
    """A comment as it was typed, until it is erased: only those who screen comments read it. opinion_id: its answer.

    received_at: when the hospital's day began, as `OpinionTurn.answered_at`: no moment leads to whoever wrote it.
    flags: what the rules found (`screening.KINDS`). due_on: the day by which somebody reads it. decision: "" |
    published | removed.
    """

    __tablename__ = "opinion_comment"
    __table_args__ = (
        CheckConstraint("decision in ('', 'published', 'removed')", "decision"),
        CheckConstraint("(decision = '') = (decided_at is null)", "decided"),
        Index("ix_opinion_comment_establishment_id_due_on", "establishment_id", "due_on"),
    )

    opinion_id: Mapped[UUID] = mapped_column(ForeignKey("opinion.id", ondelete="CASCADE"), primary_key=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    text: Mapped[str] = mapped_column(SealedText("opinion_comment.text"))
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    received_at: Mapped[datetime]
    due_on: Mapped[date] = mapped_column(Date)
    decision: Mapped[str] = mapped_column(default="", server_default="")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="", server_default="")

    opinion: Mapped[Opinion] = relationship()
    establishment: Mapped[Establishment] = relationship()
