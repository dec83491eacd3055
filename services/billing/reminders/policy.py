"""When somebody is reminded of a bill. Pure rules on days of the hospital's calendar.

Unless the hospital says otherwise: a week before the day by which to pay, then 10 and 30 days after. A reminder is for
its day: late, it is not sent any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FURTHEST_DAYS: Final = 90
WITHOUT_A_DAY: Final = timedelta(days=30)
"""A bill that names no day by which to pay is taken to be due so long after it was sent."""


@dataclass(frozen=True)
class Rules:
    """before_days, after_days: so many days before and after the day by which to pay. send_at, quiet_from,
    quiet_until: hours of the hospital's clock; nothing leaves in the night, nor before `send_at`."""

    is_on: bool = True
    before_days: Collection[int] = (7,)
    after_days: Collection[int] = (10, 30)
    send_at: int = 10
    quiet_from: int = 20
    quiet_until: int = 8

    def allow(self, now: datetime, tz: ZoneInfo) -> bool:
        """Whether a message may leave now."""
        return self.is_on and max(self.send_at, self.quiet_until) <= now.astimezone(tz).hour < self.quiet_from

    def due_terms(self, day: date) -> Sequence[date]:
        """The days by which to pay of the bills that are reminded of on this day."""
        after = (day - timedelta(days=days) for days in self.after_days)
        return sorted({*(day + timedelta(days=days) for days in self.before_days), *after})


def term_of(due_on: date | None, issued_on: date) -> date:
    """The day by which a bill is to be paid."""
    return due_on or issued_on + WITHOUT_A_DAY
