"""Each month, from its first business day on: the figures of the month before, by the clock of each hospital."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

from auth.figure_reports import actions, queries
from portal import calendar, db, jobs
from portal.establishments import Establishment, establishments

_BEGINS, _ENDS = time(7, 0), time(19, 0)


@jobs.periodic("11 * * * *", "figure_reports.tell")
def tell() -> None:
    """Late or repeated, it makes nothing and tells nobody twice."""
    with jobs.reading():
        for each in establishments():
            month = month_to_tell(db.now(), each)
            if month is not None and queries.untold(each.id, month):
                jobs.enqueue("figure_reports.tell_month", establishment_id=str(each.id), month=month.isoformat())


@jobs.task("figure_reports.tell_month")
def tell_month(establishment_id: str, month: str) -> None:
    """Make the report of one hospital unless it is made, and tell those who were not told."""
    with jobs.effect() as session:
        hospital = session.get(Establishment, UUID(establishment_id))
        if hospital is None:
            return
        report = actions.make(hospital, date.fromisoformat(month))
        for account in queries.untold(hospital.id, report.month):
            actions.tell(report, hospital, account)


def month_to_tell(now: datetime, hospital: Establishment) -> date | None:
    """The first day of the month that is told at this moment: in working hours of a business day."""
    local = now.astimezone(hospital.tz)
    today = local.date()
    if not (_BEGINS <= local.time() < _ENDS and calendar.is_business_day(today, hospital.holiday_rules)):
        return None
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
