"""When somebody is reminded of an appointment. Pure rules on days of the hospital's calendar.

Booked more than a week ahead: by mail a week before and the day before, by text two days before. Within the week: by
mail and text the day before. After 13:00 for the same day or the next: a text, ten minutes later. Each hospital and
each reason may say otherwise. A reminder is for its day: late, it is not sent any more.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from portal import calendar

MAIL, TEXT = "mail", "text"
CHANNELS: Final = (MAIL, TEXT)
FURTHEST_DAYS: Final = 30
_NEAR_DAYS: Final = 7
_LATE_HOUR: Final = 13
_SOON: Final = timedelta(minutes=10)
_STALE: Final = timedelta(hours=3)


@dataclass(frozen=True)
class Policy:
    """mail_days, text_days: so many days before, for what was booked more than a week ahead. near_mail, near_text: the
    day before, for what was booked later. late_text: at once, for what was booked at the last moment."""

    is_on: bool = True
    mail_days: Sequence[int] = (7, 1)
    text_days: Sequence[int] = (2,)
    near_mail: bool = True
    near_text: bool = True
    late_text: bool = True


@dataclass(frozen=True)
class Hours:
    """Hours of the hospital's clock: when reminders leave, and when nothing does (quiet_from 20, quiet_until 8)."""

    send_at: int = 15
    quiet_from: int = 20
    quiet_until: int = 8

    def allow(self, now: datetime, tz: ZoneInfo) -> bool:
        """Whether a message may leave now."""
        return not calendar.is_quiet(now, tz, self.quiet_from, self.quiet_until)


@dataclass(frozen=True)
class Step:
    """One message to send from `at` on, and not from `until` on."""

    channel: str
    at: datetime
    until: datetime


def steps(policy: Policy, hours: Hours, since: datetime, start_at: datetime, tz: ZoneInfo) -> list[Step]:
    """Every reminder of an appointment that begins at `start_at`, which has been known `since` then."""
    if not policy.is_on:
        return []
    on, known_on = calendar.civil_day(start_at, tz), calendar.civil_day(since, tz)
    ahead = (on - known_on).days
    if ahead <= 1 and (ahead < 1 or since.astimezone(tz).hour >= _LATE_HOUR):
        is_late = since.astimezone(tz).hour >= _LATE_HOUR
        found = [_at_once(hours, since, start_at, tz)] if is_late and policy.late_text else []
    else:
        found = [
            _that_day(channel, hours, on - timedelta(days=days), since, start_at, tz)
            for channel, days in _days(policy, ahead)
        ]
    return sorted((step for step in found if step is not None and step.at < step.until), key=lambda step: step.at)


def due(found: Collection[Step], channel: str, now: datetime, tz: ZoneInfo) -> bool:
    """Whether one of these is for today and not too late: whoever is written to today is told of the whole day."""
    day = calendar.civil_day(now, tz)
    return any(
        step.channel == channel and now < step.until and calendar.civil_day(step.at, tz) == day for step in found
    )


def _days(policy: Policy, ahead: int) -> Iterator[tuple[str, int]]:
    if ahead <= _NEAR_DAYS:
        yield from ((MAIL, 1),) if policy.near_mail else ()
        yield from ((TEXT, 1),) if policy.near_text else ()
        return
    for channel, listed in ((MAIL, policy.mail_days), (TEXT, policy.text_days)):
        # The day it was booked, the confirmation is enough.
        yield from ((channel, days) for days in sorted(set(listed)) if 0 < days < ahead)


def _that_day(channel: str, hours: Hours, day: date, since: datetime, start_at: datetime, tz: ZoneInfo) -> Step | None:
    at, until = _moment(day, hours.send_at, tz), _moment(day, hours.quiet_from, tz)
    return Step(channel, max(at, since + _SOON), min(until, start_at))


def _at_once(hours: Hours, since: datetime, start_at: datetime, tz: ZoneInfo) -> Step | None:
    """As soon as the night is over, when it was booked at night."""
    at = after_the_night(hours, since + _SOON, tz)
    quiet = _moment(calendar.civil_day(at, tz), hours.quiet_from, tz)
    return Step(TEXT, at, min(quiet, start_at, at + _STALE))


def after_the_night(hours: Hours, moment: datetime, tz: ZoneInfo) -> datetime:
    """The moment itself, or when the night it falls in is over."""
    return calendar.after_quiet(moment, tz, hours.quiet_from, hours.quiet_until)


def _moment(day: date, hour: int, tz: ZoneInfo) -> datetime:
    """The wall clock's hour; the hours that a clock change skips are at night, when nothing is sent."""
    found = calendar.to_utc(day, time(hour), tz)
    return found or datetime.combine(day, time(hour), tz)
