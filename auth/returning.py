"""Who comes back: the first and the last civil day of each account, and the numbers made of them once and for all.

Pseudonyms change every month, so that what spans months is counted here, from two dates kept with the account.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from auth.models import Account
from portal import db, jobs, kpi
from portal.calendar import civil_day
from portal.db import session
from portal.kpi import GROUP_WIDE, GROUP_ZONE, Definition
from portal.kpi.models import KpiFrozenNumber

RETURNED: Final = "U6"
"""Frozen by day: accounts whose first visit was 90 days before, and those of them who had come back."""
YEARLY: Final = "U2a"
"""Frozen by day: accounts that came since the first of January."""
RETURN_DAYS: Final = 90
YEAR_BEGUN: Final = "year_visit_started"
"""The first visit of an account in a year: it has no other for a year, so that these may be summed."""

_AUDIENCES: Final = ("patient", "professional")
_CAUGHT_UP_DAYS: Final = 31
_DAY: Final = timedelta(days=1)


def remember(account: Account) -> None:
    """The account signs in: keep the day, once a day."""
    today = civil_day(db.now(), ZoneInfo(GROUP_ZONE))
    if account.last_visit_on == today:
        return
    if account.last_visit_on is None or account.last_visit_on.year < today.year:
        kpi.count(YEAR_BEGUN, audience=account.audience)
    account.first_visit_on = account.first_visit_on or today
    account.last_visit_on = today


@jobs.periodic("41 3 * * *", "auth.freeze_returns")
def freeze_now() -> None:
    """Late or repeated, it counts no day twice."""
    with jobs.reading():
        freeze(civil_day(db.now(), ZoneInfo(GROUP_ZONE)))


def freeze(today: date) -> list[date]:
    """Keep the numbers of every day that has ended and has none; returns those days."""
    days = list(_days(today))
    for day in days:
        for audience, (returned, first) in _returns(day - RETURN_DAYS * _DAY).items():
            kpi.freeze(RETURNED, day, audience, returned, first)
        year = kpi.side_by_side([(day.replace(month=1, day=1), day)], GROUP_WIDE, [], [YEAR_BEGUN])[0]
        for audience in _AUDIENCES:
            kpi.freeze(YEARLY, day, audience, kpi.counted(YEAR_BEGUN, year, audience=audience))
    return days


def definitions() -> Iterator[Definition]:
    """What spans months."""
    waits = _l("A count made at night in the period")
    yield Definition(
        YEARLY,
        _l("Users of the year"),
        _l("Distinct patients and professionals who signed in since the first of January, on the last day"),
        "",
        lambda period: kpi.last_frozen(YEARLY, period),
        missing=waits,
        portal=True,
        service="portal",
        better="up",
        of_people=True,
    )
    yield Definition(
        RETURNED,
        _l("Back within 90 days"),
        _l("Those of them who had signed in again, on another day, within 90 days"),
        _l("Patients and professionals whose first visit was 90 days before a day of the period"),
        lambda period: kpi.frozen(RETURNED, period),
        unit="rate",
        missing=waits,
        portal=True,
        service="portal",
        better="up",
        of_people=True,
    )


def _days(today: date) -> Iterator[date]:
    """From the last one that was done, a month back at the most."""
    done = session.scalar(select(func.max(KpiFrozenNumber.day)).where(KpiFrozenNumber.code == RETURNED))
    day = max(done + _DAY, today - _CAUGHT_UP_DAYS * _DAY) if done else today - _DAY
    while day < today:
        yield day
        day += _DAY


def _returns(first_on: date) -> dict[str, tuple[int, int]]:
    """Audience → (who came back, who came first) of those whose first visit was on this day."""
    query = (
        select(Account.audience, func.count().filter(Account.last_visit_on > Account.first_visit_on), func.count())
        .where(Account.first_visit_on == first_on)
        .group_by(Account.audience)
    )
    found = {audience: (returned, first) for audience, returned, first in session.execute(query)}
    return {audience: found.get(audience, (0, 0)) for audience in _AUDIENCES}
