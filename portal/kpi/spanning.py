"""Rows of the roll-up for some spans of days: whole months and weeks from their own tables, the edges from days.

Two years cost what some fifty months and a few days cost. Each day is read once, however many spans it is in.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, select, text

from portal.db import session
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


Placed = tuple[UUID | None, Total]


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


class Rows:
    """What is read for some spans, at some places (None: every one the reader may see).

    apart: each place by itself; otherwise all of them together, as None. events: as in `Counts`.
    """

    def __init__(
        self,
        spans: Sequence[Span],
        places: Collection[UUID] | None,
        events: Collection[str] | None,
        *,
        apart: bool = False,
    ) -> None:
        self._spans = spans
        self._places = None if places is None else list(places)
        self._waiting = None if events is None else set(events)
        self._asked: set[str] = set()
        self._apart = apart
        self._totals: dict[str, dict[Span, list[Placed]]] = {}
        self._stocks: dict[str, list[tuple[UUID, date, str, int]]] = {}

    def totals(self, event: str, span: Span) -> Sequence[Placed]:
        """Such events in one of the spans."""
        if self._waiting is None:
            if not self._asked:
                self._load(None)
                self._asked = {"everything"}
        elif event not in self._asked:
            wanted = self._waiting - self._asked | {event}
            self._load(sorted(wanted))
            self._asked |= wanted
        return self._totals.get(event, {}).get(span, ())

    def _load(self, events: list[str] | None) -> None:
        starts = sorted({first for first, _ in self._spans} | {last + _DAY for _, last in self._spans})
        within = [[span for span in self._spans if span[0] <= start <= span[1]] for start in starts]
        bounds = self._bounds([(start, end - _DAY) for start, end in pairwise(starts)], within)
        if events is not None:
            bounds["events"] = events
        grains = tuple(grain for grain in GRAINS if f"{grain}_n" in bounds)
        for number, event, place, channel, audience, dimension, counted, quantity in session.execute(
            _totals(grains, by_event=events is not None, apart=self._apart), bounds
        ):
            total = Total(place == GROUP_WIDE, channel, audience, dimension, int(counted), int(quantity))
            for span in within[number]:
                self._totals.setdefault(event, {}).setdefault(span, []).append((place, total))

    def _bounds(self, slices: Sequence[Span], within: Sequence[Sequence[Span]]) -> dict[str, Any]:
        """The slices of time between two bounds of spans, in whole units; those in no span are left out."""
        bounds: dict[str, Any] = {}
        for number, (first, last) in enumerate(slices):
            for grain, begins, ends in pieces(first, last) if within[number] else ():
                for what, value in (("n", number), ("first", begins), ("last", ends)):
                    bounds.setdefault(f"{grain}_{what}", []).append(value)
        return bounds | {"places": self._places} | ({} if self._apart else {"portal": GROUP_WIDE})

    def stock(self, event: str) -> Sequence[tuple[UUID, date, str, int]]:
        """(Place, day, audience, events) since the beginning, what came before the first span on its eve."""
        if event not in self._stocks:
            since = self._spans[0][0]
            bounds = {
                "event": event,
                "since": since,
                "month": since.replace(day=1),
                "until": max(last for _, last in self._spans),
                "places": self._places,
            }
            self._stocks[event] = [
                (place, day, audience, int(total)) for place, day, audience, total in session.execute(_STOCK, bounds)
            ]
        return self._stocks[event]

    @cached_property
    def uniques(self) -> dict[tuple[date, str, str], int]:
        """(First day of the month, event, audience) → distinct pseudonyms."""
        months = {last.replace(day=1) for _, last in self._spans}
        query = select(KpiMonthTotal.month, KpiMonthTotal.event, KpiMonthTotal.audience, KpiMonthTotal.people)
        rows = session.execute(query.where(KpiMonthTotal.month.in_(months)))
        return {(month, event, audience): people for month, event, audience, people in rows}

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


_AMONG = "(cast(:places as uuid[]) is null or k.establishment_id = any (cast(:places as uuid[])))"


@cache
def _totals(grains: tuple[Grain, ...], *, by_event: bool, apart: bool) -> TextClause:
    """Slice by slice: joined at once, the edges would be looked for among all the days of these events."""
    named = " and k.event = any (cast(:events as text[]))" if by_event else ""
    place = "k.establishment_id" if apart else "case when k.establishment_id = :portal then k.establishment_id end"
    return text(
        " union all ".join(
            f"select r.n, g.* from unnest(cast(:{grain}_n as int[]), cast(:{grain}_first as date[]),"
            f" cast(:{grain}_last as date[])) r(n, first, last) cross join lateral (select k.event, {place},"
            f" k.channel, k.audience, k.dimension, sum(k.events), sum(k.quantity) from kpi_{grain} k"
            f" where k.{grain} between r.first and r.last{named} and {_AMONG} group by 1, 2, 3, 4, 5) g"
            for grain in grains
        )
    )


_STOCK = text(
    "select k.establishment_id, cast(:since as date) - 1, k.audience, sum(k.events) from kpi_month k"
    f" where k.event = :event and k.month < :month and {_AMONG} group by 1, 2, 3"
    " union all"
    " select k.establishment_id, greatest(k.day, cast(:since as date) - 1), k.audience, sum(k.events) from kpi_day k"
    f" where k.event = :event and k.day between :month and :until and {_AMONG} group by 1, 2, 3"
)
