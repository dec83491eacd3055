"""The reports that an agent may read, and who is told of them."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload

from auth.figure_reports.models import FigureReport, FigureReportReader, FigureReportTold
from auth.models import Account, StaffRight
from portal import db
from portal.db import session

RIGHT = "administration"


def reports(establishment_ids: Collection[UUID]) -> Sequence[tuple[FigureReport, int]]:
    """The latest first, each with how many agents were told of it. Without their figures."""
    told = (
        select(func.count())
        .where(FigureReportTold.report_id == FigureReport.id)
        .correlate(FigureReport)
        .scalar_subquery()
    )
    query = (
        select(FigureReport, told).join(FigureReport.establishment).options(contains_eager(FigureReport.establishment))
    )
    rows = session.execute(
        query.where(FigureReport.establishment_id.in_(establishment_ids))
        .order_by(FigureReport.month.desc(), FigureReport.establishment_id)
        .limit(240)
    )
    return [(report, int(number)) for report, number in rows]


def report(report_id: UUID, establishment_ids: Collection[UUID]) -> FigureReport | None:
    """One that the agent may read."""
    query = select(FigureReport).options(joinedload(FigureReport.establishment)).where(FigureReport.id == report_id)
    return session.scalar(query.where(FigureReport.establishment_id.in_(establishment_ids)))


def mine() -> frozenset[UUID]:
    """The hospitals of which the agent is told."""
    query = select(FigureReportReader.establishment_id).where(
        FigureReportReader.account_id == db.current_actor().account_id, FigureReportReader.stopped_at.is_(None)
    )
    return frozenset(session.scalars(query))


def untold(establishment_id: UUID, month: date) -> Sequence[Account]:
    """Who asked to be told, still administers the hospital, and was not told of this month; for the system."""
    told = (
        select(FigureReportTold.account_id)
        .join(FigureReport, FigureReport.id == FigureReportTold.report_id)
        .where(FigureReport.establishment_id == establishment_id, FigureReport.month == month)
    )
    query = (
        select(Account)
        .join(FigureReportReader, FigureReportReader.account_id == Account.id)
        .join(StaffRight, StaffRight.account_id == Account.id)
        .where(
            FigureReportReader.establishment_id == establishment_id,
            FigureReportReader.stopped_at.is_(None),
            StaffRight.establishment_id == establishment_id,
            StaffRight.right == RIGHT,
            Account.id.not_in(told),
        )
    )
    return session.scalars(query.order_by(Account.id)).unique().all()
