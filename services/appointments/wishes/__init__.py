"""When somebody can come: between which days, on which days of the week, in the morning or in the afternoon.

Days and hours are the hospital's wall clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

NOON = 12
HALVES = ("", "morning", "afternoon")
"""Half of the day; "" is either."""
WEEKDAYS = range(7)
"""0 is Monday."""


def weekdays_mask(weekdays: Iterable[int]) -> int:
    """Days of the week as bits, Monday the lowest; 0 when none is preferred."""
    return sum(1 << day for day in set(weekdays))


def weekdays_of(mask: int) -> frozenset[int]:
    return frozenset(day for day in WEEKDAYS if mask >> day & 1)


@dataclass(frozen=True)
class Wishes:
    """spans: (first day, last day), any of them; none: whenever. weekdays: none: any. half: one of HALVES."""

    spans: Sequence[tuple[date, date]] = ()
    weekdays: Collection[int] = ()
    half: str = ""

    def suit(self, at: datetime, tz: tzinfo) -> bool:
        """Whether a visit that begins then is what they asked for."""
        local = at.astimezone(tz)
        return (
            (not self.spans or any(first <= local.date() <= last for first, last in self.spans))
            and (not self.weekdays or local.weekday() in self.weekdays)
            and (not self.half or (local.hour < NOON) == (self.half == "morning"))
        )

    @property
    def first_day(self) -> date | None:
        return min((first for first, _last in self.spans), default=None)

    @property
    def last_day(self) -> date | None:
        return max((last for _first, last in self.spans), default=None)
