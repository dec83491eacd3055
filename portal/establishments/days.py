"""What day it is at a hospital, reckoned by the database: conditions for statements.

The civil day changes at midnight on the clock of the hospital, when UTC is still, or already, at another day. Where the
hospital is at hand, `calendar.civil_day(db.now(), hospital.tz)` says the same.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Date, DateTime, bindparam, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal import db
from portal.establishments.models import Establishment

Zone = ColumnElement[str] | InstrumentedAttribute[str]
Day = ColumnElement[date] | date


def today_in(zone: Zone) -> ColumnElement[date]:
    """The civil day in a time zone (a column of IANA names) when the statement is run, be it written once for all."""
    moment = bindparam("now", callable_=lambda: db.now(), type_=DateTime(timezone=True), unique=True)
    return cast(func.timezone(zone, moment), Date)


def today_at(establishment_id: ColumnElement[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[date]:
    """The civil day at the hospital of a row, for statements without a join of `Establishment`; those that have one say
    `today_in(Establishment.time_zone)`."""
    there = aliased(Establishment)
    found = select(today_in(there.time_zone)).where(there.id == establishment_id)
    return found.correlate_except(there).scalar_subquery()


def goes_on(last_on: ColumnElement[date | None] | InstrumentedAttribute[date | None], day: Day) -> ColumnElement[bool]:
    """Whether what has that last day, or none, is not over on that day."""
    return last_on.is_(None) | (last_on >= day)
