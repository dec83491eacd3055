"""Raw events lie by month of UTC, a table each: a month whose time is over is thrown away, not deleted row by row.

Months are made ahead. An event that no month takes (an import of the past, a job that did not run) lies among the
others, `kpi_event_others`, and is counted like any. `forgetting` empties a month; what is empty then goes. The
functions of the database (migration 0083) hold all this to be true whoever calls them: the application owns no table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import psycopg
import structlog
from sqlalchemy import TextClause, text
from sqlalchemy.exc import OperationalError

from portal import db, jobs
from portal.db import session
from portal.kpi import keys
from portal.kpi.models import GROUP_ZONE

log = structlog.get_logger(__name__)

AHEAD: Final = 3
"""Months that are ready after the present one."""
_MOST: Final = 36
"""Made in one night: a clock that is years ahead makes no thousand tables."""


@dataclass(frozen=True)
class Kept:
    """made: months that got a table. moved: events that lay among the others. dropped: tables that held nothing any
    more."""

    made: tuple[date, ...]
    moved: int
    dropped: tuple[str, ...]


@jobs.periodic("53 2 * * *", "kpi.keep_months")
def keep_months_now() -> None:
    """After the retention of the night. Late or repeated, it does nothing twice."""
    keep_months(db.now())


def keep_months(now: datetime) -> Kept:
    """Make the months that are missing, and throw away those that hold nothing any more.

    Each in a transaction of its own, which waits for its lock two seconds at most: those who write come first, and
    the rest is for the next night.
    """
    numbers = {month: _try(_MAKE, month=month) for month in _missing(now)}
    dropped = tuple(part for part in _read(_OVER) if _try(_DROP, part=part, zone=GROUP_ZONE))
    made = {month: number for month, number in numbers.items() if number is not None}
    kept = Kept(tuple(made), sum(made.values()), dropped)
    log.info("kpi.months_kept", made=len(kept.made), moved=kept.moved, dropped=len(kept.dropped))
    return kept


def _missing(now: datetime) -> Iterator[date]:
    """Those that must be ready, and what no table takes before them, in the order of time. Some may be there."""
    (until,) = _read(_UNTIL)
    today = now.astimezone(UTC).date().replace(day=1)
    month, last = min(today, until.astimezone(UTC).date().replace(day=1)), today
    for _each in range(AHEAD):
        last = keys.next_month(last)
    for _each in range(_MOST):
        if month > last:
            return
        yield month
        month = keys.next_month(month)


def _read(query: TextClause) -> Sequence[Any]:
    with db.transaction(db.system("kpi.keep_months")):
        return session.scalars(query).all()


def _try(query: TextClause, **values: object) -> int | None:
    """What the function says; None when there was nothing to do, or somebody held the table."""
    try:
        with db.transaction(db.system("kpi.keep_months")):
            session.execute(text("set local statement_timeout = 0"))
            found: int | None = session.scalar(query, values)
            return found
    except OperationalError as error:
        if not isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise
        log.warning("kpi.month_busy", **{name: str(value) for name, value in values.items()})
        return None


_MAKE: Final = text("select kpi_make_month(:month)")
_DROP: Final = text("select kpi_drop_part(:part, :zone)")
_UNTIL: Final = text("select coalesce(max(next), now()) from kpi_parts()")
_OVER: Final = text(
    "select p.part from kpi_parts() p where exists (select from kpi_closed_month c where c.forgotten_at is not null"
    " and (c.month + interval '1 month') at time zone 'UTC' >= p.next) order by p.first"
)
