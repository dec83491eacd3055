"""When a news is told. Pure rules on the wall clock of the person.

At once: within ten minutes of the former message, news wait for each other. Hourly: at the end of the hour. Once a day:
at the hour that the person chose. Neither in their quiet hours, nor on days off unless they want to be told then. What
is urgent waits for nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from auth.news.kinds import AT_ONCE, DAILY, HOURLY, NEVER
from portal import calendar

_GROUP: Final = timedelta(minutes=10)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """Hours of the person's clock, 0 to 24. weekends: whether they are told on Saturdays, Sundays and holidays.
    holidays: whose (`calendar.HOLIDAY_RULES`)."""

    tz: ZoneInfo
    quiet_from: int = 20
    quiet_until: int = 7
    daily_at: int = 12
    weekends: bool = False
    holidays: str = "metropole"

    def works_on(self, day: date) -> bool:
        """Whether they are told that day."""
        return self.weekends or calendar.is_business_day(day, self.holidays)

    def allow(self, moment: datetime) -> bool:
        """Whether a message may leave at this moment."""
        return self.next_allowed(moment) == moment

    def next_allowed(self, moment: datetime) -> datetime:
        """The moment itself, or the first one after it when a message may leave."""
        while True:
            day = calendar.civil_day(moment, self.tz)
            if not self.works_on(day):
                moment = calendar.to_utc_or_after(day + _DAY, time(0), self.tz)
            elif calendar.is_quiet(moment, self.tz, self.quiet_from, self.quiet_until):
                moment = calendar.after_quiet(moment, self.tz, self.quiet_from, self.quiet_until)
            else:
                return moment


def due_at(
    rhythm: str, hours: Hours, created_at: datetime, last_at: datetime | None = None, *, urgent: bool = False
) -> datetime | None:
    """When a news of `created_at` is told; None: never. last_at: when the former message was made."""
    if rhythm == NEVER:
        return None
    if urgent:
        return created_at
    return hours.next_allowed(_wanted(rhythm, hours, created_at, last_at))


def _wanted(rhythm: str, hours: Hours, created_at: datetime, last_at: datetime | None) -> datetime:
    if rhythm == AT_ONCE:
        return max(created_at, last_at + _GROUP) if last_at else created_at
    if rhythm == HOURLY:
        return created_at.replace(minute=0, second=0, microsecond=0) + _HOUR
    assert rhythm == DAILY, rhythm
    for day in calendar.days_from(calendar.civil_day(created_at, hours.tz)):
        then = calendar.to_utc_or_after(day, time(hours.daily_at), hours.tz)
        if then > created_at and hours.works_on(day):
            return then
    raise AssertionError("the calendar never ends")
