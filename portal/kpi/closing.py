"""Closing months: 35 days after its end a month's figures are final, its pseudonyms are destroyed, and numbers stay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from portal import db, establishments, jobs
from portal.db import session
from portal.kpi import keys
from portal.kpi.catalogue import Definition, definitions
from portal.kpi.models import GROUP_WIDE, GROUP_ZONE, KpiClosedFigure, KpiClosedMonth, KpiDay
from portal.kpi.reading import Period, place_by_place, side_by_side
from portal.kpi.rolling import roll_up
from portal.kpi.stored import version_of

log = structlog.get_logger(__name__)

DAYS_OF_MONTH = (
    "select count(*) as rows, sha256(convert_to(coalesce(string_agg(concat_ws(';', day, event, establishment_id,"
    " channel, audience, dimension, events, quantity), E'\\n' order by day, event collate \"C\", establishment_id,"
    ' channel collate "C", audience collate "C", dimension collate "C"), \'\'), \'UTF8\')) as digest'
    " from kpi_day where day >= :month and day < :next"
)
"""How many rows a month has, and the SHA-256 of them: one a line, in the order of their key."""


@jobs.periodic("23 4 * * *", "kpi.close_months")
def close_months_now() -> None:
    """Close what is due; late or repeated, it closes nothing twice."""
    close_months(db.now().astimezone(ZoneInfo(GROUP_ZONE)).date())


def close_months(today: date) -> list[date]:
    """Close every month that ended 35 days ago or more, oldest first, each in a transaction; returns them."""
    first_open = keys.first_open_month(today)
    with db.transaction(db.system("kpi.close_months")):
        roll_up()
        due = list(_due(first_open))
    for month in due:
        with db.transaction(db.system("kpi.close_months")):
            close(month)
    with db.transaction(db.system("kpi.close_months")):
        forget_people(first_open)
    return due


def _due(first_open: date) -> Iterator[date]:
    """From the first month that has figures, those between that have none included."""
    first: date | None = session.scalar(select(func.min(KpiDay.day)))
    closed = set(session.scalars(select(KpiClosedMonth.month)))
    month = first.replace(day=1) if first else first_open
    while month < first_open:
        if month not in closed:
            yield month
        month = keys.next_month(month)


def close(month: date) -> None:
    """Make the figures of a month final: whatever comes after is told as late, and changes nothing of it."""
    session.execute(text("set local statement_timeout = 0"))
    roll_up()  # which lets nobody else roll up until the end of this transaction
    if session.get(KpiClosedMonth, month) is not None:
        return
    figures = list(_figures(month))
    if figures:
        session.execute(insert(KpiClosedFigure).inline(), figures)
    found = session.execute(text(DAYS_OF_MONTH), {"month": month, "next": keys.next_month(month)}).one()
    session.add(KpiClosedMonth(month=month, rows=found.rows, digest=bytes(found.digest)))
    session.flush()
    forget_people(keys.next_month(month))


def forget_people(first_kept: date) -> None:
    """Of the months before this one: destroy the keys, the pseudonyms of events, and those that were counted."""
    session.execute(text("set local statement_timeout = 0"))
    keys.destroy_before(first_kept)
    session.execute(text("delete from kpi_month_unique where month < :kept"), {"kept": first_kept})
    session.execute(text("select kpi_blank_pseudonyms(:before)"), {"before": keys.began_at(first_kept)})


def _figures(month: date) -> Iterator[dict[str, Any]]:
    """What each definition gives for the month: at each hospital, and for the group."""
    span = month, keys.next_month(month) - timedelta(days=1)
    places = [each.id for each in establishments.establishments()]
    apart = {place: periods[0] for place, periods in place_by_place([span], places).items()}
    together = side_by_side([span], None, places)[0]
    for each in definitions():
        periods = {GROUP_WIDE: together} | ({} if each.portal else apart)
        yield from _figures_of(each, month, periods)


def _figures_of(each: Definition, month: date, periods: dict[Any, Period]) -> list[dict[str, Any]]:
    """One that cannot be computed does not keep the others from being final."""
    try:
        with session.begin_nested():
            computed = {place: each.compute(period) for place, period in periods.items()}
    except Exception as error:  # whatever its room raised
        log.error("kpi.figure_failed", code=each.code, month=str(month), error=type(error).__name__)
        return []
    known = {"month": month, "code": each.code, "version": version_of(each.code), "portal": each.portal}
    return [
        known
        | {"establishment_id": place, "numerator": figure.numerator if figure.fed else None,
           "denominator": figure.denominator if figure.fed else None}
        for place, figure in computed.items()
    ]  # fmt: skip


@dataclass(frozen=True)
class ClosedFigure:
    """What a definition gave for a closed month, in the version of that time. numerator: None when not fed."""

    month: date
    version: int
    numerator: int | None
    denominator: int | None


def closed_figures(code: str, period: Period) -> dict[date, ClosedFigure]:
    """Month → the figure as it was closed, for the closed months that are whole in the period; one statement.

    Of the whole group: for the system, and for figures that are of the portal.
    """
    place = period.establishment_id or GROUP_WIDE
    rows = session.execute(
        select(
            KpiClosedFigure.month, KpiClosedFigure.version, KpiClosedFigure.numerator, KpiClosedFigure.denominator
        ).where(
            KpiClosedFigure.code == code,
            KpiClosedFigure.establishment_id == place,
            KpiClosedFigure.month.between(period.first, period.last),
        )
    )
    return {
        row.month: ClosedFigure(*row) for row in rows if keys.next_month(row.month) - timedelta(days=1) <= period.last
    }
