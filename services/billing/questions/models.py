"""A thread about one bill, its messages, how it went, and what agents start their answers from."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal import calendar, db
from portal.db import Base, Keyed
from portal.establishments import Establishment
from services.billing.models import Bill
from services.billing.questions.states import KINDS, STATES


def _among(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(map(repr, values))})"


class BillQuestion(Keyed, Base):
    """What somebody asks about a bill; a bill has one thread at most that is not closed.

    account_id: who asked; answers are written to them. due_on: the business day by which the hospital answers, None
    while it owes no answer.
    """

    __tablename__ = "bill_question"
    __table_args__ = (
        CheckConstraint(_among("kind", KINDS), "kind"),
        CheckConstraint(_among("state", STATES), "state"),
        Index("uq_bill_question_one_open", "bill_id", unique=True, postgresql_where=text("state <> 'closed'")),
        Index("ix_bill_question_tray", "establishment_id", "state", "asked_at"),
    )

    bill_id: Mapped[UUID] = mapped_column(ForeignKey("bill.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    due_on: Mapped[date | None] = mapped_column(Date)

    bill: Mapped[Bill] = relationship()
    establishment: Mapped[Establishment] = relationship()

    @property
    def is_closed(self) -> bool:
        return self.state == "closed"

    @property
    def is_late(self) -> bool:
        """Whether the day by which it was to be answered is over at the hospital."""
        return self.due_on is not None and self.due_on < calendar.civil_day(db.now(), self.establishment.tz)

    @property
    def version(self) -> str:
        """What a form was made from: somebody may write meanwhile."""
        return self.changed_at.isoformat()


class BillQuestionMessage(Keyed, Base):
    """Words of one side; never altered."""

    __tablename__ = "bill_question_message"
    __table_args__ = {"comment": "append-only"}

    question_id: Mapped[UUID] = mapped_column(ForeignKey("bill_question.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    at: Mapped[datetime] = mapped_column(default=db.now)
    actor: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    from_staff: Mapped[bool]
    text: Mapped[str]


class BillQuestionChange(Keyed, Base):
    """One change of a thread's state; never altered."""

    __tablename__ = "bill_question_change"
    __table_args__ = {"comment": "append-only"}

    question_id: Mapped[UUID] = mapped_column(ForeignKey("bill_question.id"), index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    before: Mapped[str]
    after: Mapped[str]
    because: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    by_name: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(default=db.now)


class BillAnswer(Keyed, Base):
    """What a hospital's agents start an answer from, rather than write it anew each time. kind: "" for any question."""

    __tablename__ = "bill_answer"
    __table_args__ = (CheckConstraint(_among("kind", ("", *KINDS)), "kind"),)

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    kind: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_by_name: Mapped[str] = mapped_column(default="")
