"""A saved view: which page of figures, and what was chosen there. No figure is kept, and nothing about anybody."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Account
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment

PAGES = ("home", "service", "figure", "comparison")


class FigureView(Keyed, Base):
    """A view of one agent; those who administer `establishment` may open it too, when one is named.

    page: one of PAGES. subject: the service or the figure of that page, if it has one. choice: what its address says
    (`period`, `from`, `to`, `grain`, `compared`, `establishment`, `figure`).
    """

    __tablename__ = "figure_view"
    __table_args__ = (
        UniqueConstraint("account_id", "name"),
        CheckConstraint(f"page in ({', '.join(repr(page) for page in PAGES)})", "page"),
        CheckConstraint("jsonb_typeof(choice) = 'object'", "choice"),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    establishment_id: Mapped[UUID | None] = mapped_column(ForeignKey("establishment.id"), index=True)
    name: Mapped[str]
    page: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    choice: Mapped[Mapping[str, str]] = mapped_column(JSONB)
    made_at: Mapped[datetime] = mapped_column(default=db.now)

    account: Mapped[Account] = relationship()
    establishment: Mapped[Establishment | None] = relationship()


class FigureViewStart(Base):
    """The view that an agent's first page opens with."""

    __tablename__ = "figure_view_start"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    view_id: Mapped[UUID] = mapped_column(ForeignKey("figure_view.id", ondelete="CASCADE"), index=True)
