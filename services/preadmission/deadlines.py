"""When a file may be prepared, is best sent, is late, and is reminded of: pure, on the hospital's own calendar.

Working days are those of the hospital's public holidays (Alsace-Moselle and overseas included); the cut-off is an hour
of its wall clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from portal import calendar
from services.preadmission.kinds import StayCalendar

MOST_DAYS: Final = 365
_FIELDS: Final = ("opens", "recommended", "cut_off", "cut_off_at", "reminders", "to_complete")


@dataclass(frozen=True)
class Deadlines:
    """The days of one stay. opens_on: None when it may be prepared at any time before. cut_off_at: UTC; a file sent
    at this very moment is in time, after it is late. remind_on: the days when an unsent file is reminded of, in order.
    """

    opens_on: date | None
    recommended_on: date
    cut_off_at: datetime
    remind_on: tuple[date, ...]

    def is_late(self, moment: datetime) -> bool:
        return moment > self.cut_off_at

    def is_open_on(self, day: date) -> bool:
        return self.opens_on is None or day >= self.opens_on


def overridden(usual: StayCalendar, *changes: Mapping[str, Any]) -> StayCalendar:
    """The calendar of a kind of stay, as the hospital then the unit change it; None leaves a value as it is."""
    for change in changes:
        told = {name: value for name, value in change.items() if name in _FIELDS and value is not None}
        usual = replace(usual, **told)
    return usual


def deadlines(calendar_: StayCalendar, planned_on: date, tz: ZoneInfo, holidays: str = "metropole") -> Deadlines:
    """The days of a stay planned on this day. holidays: one of `portal.calendar.HOLIDAY_RULES`."""
    opens_on = None if calendar_.opens is None else planned_on - timedelta(days=calendar_.opens)
    recommended = working_days_before(planned_on, calendar_.recommended, holidays)
    last_day = working_days_before(planned_on, calendar_.cut_off, holidays)
    return Deadlines(
        opens_on,
        recommended,
        _moment(last_day, calendar_.cut_off_at, tz),
        tuple(sorted({planned_on - timedelta(days=days) for days in calendar_.reminders})),
    )


def working_days_before(day: date, count: int, holidays: str = "metropole") -> date:
    """The `count`-th working day before `day`; the day itself for 0."""
    while count > 0:
        day -= timedelta(days=1)
        if calendar.is_business_day(day, holidays):
            count -= 1
    return day


def working_days_between(first: date, last: date, holidays: str = "metropole") -> int:
    """How many working days after `first` up to `last`, included: 0 on the same day."""
    return sum(
        calendar.is_business_day(first + timedelta(days=ahead), holidays) for ahead in range(1, (last - first).days + 1)
    )


def complete_by(calendar_: StayCalendar, asked_on: date, planned_on: date) -> date:
    """Until when what is missing may be sent: not after the eve of the stay, and never before the day it is asked."""
    return max(asked_on, min(asked_on + calendar_.to_complete, planned_on - timedelta(days=1)))


def _moment(day: date, at: time, tz: ZoneInfo) -> datetime:
    return calendar.to_utc_or_after(day, at, tz)
