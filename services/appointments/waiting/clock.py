"""How long an offer is kept, and never at night. Moments are UTC, nights are the hospital's wall clock."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

WAKES, SLEEPS = time(8), time(20)
LEAST_TO_ANSWER = timedelta(minutes=30)
MOST_TO_ANSWER = timedelta(hours=4)
_DELAYS = (
    (timedelta(days=7), MOST_TO_ANSWER),
    (timedelta(days=2), timedelta(hours=2)),
    (timedelta(days=1), timedelta(hours=1)),
)
"""The nearer the visit, the less time to answer: the next in line needs some too."""


def is_quiet(at: datetime, tz: ZoneInfo) -> bool:
    """Whether people sleep: nothing is offered then."""
    return not WAKES <= at.astimezone(tz).time() < SLEEPS


def wakes_at(at: datetime, tz: ZoneInfo) -> datetime:
    """This moment, or the next morning when people sleep."""
    if not is_quiet(at, tz):
        return at
    local = at.astimezone(tz)
    day = local.date() if local.time() < WAKES else local.date() + timedelta(days=1)
    return calendar.to_utc_or_after(day, WAKES, tz)


def answer_by(now: datetime, start_at: datetime, notice: timedelta, tz: ZoneInfo) -> datetime | None:
    """Until when a time that begins then is kept for whoever is offered it now, counting waking hours only.

    None when there is too little time left to answer before the notice the patient needs.
    """
    left = start_at - now
    delay = next((given for beyond, given in _DELAYS if left > beyond), LEAST_TO_ANSWER)
    until = min(_awake(now, delay, tz), start_at - notice)
    return until if until >= _awake(now, LEAST_TO_ANSWER, tz) else None


def _awake(since: datetime, delay: timedelta, tz: ZoneInfo) -> datetime:
    """When that much waking time has gone by."""
    begins = wakes_at(since, tz)
    while True:
        ends = calendar.to_utc_or_after(begins.astimezone(tz).date(), SLEEPS, tz)
        if begins + delay <= ends:
            return begins + delay
        delay -= ends - begins
        begins = wakes_at(ends, tz)
