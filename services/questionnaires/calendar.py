"""On which day a plan sends, until when one may answer, when to remind. Days are the hospital's; moments UTC. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar

SEND_FROM = time(8)
REMIND_FROM = time(9)
"""Of the hospital's clock: nobody is woken by a message."""
GRACE = timedelta(minutes=15)
"""Whoever had the last page open when the time was over may still send it."""


def send_on(day: date, offset_days: int) -> date:
    return day + timedelta(days=offset_days)


def days_to_look_at(today: date, offset_days: int, answer_days: int) -> tuple[date, date]:
    """The first and last day of what is to be asked about today: a day missed (no worker) is made up for while one
    may still answer."""
    last = today - timedelta(days=offset_days)
    return last - timedelta(days=answer_days - 1), last


def until(sent_on: date, answer_days: int, tz: ZoneInfo) -> datetime:
    """The midnight that ends the last day on which one may answer."""
    return calendar.to_utc_or_after(sent_on + timedelta(days=answer_days), time(), tz)


def is_time_to_send(now: datetime, tz: ZoneInfo) -> bool:
    return now.astimezone(tz).time() >= SEND_FROM


def is_time_to_remind(
    now: datetime, tz: ZoneInfo, sent_at: datetime, remind_after: Sequence[int], already: int
) -> bool:
    """Whether the next reminder is due. already: how many were sent."""
    here = now.astimezone(tz)
    if already >= len(remind_after) or here.time() < REMIND_FROM:
        return False
    sent_on = calendar.civil_day(sent_at, tz)
    return here.date() >= sent_on + timedelta(days=sorted(remind_after)[already])
