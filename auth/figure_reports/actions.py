"""Asking for the figures of each month, stopping; making the report of a month, telling it."""

from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from auth.figure_reports import contents, mails
from auth.figure_reports.models import FigureReport, FigureReportReader, FigureReportTold
from auth.models import Account
from portal import audit, db, notifications
from portal.db import session
from portal.establishments import Establishment


def ask(establishment_id: UUID) -> None:
    """Tell the agent each month; nothing changes for somebody who is told already."""
    row = insert(FigureReportReader).values(
        id=uuid4(), account_id=_account(), establishment_id=establishment_id, asked_at=db.now()
    )
    if session.scalar(row.on_conflict_do_nothing().returning(FigureReportReader.id)) is not None:
        audit.record("figure_report.asked", establishment_id=establishment_id)


def stop(establishment_id: UUID) -> None:
    """Tell the agent no more."""
    query = select(FigureReportReader).where(
        FigureReportReader.account_id == _account(),
        FigureReportReader.establishment_id == establishment_id,
        FigureReportReader.stopped_at.is_(None),
    )
    if (reader := session.scalar(query)) is not None:
        reader.stopped_at = db.now()
        session.flush()
        audit.record("figure_report.stopped", establishment_id=establishment_id)


def make(establishment: Establishment, month: date) -> FigureReport:
    """The report of a month, made the first time it is asked for and the same ever after. month: its first day."""
    query = select(FigureReport).where(FigureReport.establishment_id == establishment.id, FigureReport.month == month)
    if (found := session.scalar(query)) is not None:
        return found
    written = contents.content(establishment.id, month)
    report = FigureReport(
        id=uuid4(), establishment_id=establishment.id, month=month, content=written, digest=contents.digest(written)
    )
    session.add(report)
    session.flush()
    audit.record(
        "figure_report.made", establishment_id=establishment.id, object_kind="figure_report", object_id=report.id
    )
    return report


def tell(report: FigureReport, establishment: Establishment, account: Account) -> bool:
    """Tell an agent that it is ready; once, whatever happens: False when it was done."""
    row = insert(FigureReportTold).values(
        report_id=report.id, account_id=account.id, establishment_id=establishment.id, told_at=db.now()
    )
    if session.scalar(row.on_conflict_do_nothing().returning(FigureReportTold.account_id)) is None:
        return False
    audit.record(
        "figure_report.told", establishment_id=establishment.id, object_kind="figure_report", object_id=report.id
    )
    mail = mails.ready(report.id, report.month, establishment.name)
    notifications.tell(mail, recipient=account.email, account_id=account.id, locale=account.locale)
    return True


def _account() -> UUID:
    account_id = db.current_actor().account_id
    assert account_id is not None, "reports are read by signed-in agents"
    return account_id
