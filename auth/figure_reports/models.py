"""The report of a month of a hospital, who asked for it, and to whom it was told."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from auth.models import Account
from portal import db
from portal.db import Base, Keyed
from portal.establishments import Establishment


class FigureReportReader(Keyed, Base):
    """An agent who wants the figures of a hospital each month, until they stop."""

    __tablename__ = "figure_report_reader"
    __table_args__ = (
        Index(
            "uq_figure_report_reader_open", "account_id", "establishment_id",
            unique=True, postgresql_where=text("stopped_at is null"),
        ),
        Index(None, "establishment_id"),
    )  # fmt: skip

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    asked_at: Mapped[datetime] = mapped_column(default=db.now)
    stopped_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()
    establishment: Mapped[Establishment] = relationship()


class FigureReport(Keyed, Base):
    """The figures of one month, and of the twelve before it, as they were told: never written again.

    content: `contents.Content` as JSON; no number below eleven people is in it. digest: SHA-256 of it, keys sorted.
    """

    __tablename__ = "figure_report"
    __table_args__ = (
        UniqueConstraint("establishment_id", "month"),
        CheckConstraint("extract(day from month) = 1", "first_day"),
    )

    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"))
    month: Mapped[date] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(default=db.now)
    content: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary)

    establishment: Mapped[Establishment] = relationship()


class FigureReportTold(Base):
    """A report told to an agent, once whatever happens."""

    __tablename__ = "figure_report_told"

    report_id: Mapped[UUID] = mapped_column(ForeignKey("figure_report.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True)
    establishment_id: Mapped[UUID] = mapped_column(ForeignKey("establishment.id"), index=True)
    told_at: Mapped[datetime] = mapped_column(default=db.now)
