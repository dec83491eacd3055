"""A look at a person's screens: asked by an agent, let by the person's code, ended by either or by the clock."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.identity.sealing import SealedText
from auth.models import Account, Patient
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

State = Literal["asked", "unanswered", "open", "over"]


class SupportSession(Keyed, Base):
    """One agent, one person, a quarter of an hour.

    account_id: the agent; person_account_id: of the person whose screens they are. kind, words: what for. alone_kind,
    alone_words: why the person is not on the phone, "" when they are. code: six digits that the person reads out, ""
    once it served. ended_by: agent or person; "" when the clock ended it, or nothing has.
    """

    __tablename__ = "support_session"
    __table_args__ = (
        CheckConstraint("ended_by in ('', 'agent', 'person')", "ended_by"),
        Index(None, "establishment_id", "asked_at"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    person_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), index=True)
    agent_name: Mapped[str]
    kind: Mapped[str]
    words: Mapped[str]
    alone_kind: Mapped[str] = mapped_column(default="", server_default="")
    alone_words: Mapped[str] = mapped_column(default="", server_default="")
    code: Mapped[str] = mapped_column(SealedText("support code"), default="", server_default="")
    code_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    opened_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="", server_default="")

    patient: Mapped[Patient] = relationship()
    establishment: Mapped[Establishment] = relationship()
    agent: Mapped[Account] = relationship(foreign_keys=account_id)

    @property
    def is_alone(self) -> bool:
        """Whether it was opened without the person on the phone."""
        return bool(self.alone_kind)

    def state(self, at: datetime) -> State:
        """asked: the person's code is waited for; unanswered: it never came; open: the screens are seen now."""
        if self.ended_at is not None:
            return "over" if self.opened_at else "unanswered"
        if self.opened_at is not None:
            return "open" if self.ends_at is not None and at < self.ends_at else "over"
        return "asked" if self.code_until is not None and at < self.code_until else "unanswered"
