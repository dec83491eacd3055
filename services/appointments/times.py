"""A page of free times, as its address asks for it: the earliest first, or a month at a glance."""

from calendar import Calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from werkzeug.datastructures import MultiDict

from portal import calendar, db
from portal.establishments import Practitioner
from services.appointments import queries, wording
from services.appointments.forms import day_asked, uuid_asked
from services.appointments.models import Appointment, Reason
from services.appointments.queries import Asking, Standing, Wish
from services.appointments.queries.free_slots import PARTS_OF_DAY

MOST_REASONS = 8
"""Places where one looks at once."""


@dataclass(frozen=True)
class Address:
    """What the address says. reasons: ids, in the order given; first_day: none for the first one with free times;
    month: its first day, for a month at a glance."""

    reasons: tuple[UUID, ...]
    practitioners: tuple[UUID, ...]
    parts: tuple[str, ...]
    weekdays: tuple[int, ...]
    first_day: date | None
    month: date | None
    by_month: bool

    @classmethod
    def read(cls, given: MultiDict[str, str]) -> "Address":
        """What makes no sense is left aside."""
        month = day_asked(f"{given.get('month', '')}-01")
        return cls(
            _ids(given, "reason")[:MOST_REASONS],
            _ids(given, "practitioner"),
            tuple(each for each in PARTS_OF_DAY if each in given.getlist("part")),
            tuple(day for day in range(7) if str(day + 1) in given.getlist("weekday")),
            day_asked(given.get("from", "")),
            month,
            month is not None or given.get("view") == "month",
        )

    @property
    def is_narrowed(self) -> bool:
        return bool(self.practitioners or self.parts or self.weekdays)

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """As an address is built again, with these changes (None: without it)."""
        kept: dict[str, Any] = {
            "reason": self.reasons,
            "practitioner": self.practitioners,
            "part": self.parts,
            "weekday": tuple(day + 1 for day in self.weekdays),
            "from": self.first_day and self.first_day.isoformat(),
            "month": self.month and f"{self.month:%Y-%m}",
            "view": "month" if self.by_month and self.month is None else None,
        }
        return {name: value for name, value in (kept | changes).items() if value}


def _ids(given: MultiDict[str, str], name: str) -> tuple[UUID, ...]:
    found = (uuid_asked(each) for each in given.getlist(name))
    return tuple(dict.fromkeys(each for each in found if each is not None))


@dataclass(frozen=True)
class Day:
    """A day of the month's table. count: how many times it offers."""

    day: date
    count: int = 0
    href: str = ""


@dataclass(frozen=True)
class Month:
    """A month at a glance: weeks of seven days, None outside the month. next_free: where to go when it has none."""

    first: date
    weeks: Sequence[Sequence[Day | None]]
    previous: date | None
    following: date | None
    next_free: date | None

    @property
    def is_empty(self) -> bool:
        return not any(day and day.count for week in self.weeks for day in week)


@dataclass(frozen=True)
class Times:
    """What the page shows. days: as `ui.slot_picker` wants them. reasons: those looked at, all of the same kind."""

    address: Address
    reasons: Sequence[Reason]
    elsewhere: Sequence[Reason]
    practitioners: Sequence[Practitioner]
    days: Sequence[Mapping[str, Any]]
    next_day: date | None
    month: Month | None
    endpoint: str
    fixed: Mapping[str, Any]
    takable: bool = True

    @property
    def reason(self) -> Reason:
        return self.reasons[0]

    def href(self, **changes: Any) -> str:
        return url_for(self.endpoint, **{**self.fixed, **self.address.arguments(**changes)})

    @property
    def other_places(self) -> bool:
        return len(self.reasons) + len(self.elsewhere) > 1


@dataclass(frozen=True)
class Asker:
    """For whom the times are. moved: the appointment that would be given back for one of them."""

    patient_id: UUID | None = None
    standings: Mapping[UUID, Standing] | None = None
    moved: Appointment | None = None

    def may_take(self, reason: Reason) -> bool:
        if self.moved is not None:
            return True
        if self.standings is None:
            return not reason.by_referral_only
        return self.standings[reason.id].refusal is None


def shown(
    address: Address, reasons: Sequence[Reason], elsewhere: Sequence[Reason], asker: Asker, endpoint: str, **fixed: Any
) -> Times:
    """The times of these reasons that this person can take. elsewhere: namesakes in other units, to tick. endpoint,
    fixed: of the page itself, to build its links."""
    practitioners = queries.practitioners_for(*reasons)
    takable = [each for each in reasons if asker.may_take(each)]
    page = Times(address, reasons, elsewhere, practitioners, [], None, None, endpoint, fixed, bool(takable))
    if not takable:
        return page
    asking = _asking(address, takable, asker)
    if address.by_month:
        return _with_month(page, asking)
    return _with_days(page, asking)


def _asking(address: Address, reasons: Sequence[Reason], asker: Asker) -> Asking:
    wish = Wish(address.practitioners, address.parts, address.weekdays)
    asking = replace(Asking.online(reasons, wish), whoever=not address.practitioners)
    if asker.patient_id is None:
        return asking
    but = [asker.moved.id] if asker.moved else []
    own = queries.busy(asker.patient_id, asking.earliest, asking.latest + timedelta(days=1), but)
    return replace(asking, busy=own)


def _with_days(page: Times, asking: Asking) -> Times:
    today = calendar.civil_day(db.now(), asking.tz)
    found = queries.next_times(asking, max(page.address.first_day or today, today))
    listed = [each for day in found.days.values() for each in day]
    names = len(page.practitioners) > 1 and len(page.address.practitioners) != 1
    days = wording.offers(listed, with_names=names, with_places=len(asking.reasons) > 1)
    return replace(page, days=days, next_day=found.next_day)


def _with_month(page: Times, asking: Asking) -> Times:
    earliest, latest = (calendar.civil_day(each, asking.tz) for each in (asking.earliest, asking.latest))
    wanted = page.address.month or _first_free(asking, earliest) or earliest
    first = min(max(wanted, earliest.replace(day=1)), latest).replace(day=1)
    counts = queries.month(asking, first)
    following = (first + timedelta(days=32)).replace(day=1)
    made = Month(
        first,
        _weeks(page, first, counts),
        (first - timedelta(days=1)).replace(day=1) if first > earliest else None,
        following if following <= latest else None,
        None if counts else _first_free(asking, following),
    )
    return replace(page, month=made)


def _first_free(asking: Asking, since: date) -> date | None:
    return min(queries.next_times(asking, since).days, default=None)


def _weeks(page: Times, first: date, counts: Mapping[date, int]) -> list[list[Day | None]]:
    def shown(day: date) -> Day | None:
        if day.month != first.month:
            return None
        if not (count := counts.get(day, 0)):
            return Day(day)
        return Day(day, count, page.href(**{"from": day.isoformat(), "month": None, "view": None}))

    return [[shown(day) for day in week] for week in Calendar().monthdatescalendar(first.year, first.month)]
