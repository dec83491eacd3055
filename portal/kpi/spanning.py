"""Rows of the roll-up for some spans of days: whole months and weeks from their own tables, the edges from days.

Two years cost what some fifty months and a few days cost. Each day is read once, however many spans it is in.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import pairwise
from sys import intern
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, select, text

from portal import blanking, db
from portal.db import session
from portal.kpi import kept, standing
from portal.kpi.models import GROUP_WIDE, KpiFrozenNumber, KpiMonthTotal

Span = tuple[date, date]
Grain = Literal["month", "week", "day"]

GRAINS: Final[tuple[Grain, ...]] = ("month", "week", "day")
_DAY: Final = timedelta(days=1)


class Total(NamedTuple):
    """Events of one kind over some days, counted and summed. portal: they belong to no establishment."""

    portal: bool
    channel: str
    audience: str
    dimension: str
    events: int
    quantity: int


Placed = Mapping[UUID | None, Sequence[Total]]
"""What is known of each place; of all of them together, under None."""
Unit = tuple[Grain, date]
"""A month, a week or a day, by its first day."""
_Row = tuple[str, UUID | None, Total]
"""An event, its place, what was counted of it."""
_CLOSED: Final = kept.Kept[Sequence[_Row]]()


class _Slice(NamedTuple):
    """Days that are in the same spans, in whole units."""

    within: Sequence[Span]
    units: Sequence[Unit]


def pieces(first: date, last: date) -> Iterator[tuple[Grain, date, date]]:
    """A span of days as whole months, whole weeks (ISO) and days, each once: (grain, first unit, last unit)."""
    yield from _whole("month", first, last)


def _whole(grain: Grain, first: date, last: date) -> Iterator[tuple[Grain, date, date]]:
    if first > last:
        return
    if grain == "day":
        yield "day", first, last
        return
    finer = GRAINS[GRAINS.index(grain) + 1]
    begins = first if _start(grain, first) == first else _next(grain, first)
    ends = _start(grain, last + _DAY)  # the first day that is not in a whole unit any more
    if begins >= ends:
        yield from _whole(finer, first, last)
        return
    yield from _whole(finer, first, begins - _DAY)
    yield grain, begins, _start(grain, ends - _DAY)
    yield from _whole(finer, ends, last)


def _start(grain: Grain, day: date) -> date:
    return day.replace(day=1) if grain == "month" else day - day.weekday() * _DAY


def _next(grain: Grain, day: date) -> date:
    return _start(grain, _start(grain, day) + (31 if grain == "month" else 7) * _DAY)


def _units(grain: Grain, begins: date, ends: date) -> Iterator[date]:
    """The first days of these whole units, both included."""
    while begins <= ends:
        yield begins
        begins = begins + _DAY if grain == "day" else _next(grain, begins)


class Rows:
    """What is read for some spans, at some places (None: every one the reader may see).

    apart: each place by itself; otherwise all of them together, as None. events, beginning: as in `Counts`.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        places: Collection[UUID] | None,
        events: Collection[str] | None,
        *,
        apart: bool = False,
        beginning: str = "",
    ) -> None:
        self._spans = spans
        self._places = None if places is None else list(places)
        self._waiting = None if events is None else set(events)
        self._asked: set[str] = set()
        self._apart, self._beginning = apart, beginning
        self._totals: dict[str, dict[Span, dict[UUID | None, list[Total]]]] = defaultdict(_by_span)
        self._stocks: dict[str, list[tuple[UUID, date, str, int]]] = {}

    def totals(self, event: str, span: Span) -> Placed:
        """Such events in one of the spans."""
        if self._waiting is None:
            if not self._asked:
                self._load(None)
                self._asked = {"everything"}
        elif event not in self._asked:
            wanted = self._waiting - self._asked | {event}
            self._load(sorted(wanted))
            self._asked |= wanted
        return self._totals.get(event, {}).get(span, {})

    def _load(self, events: list[str] | None) -> None:
        slices = list(self._slices())
        names = self._closed(slices, events)
        asked: list[_Slice] = []
        for within, units in slices:
            for unit in units:
                if unit in names and (found := _CLOSED.get(names[unit])) is not None:
                    self._take(found, within)
                elif unit in names:
                    asked.append(_Slice(within, [unit]))
            if others := [unit for unit in units if unit not in names]:
                asked.append(_Slice(within, others))
        for each, found in zip(asked, self._read(asked, events), strict=True):
            self._take(found, each.within)
            if each.units[0] in names:
                _CLOSED.keep(names[each.units[0]], found)

    def _slices(self) -> Iterator[_Slice]:
        """The slices of time between two bounds of spans, in whole units; those in no span are left out."""
        starts = sorted({first for first, _ in self._spans} | {last + _DAY for _, last in self._spans})
        for start, end in pairwise(starts):
            if within := [span for span in self._spans if span[0] <= start <= span[1]]:
                cut = pieces(start, end - _DAY)
                yield _Slice(within, [(grain, each) for grain, *days in cut for each in _units(grain, *days)])

    def _closed(self, slices: Sequence[_Slice], events: list[str] | None) -> Mapping[Unit, Hashable]:
        """The months that are closed, and what they are kept under: those of a person who names places. Jobs read a
        month once in a while, and what is shown of somebody's screens is read each time."""
        if self._places is None or db.current_actor().kind == "system" or blanking.is_on():
            return {}
        months = [each for of_slice in slices for each in of_slice.units if each[0] == "month"]
        since = standing.standing().closed if months else {}
        question = frozenset(self._places), self._apart, self._beginning, None if events is None else tuple(events)
        return {each: kept.name(question, each[1], since[each[1]]) for each in months if each[1] in since}

    def _read(self, slices: Sequence[_Slice], events: list[str] | None) -> list[list[_Row]]:
        """What is in each slice, in one statement."""
        found: list[list[_Row]] = [[] for _ in slices]
        if not slices:
            return found
        bounds: dict[str, Any] = {"places": self._places} | ({} if self._apart else {"portal": GROUP_WIDE})
        for number, each in enumerate(slices):
            for grain, first in each.units:
                bounds.setdefault(f"{grain}_units", []).append(first)
                bounds.setdefault(f"{grain}_slices", []).append(number)
        bounds |= {} if events is None else {"events": events}
        bounds |= {"beginning": self._beginning} if self._beginning else {}
        grains = tuple(grain for grain in GRAINS if f"{grain}_units" in bounds)
        query = _totals(grains, by_event=events is not None, apart=self._apart, begins=bool(self._beginning))
        for number, event, place, channel, audience, dimension, counted, quantity in session.execute(query, bounds):
            told = Total(place == GROUP_WIDE, intern(channel), intern(audience), intern(dimension), counted, quantity)
            found[number].append((intern(event), place, told))
        return found

    def _take(self, found: Sequence[_Row], within: Sequence[Span]) -> None:
        for event, place, total in found:
            known = self._totals[event]
            for span in within:
                known[span][place].append(total)

    def stock(self, event: str, beside: str = "") -> Sequence[tuple[UUID, date, str, int]]:
        """(Place, day, audience, events) since the beginning, what came before the first span on its eve. beside: an
        event that will be asked for next, read with it."""
        if event not in self._stocks:
            wanted = [each for each in (event, beside) if each]
            since = self._spans[0][0]
            bounds = {
                "events": wanted,
                "since": since,
                "month": since.replace(day=1),
                "until": max(last for _, last in self._spans),
                "places": self._places,
            }
            self._stocks |= {each: [] for each in wanted}
            for name, place, day, audience, total in session.execute(_STOCK, bounds):
                self._stocks[name].append((place, day, audience, int(total)))
        return self._stocks[event]

    @cached_property
    def uniques(self) -> dict[tuple[date, str], list[tuple[str, int]]]:
        """(First day of the month, event) → (audience, distinct pseudonyms)."""
        months = {last.replace(day=1) for _, last in self._spans}
        query = select(KpiMonthTotal.month, KpiMonthTotal.event, KpiMonthTotal.audience, KpiMonthTotal.people)
        found: dict[tuple[date, str], list[tuple[str, int]]] = {}
        for month, event, audience, people in session.execute(query.where(KpiMonthTotal.month.in_(months))):
            found.setdefault((month, event), []).append((audience, people))
        return found

    @cached_property
    def frozen(self) -> dict[str, list[tuple[date, str, int, int | None]]]:
        """Code → (day, audience, numerator, denominator), in the order of days."""
        kept = KpiFrozenNumber
        query = select(kept.code, kept.day, kept.audience, kept.numerator, kept.denominator)
        found: dict[str, list[tuple[date, str, int, int | None]]] = {}
        last = max(last for _, last in self._spans)
        rows = session.execute(query.where(kept.day.between(self._spans[0][0], last)).order_by(kept.day))
        for code, day, audience, numerator, denominator in rows:
            found.setdefault(code, []).append((day, audience, numerator, denominator))
        return found


def _by_span() -> dict[Span, dict[UUID | None, list[Total]]]:
    return defaultdict(lambda: defaultdict(list))


_AMONG = "(cast(:places as uuid[]) is null or k.establishment_id = any (cast(:places as uuid[])))"


@cache
def _totals(grains: tuple[Grain, ...], *, by_event: bool, apart: bool, begins: bool = False) -> TextClause:
    """The units are named one by one: the planner then knows how many rows they have, and hashes instead of sorting."""
    named = " and k.event = any (cast(:events as text[]))" if by_event else ""
    named += " and starts_with(k.dimension, :beginning)" if begins else ""
    place = "k.establishment_id" if apart else "case when k.establishment_id = :portal then k.establishment_id end"
    return text(
        " union all ".join(
            f"select u.slice, k.event, {place}, k.channel, k.audience, k.dimension,"
            f" cast(sum(k.events) as bigint), cast(sum(k.quantity) as bigint) from kpi_{grain} k"
            f" join unnest(cast(:{grain}_units as date[]), cast(:{grain}_slices as int[])) u(unit, slice)"
            f" on u.unit = k.{grain}"
            f" where k.{grain} = any (cast(:{grain}_units as date[])){named} and {_AMONG} group by 1, 2, 3, 4, 5, 6"
            for grain in grains
        )
    )


_STOCK = text(
    "select k.event, k.establishment_id, cast(:since as date) - 1, k.audience, sum(k.events) from kpi_month k"
    f" where k.event = any (cast(:events as text[])) and k.month < :month and {_AMONG} group by 1, 2, 3, 4"
    " union all select k.event, k.establishment_id, greatest(k.day, cast(:since as date) - 1), k.audience,"
    " sum(k.events) from kpi_day k where k.event = any (cast(:events as text[])) and k.day between :month and :until"
    f" and {_AMONG} group by 1, 2, 3, 4"
)
