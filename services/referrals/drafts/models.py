"""Requests that were not sent yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from auth.identity.sealing import SealedText
from portal import db
from portal.db import Base, Keyed
from services.referrals.drafts import content
from services.referrals.drafts.content import Content


class ReferralDraft(Keyed, Base):
    """A request under way: its practitioner's alone, and sealed (see `content`). author_name: who began it."""

    __tablename__ = "referral_draft"
    __table_args__ = (
        Index("ix_referral_draft_professional_id_changed_at", "professional_id", "changed_at"),
        Index("ix_referral_draft_changed_at", "changed_at"),
    )

    professional_id: Mapped[UUID] = mapped_column(ForeignKey("professional.id"))
    sealed: Mapped[str] = mapped_column(SealedText("referral_draft.content"))
    author_name: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=db.now)
    changed_at: Mapped[datetime] = mapped_column(default=db.now)

    @property
    def content(self) -> Content:
        return content.load(self.sealed)

    @content.setter
    def content(self, told: Content) -> None:
        self.sealed = content.dump(told)
