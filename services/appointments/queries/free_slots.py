"""Free times: the next ones, the nearest ones, a month of them, the first of each reason.

The database keeps the sessions with enough free cells in a row; `availability.starts` then says where an appointment
may begin. Sessions are read in the order of days and no further than a page needs, so that the answer takes as long
with ten times the sessions.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, literal_column, or_, select

from portal import calendar, db
from portal.db import session
from portal.establishments import Practitioner
from services.appointments import availability, slots
from services.appointments.availability import Taken
from services.appointments.models import ConsultationSession, Reason, SessionReason
from services.appointments.slots import FreeSlot, Slot, Window

DAYS_A_PAGE = 5
ALTERNATIVES = 6
AT_ONCE = 160
"""Sessions read first: five days of a large unit. Four times as many when they do not suffice, and so on."""
NOON, EVENING = time(12), time(17)
PARTS_OF_DAY = ("morning", "afternoon", "evening")
Sessions = Select[*tuple[Any, ...]]
Seen = dict[tuple[datetime, int, UUID], int]
"""When sessions begin, their step and the reason → cells that somebody offers already."""
_LONGEST = timedelta(hours=15)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Offer(FreeSlot):
    """A free time, with whom, and for which of the reasons asked, whose hospital lives by this clock. room: how much
    of the session is free."""

    reason: Reason
    tz: ZoneInfo
    room: int = 0


@dataclass(frozen=True)
class Wish:
    """What somebody would like: parts of the day (PARTS_OF_DAY), days of the week (0: Monday), practitioners.

    Empty: any.
    """

    practitioners: Collection[UUID] = ()
    parts: Collection[str] = ()
    weekdays: Collection[int] = ()

    @property
    def narrows_hours(self) -> bool:
        return bool(self.parts or self.weekdays)

    def suits(self, at: datetime) -> bool:
        """at: by the hospital's clock."""
        return (not self.weekdays or at.weekday() in self.weekdays) and (
            not self.parts or part_of_day(at.time()) in self.parts
        )


ANY = Wish()


def part_of_day(at: time) -> str:
    return "morning" if at < NOON else "afternoon" if at < EVENING else "evening"


@dataclass(frozen=True)
class Asking:
    """Who asks for what: reasons of different units that would all do, the moments each may begin between, and the
    patient's own time that is taken already. whoever: each time of a place once, with one of those who are free."""

    windows: Mapping[UUID, Window]
    reasons: Sequence[Reason]
    wish: Wish = ANY
    busy: Taken = field(default_factory=dict)
    whoever: bool = False

    @classmethod
    def online(cls, reasons: Sequence[Reason], wish: Wish = ANY) -> "Asking":
        """As patients ask now, on the portal."""
        now = db.now()
        return cls({each.id: each.window("web", now) for each in reasons}, reasons, wish)

    @property
    def tz(self) -> ZoneInfo:
        """The clock of the first reason's hospital, whose days are asked for."""
        return self.reasons[0].unit.establishment.tz

    @property
    def earliest(self) -> datetime:
        return min(each.earliest for each in self.windows.values())

    @property
    def latest(self) -> datetime:
        return max(each.latest for each in self.windows.values())

    def between(self, since: datetime | None, until: datetime | None) -> "Asking":
        """The same, no earlier and no later."""
        bounded = {
            key: replace(each, earliest=max(each.earliest, since or each.earliest),
                         latest=min(each.latest, until or each.latest))
            for key, each in self.windows.items()
        }  # fmt: skip
        return replace(self, windows=bounded)


@dataclass(frozen=True)
class SlotPage:
    """Days that have free times, in the hospital's calendar. next_day: where the following page begins, if any."""

    days: dict[date, list[Offer]]
    next_day: date | None


# -- the next ones -----------------------------------------------------------------------------------------------


def open_slots(reason: Reason, window: Window, first_day: date, practitioner_id: UUID | None = None) -> SlotPage:
    """The next days with free times for a reason, from a day of the hospital's calendar."""
    wish = Wish([practitioner_id]) if practitioner_id else ANY
    return next_times(Asking({reason.id: window}, [reason], wish), first_day)


def next_times(asking: Asking, first_day: date) -> SlotPage:
    """The next days with free times, from a day of the hospital's calendar."""
    asking = asking.between(calendar.to_utc(first_day, time(), asking.tz), None)
    days: dict[date, list[Offer]] = {}
    rows: Sequence[Any] = ()
    at_once, begin = AT_ONCE, asking.earliest.date() - _DAY
    while len(days) <= DAYS_A_PAGE:
        rows = session.execute(_in_order(asking, begin).limit(at_once)).all()
        # The last day read may lack its last sessions: it is read again, first of the next ones.
        until = rows[-1].local_date if len(rows) == at_once else date.max
        for each in _expanded([row for row in rows if row.local_date < until], asking):
            days.setdefault(calendar.civil_day(each.at, each.tz), []).append(each)
        if until == date.max:
            break
        begin, at_once = until, at_once * 4
    listed = sorted(days)
    following = listed[DAYS_A_PAGE] if len(listed) > DAYS_A_PAGE else None
    return SlotPage({day: sorted(days[day], key=_order) for day in listed[:DAYS_A_PAGE]}, following)


def _in_order(asking: Asking, begin: date) -> Sessions:
    table = ConsultationSession
    return _fitting(asking).where(table.local_date >= begin).order_by(table.local_date, table.start_at, table.id)


def _order(offer: Offer) -> tuple[datetime, str]:
    return offer.at, offer.practitioner


# -- others ------------------------------------------------------------------------------------------------------


def nearest(reason: Reason, window: Window, wanted: datetime, busy: Taken | None = None) -> Sequence[Offer]:
    """The free times closest to the one that was wanted, in order of time."""
    around = timedelta(days=14)
    asking = Asking({reason.id: window}, [reason], busy=busy or {}, whoever=True)
    close = asking.between(wanted - around, wanted + around)
    found = _expanded(session.execute(_fitting(close)).all(), close)
    if not found:
        page = next_times(asking, calendar.civil_day(window.earliest, asking.tz))
        found = [each for offers in page.days.values() for each in offers]
    closest = sorted(found, key=lambda each: abs(each.at - wanted))[:ALTERNATIVES]
    return sorted(closest, key=lambda each: each.at)


def all_times(asking: Asking) -> Sequence[Offer]:
    """Every free time that is asked for, in order of time."""
    return _expanded(session.execute(_fitting(asking)).all(), asking)


def month(asking: Asking, first: date) -> Mapping[date, int]:
    """How many different times each day of a month offers, in the hospital's calendar; days without any are absent.

    first: the month's first day.
    """
    last = (first + timedelta(days=32)).replace(day=1)
    begins, ends = (calendar.to_utc(each, time(), asking.tz) for each in (first, last))
    if begins is None or ends is None:
        return {}
    asking = replace(asking.between(begins, ends - timedelta(seconds=1)), whoever=True)
    within = ConsultationSession.local_date.between(first - _DAY, last)
    offers = _expanded(session.execute(_fitting(asking).where(within)).all(), asking)
    counts = Counter(calendar.civil_day(each.at, each.tz) for each in offers)
    return {day: count for day, count in counts.items() if first <= day < last}


def first_times(asking: Asking, looked_at: int = 6) -> Mapping[UUID, Offer]:
    """The first free time of each reason that has one.

    looked_at: how many sessions of each reason are read; more are, for those whose first ones give nothing.
    """
    if not asking.reasons:
        return {}
    offers = _expanded(session.execute(_first_sessions(asking, looked_at)).all(), asking)
    found: dict[UUID, Offer] = {}
    for each in offers:
        found.setdefault(each.reason.id, each)
    missing = [each for each in asking.reasons if each.id not in found]
    if missing and looked_at < AT_ONCE:
        found |= first_times(replace(asking, reasons=missing), AT_ONCE)
    return found


def _first_sessions(asking: Asking, looked_at: int) -> Sessions:
    table = ConsultationSession
    ranked = (
        _fitting(replace(asking, reasons=[]))
        .where(
            SessionReason.reason_id == Reason.id,
            table.unit_id == Reason.unit_id,
            _has_room(asking),
        )
        .correlate(Reason)
        .order_by(table.local_date, table.start_at)
        .limit(looked_at)
        .lateral()
    )
    return select(ranked).select_from(Reason).join(ranked, literal_column("true")).where(
        Reason.id.in_([each.id for each in asking.reasons])
    )  # fmt: skip


# -- sessions ----------------------------------------------------------------------------------------------------


def _fitting(asking: Asking) -> Sessions:
    """Sessions that begin within reach and have enough free cells in a row; the day's bits are expanded in Python."""
    table = ConsultationSession
    earliest, latest = asking.earliest, asking.latest
    query: Sessions = (
        select(
            table.id,
            table.start_at,
            table.local_date,
            table.step_min,
            table.n_cells,
            table.free,
            table.for_web,
            table.for_city,
            table.released_at,
            SessionReason.reason_id,
            func.concat_ws(" ", Practitioner.title, Practitioner.family_name).label("name"),
        )
        .join(SessionReason, SessionReason.session_id == table.id)
        .join(Practitioner, Practitioner.id == table.practitioner_id)
        .where(
            table.free != 0,
            table.local_date.between(earliest.date() - _DAY, latest.date() + _DAY),
            table.start_at > earliest - _LONGEST,
            table.start_at <= latest,
        )
    )
    if asking.reasons:
        query = query.where(_takes(asking))
    if any(each.channel != "phone" for each in asking.windows.values()):
        query = query.where(SessionReason.most.is_(None) | (SessionReason.taken < SessionReason.most))
    practitioners = asking.wish.practitioners
    return query.where(table.practitioner_id.in_(practitioners)) if practitioners else query


def _takes(asking: Asking) -> ColumnElement[bool]:
    """The session takes one of the reasons, in its unit, and has enough free cells in a row for it."""
    visible = _visible(asking)
    return or_(
        *(
            and_(
                SessionReason.reason_id == each.id,
                ConsultationSession.unit_id == each.unit_id,
                or_(
                    *(
                        and_(ConsultationSession.step_min == step, _starts(visible, each.cells(step)) != 0)
                        for step in slots.STEPS_MIN
                        if each.cells(step) <= slots.MAX_CELLS
                    )
                ),
            )
            for each in asking.reasons
        )
    )


def _has_room(asking: Asking) -> ColumnElement[bool]:
    """Enough free cells in a row, whichever of many reasons it is."""
    visible, lasts = _visible(asking), Reason.duration_min + Reason.pause_min
    kinds = {(step, each.cells(step), each.duration_min + each.pause_min)
             for each in asking.reasons for step in slots.STEPS_MIN}  # fmt: skip
    return or_(
        *(
            and_(ConsultationSession.step_min == step, lasts == minutes, _starts(visible, count) != 0)
            for step, count, minutes in sorted(kinds)
            if count <= slots.MAX_CELLS
        )
    )


def _visible(asking: Asking) -> ColumnElement[int]:
    """What slots.offered computes, in the database: the free cells that the channel may take."""
    window = next(iter(asking.windows.values()))
    table = ConsultationSession
    meant = {"web": table.for_web, "city": table.for_city}.get(window.channel)
    free: ColumnElement[int] = table.free.expression
    if meant is None:
        return free
    everybody = meant.is_(None) | (table.released_at <= window.asked_at)
    return case((everybody, table.free), else_=table.free.op("&")(meant))


def _starts(visible: ColumnElement[int], count: int) -> ColumnElement[int]:
    """What slots.starts computes, in the database. (A literal: PostgreSQL shifts a bigint by an integer only.)"""
    found = visible
    for shift in range(1, count):
        found = found.op("&")(visible.op(">>")(literal_column(str(shift))))
    return found


# -- their bits --------------------------------------------------------------------------------------------------


def _expanded(rows: Sequence[Any], asking: Asking) -> list[Offer]:
    """What these sessions offer, in order of time."""
    if not rows:
        return []
    ends = max(row.start_at + timedelta(minutes=row.n_cells * row.step_min) for row in rows)
    reasons = {each.id: (each, each.unit.establishment.tz) for each in asking.reasons}
    wanted = needed(asking.reasons, min(row.start_at for row in rows), ends)
    taken = {each: {**wanted[each], **asking.busy} for each in reasons}
    if asking.whoever:
        # At the same time, whoever has most room left: the work is shared.
        rows = sorted(rows, key=lambda row: (-row.free.bit_count(), row.name))
    seen: Seen | None = {} if asking.whoever else None
    found = [
        each for row in rows for each in _free_in(row, *reasons[row.reason_id], asking, taken[row.reason_id], seen)
    ]
    if asking.whoever:
        # Sessions that begin at another moment may offer the same times.
        found = list({(each.at, each.reason.id): each for each in reversed(found)}.values())
    return sorted(found, key=_order)


def needed(reasons: Sequence[Reason], since: datetime, until: datetime) -> Mapping[UUID, Taken]:
    """Reason → when the rooms, devices and interpreters that it needs are taken."""
    pools = availability.pools_of([each.id for each in reasons])
    taken = availability.taken(sorted({pool for listed in pools.values() for pool in listed}), since, until)
    return {reason_id: {pool: taken[pool] for pool in listed} for reason_id, listed in pools.items()}


def _free_in(
    row: Any, reason: Reason, tz: ZoneInfo, asking: Asking, taken: Taken, seen: Seen | None
) -> Iterator[Offer]:
    """seen: what others offer already, when whoever offers it is all the same."""
    found = availability.starts(row, reason, asking.windows[reason.id], taken)
    if asking.wish.narrows_hours:
        found = _suiting(found, row, tz, asking.wish)
    offered = _proposed(found, reason.cells(row.step_min))
    if seen is not None:
        alike = (row.start_at, row.step_min, reason.id)
        offered, seen[alike] = offered & ~seen.get(alike, 0), offered | seen.get(alike, 0)
    room = row.free.bit_count()
    while offered:
        cell = (offered & -offered).bit_length() - 1
        offered &= offered - 1
        yield Offer(
            Slot(row.id, cell), row.start_at + timedelta(minutes=cell * row.step_min), row.name, reason, tz, room
        )


@lru_cache(maxsize=4096)
def _proposed(found: int, count: int) -> int:
    """The bits of slots.proposed, remembered: many mornings look alike."""
    return sum(1 << cell for cell in slots.proposed(found, count))


def _suiting(found: int, row: Any, tz: ZoneInfo, wish: Wish) -> int:
    moments = {
        cell: row.start_at + timedelta(minutes=cell * row.step_min)
        for cell in range(found.bit_length())
        if found >> cell & 1
    }
    return sum(1 << cell for cell, at in moments.items() if wish.suits(at.astimezone(tz)))
