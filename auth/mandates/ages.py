"""Ages and last days: when a minor comes of age, and when the last day of a mandate is over."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

MAJORITY: Final = 18
"""C. civ. 388 and 414."""
MAY_SIGN_IN: Final = 16
"""When a parent is told that their child may sign in alone."""
MAY_MASK: Final = 15
"""When a minor with an account may keep something from their parents by themselves."""


def reaches(birth_on: date, years: int) -> date:
    """The civil day on which somebody becomes that many years old, from its midnight on.

    Born on a 29 February: 1 March in common years. A delay in years ends with the day of the same date, or without
    one with the last day of the month, at midnight (C. proc. civ. 641 and 642): 28 February at 24 h is 1 March.
    """
    try:
        return birth_on.replace(year=birth_on.year + years)
    except ValueError:
        return date(birth_on.year + years, 3, 1)


def majority_on(birth_on: date) -> date:
    """The day of majority: the 18th birthday, at 0 h."""
    return reaches(birth_on, MAJORITY)


def last_day_of_minority(birth_on: date) -> date:
    """The last day, included, on which a parent acts for their child."""
    return majority_on(birth_on) - timedelta(days=1)


def age_on(birth_on: date, day: date) -> int:
    """Completed years."""
    years = day.year - birth_on.year
    return years if reaches(birth_on, years) <= day else years - 1


def born_by(day: date, years: int) -> date:
    """The last birth date of those who are at least that old on that day."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def over_at(ends_on: date, zone: str) -> datetime:
    """The moment (UTC) when that last day is over where it was decided: the next midnight there."""
    return datetime.combine(ends_on + timedelta(days=1), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def today_in(zone: str, moment: datetime) -> date:
    """The civil day of a moment there."""
    return moment.astimezone(ZoneInfo(zone)).date()


def a_year_from(day: date) -> date:
    """The last day that a carer's mandate beginning that day may have."""
    return reaches(day, 1) - timedelta(days=1)
