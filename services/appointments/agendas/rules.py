"""When a weekly template opens, as pure arithmetic on days, wall clocks and bits."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal import calendar
from services.appointments import slots

DAY = timedelta(days=1)
CHANNELS = ("all", "part", "none")
SCHOOL = ("any", "outside", "only")
ZONES = ("A", "B", "C", "corse", "guadeloupe", "guyane", "martinique", "mayotte", "reunion")

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Rule:
    """Times are the hospital's wall clock; `closes` may be the next day's.

    every_weeks: counted from the week of first_on. nth: the first, second… such weekday of the month, -1 the last;
    then every_weeks is not looked at. online, city: which part those channels may take (all, none, or the part
    between two times) until release_days before, when all that is left goes to everybody.
    """

    weekday: int
    opens: time
    closes: time
    first_on: date
    last_on: date | None = None
    step_min: int = 15
    capacity: int = 1
    every_weeks: int = 1
    nth: int | None = None
    on_public_holidays: bool = False
    school_holidays: str = "any"
    online: str = "all"
    online_from: time | None = None
    online_until: time | None = None
    city: str = "all"
    city_from: time | None = None
    city_until: time | None = None
    release_days: int | None = None


@dataclass(frozen=True)
class OneDay:
    """A day that does not follow the rule: closed, or open, at other hours if any."""

    is_open: bool
    opens: time | None = None
    closes: time | None = None


@dataclass(frozen=True)
class Place:
    """What a hospital's calendar tells: its clock, its public holidays, its school holidays (days both included)."""

    tz: ZoneInfo
    holidays: str = "metropole"
    school: Sequence[tuple[date, date]] = ()

    def is_public_holiday(self, day: date) -> bool:
        return day in calendar.public_holidays(day.year, self.holidays)

    def is_school_holiday(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.school)


def opens_on(rule: Rule, day: date, place: Place) -> bool:
    """Whether the rule, left to itself, opens on that day."""
    return (
        day.weekday() == rule.weekday
        and rule.first_on <= day
        and (rule.last_on is None or day <= rule.last_on)
        and _is_its_week(rule, day)
        and (rule.on_public_holidays or not place.is_public_holiday(day))
        and (rule.school_holidays == "any" or place.is_school_holiday(day) == (rule.school_holidays == "only"))
    )


def _is_its_week(rule: Rule, day: date) -> bool:
    if rule.nth is None:
        monday, first = (each - DAY * each.weekday() for each in (day, rule.first_on))
        return (monday - first).days // 7 % rule.every_weeks == 0
    if rule.nth == -1:
        return (day + 7 * DAY).month != day.month
    return (day.day - 1) // 7 + 1 == rule.nth


def days(rule: Rule, since: date, until: date, place: Place, one_days: Mapping[date, OneDay]) -> Iterator[date]:
    """Days on which it opens, from one to the other, both included."""
    regular = since + DAY * ((rule.weekday - since.weekday()) % 7)
    count = (until - regular).days // 7 + 1
    wanted = {regular + DAY * (7 * week) for week in range(max(0, count))} | {
        day for day in one_days if since <= day <= until
    }
    for day in sorted(wanted):
        given = one_days.get(day)
        if given.is_open if given else opens_on(rule, day, place):
            yield day


def span(rule: Rule, day: date, tz: ZoneInfo, given: OneDay | None = None) -> Span:
    """From when until when it is open on a day; a time that the clock skips becomes the moment it jumps."""
    opens = given.opens if given and given.opens is not None else rule.opens
    closes = given.closes if given and given.closes is not None else rule.closes
    last_day = day if closes > opens else day + DAY
    return calendar.to_utc_or_after(day, opens, tz), calendar.to_utc_or_after(last_day, closes, tz)


def minutes(opens: time, closes: time) -> int:
    """How long it is on the wall; until the next day when it closes before it opens."""
    return ((closes.hour * 60 + closes.minute) - (opens.hour * 60 + opens.minute) - 1) % 1440 + 1


def pieces(whole: Span, step_min: int, kept: Collection[Span]) -> list[tuple[datetime, int]]:
    """What remains to open beside the sessions that are kept: when each begins and how many cells it has.

    A night of sixteen hours holds more cells than a session: it is cut. What is shorter than a cell is left out.
    """
    step, found = timedelta(minutes=step_min), []
    begins, ends = whole
    for kept_from, kept_until in sorted(kept):
        found += _cut(begins, min(kept_from, ends), step)
        begins = max(begins, kept_until)
    return found + _cut(begins, ends, step)


def _cut(begins: datetime, ends: datetime, step: timedelta) -> list[tuple[datetime, int]]:
    count = max(timedelta(), ends - begins) // step
    return [(begins + step * done, min(slots.MAX_CELLS, count - done)) for done in range(0, count, slots.MAX_CELLS)]


def within(start_at: datetime, step_min: int, n_cells: int, part: Span) -> int:
    """Bits of the cells that lie wholly in a part of time."""
    step = timedelta(minutes=step_min)
    first = max(0, -((start_at - part[0]) // step))
    last = min(n_cells, (part[1] - start_at) // step)
    return slots.mask(first, last - first) if last > first else 0


def meeting(start_at: datetime, step_min: int, n_cells: int, parts: Collection[Span]) -> int:
    """Bits of the cells that one of these parts of time touches."""
    step, found = timedelta(minutes=step_min), 0
    for begins, ends in parts:
        first = max(0, (begins - start_at) // step)
        last = min(n_cells, -((start_at - ends) // step))
        found |= slots.mask(first, last - first) if last > first else 0
    return found


def meant_for(how: str, part: tuple[time | None, time | None], rule: Rule, day: date, tz: ZoneInfo) -> Span | None:
    """The part of a day's session that a channel may take: None for all of it, an empty one for none."""
    if how == "all":
        return None
    begins, ends = part
    if how == "none" or begins is None or ends is None:
        nothing = calendar.to_utc_or_after(day, rule.opens, tz)
        return nothing, nothing
    # Past midnight, on the night's second day.
    first_day = day if begins >= rule.opens or rule.closes > rule.opens else day + DAY
    last_day = first_day if ends > begins else first_day + DAY
    return calendar.to_utc_or_after(first_day, begins, tz), calendar.to_utc_or_after(last_day, ends, tz)


def released_at(rule: Rule, day: date, tz: ZoneInfo) -> datetime | None:
    """From when everybody sees all that is left: the hospital's midnight, so many days before."""
    return None if rule.release_days is None else calendar.to_utc_or_after(day - DAY * rule.release_days, time(), tz)
