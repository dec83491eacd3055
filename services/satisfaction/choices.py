"""What each hospital chooses: whether people are asked, and how soon comments are read."""

from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from portal import calendar, db, establishments
from portal.establishments import Establishment

ASKED: Final = "satisfaction_asked"
"""`no`: this hospital asks nobody what they think."""
SCREENING_DAYS: Final = "satisfaction_screening_days"
DEFAULT_DAYS: Final = 7
LONGEST_DAYS: Final = 30


class BadSetting(ValueError):
    """A value that would not be obeyed."""


def check_setting(key: str, value: str) -> bool:
    """Raises BadSetting; none of them is a secret."""
    if key == ASKED and value not in ("", "yes", "no"):
        raise BadSetting(f"{key}: yes or no")
    if key == SCREENING_DAYS and value and not _is_a_number_of_days(value):
        raise BadSetting(f"{key}: from 1 to {LONGEST_DAYS} days")
    return False


def _is_a_number_of_days(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) < 4 and 1 <= int(value) <= LONGEST_DAYS


def today(place: Establishment) -> date:
    """The hospital's civil day."""
    return calendar.civil_day(db.now(), place.tz)


def began_at(place: Establishment) -> datetime:
    """When the hospital's civil day began: all that is kept of the moment of an answer."""
    return calendar.to_utc_or_after(today(place), time(), place.tz)


def due_on(place: Establishment) -> date:
    """The day by which a comment that comes now is read."""
    return today(place) + timedelta(days=_days(place.id))


def _days(establishment_id: UUID) -> int:
    chosen = establishments.setting(establishment_id, SCREENING_DAYS)
    return int(chosen) if chosen and _is_a_number_of_days(chosen) else DEFAULT_DAYS
