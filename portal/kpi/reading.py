"""What the roll-up says of a period: pages show a dozen figures and their past for one statement of totals."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple, TypeVar, cast
from uuid import UUID

from sqlalchemy import func, select, text

from portal.db import session
from portal.kpi.events import GROUP_WIDE, KpiMonthUnique

T = TypeVar("T")
_DAY = timedelta(days=1)


class Total(NamedTuple):
    """Events of one kind over some days, counted and summed. portal: they belong to no establishment."""

    portal: bool
    channel: str
    audience: str
    dimension: str
    events: int
    quantity: int


Span = tuple[date, date]


class Counts:
    """What the roll-up holds for some spans of days: one statement for all the figures of all the spans.

    establishments: those to count, besides what belongs to none; None for every one the reader may see.
    """

    def __init__(self, spans: Iterable[Span], establishments: Collection[UUID] | None) -> None:
        self._spans = sorted(set(spans))
        self._places = None if establishments is None else [*establishments, GROUP_WIDE]
        self._stocks: dict[str, Sequence[tuple[date, str, int]]] = {}
        self._once: dict[Hashable, object] = {}

    @cached_property
    def totals(self) -> dict[Span, dict[str, list[Total]]]:
        """Span → event → its totals. Each day is read once, however many spans it is in."""
        starts = sorted({first for first, _ in self._spans} | {last + _DAY for _, last in self._spans})
        within = [[span for span in self._spans if span[0] <= start <= span[1]] for start in starts]
        found: dict[Span, dict[str, list[Total]]] = {span: {} for span in self._spans}
        bounds = {"starts": starts, "first": starts[0], "last": starts[-1] - _DAY}
        rows = session.execute(_TOTALS, bounds | {"places": self._places, "portal": GROUP_WIDE})
        for slice_number, event, portal, channel, audience, dimension, events, quantity in rows:
            total = Total(portal, channel, audience, dimension, int(events), int(quantity))
            for span in within[slice_number - 1]:
                found[span].setdefault(event, []).append(total)
        return found

    @cached_property
    def uniques(self) -> dict[tuple[date, str, str], int]:
        """(First day of the month, event, audience) → distinct pseudonyms."""
        query = select(KpiMonthUnique.month, KpiMonthUnique.event, KpiMonthUnique.audience, func.count()).where(
            KpiMonthUnique.month.in_({last.replace(day=1) for _, last in self._spans})
        )
        rows = session.execute(query.group_by(KpiMonthUnique.month, KpiMonthUnique.event, KpiMonthUnique.audience))
        return {(month, event, audience): total for month, event, audience, total in rows}

    def stock(self, event: str) -> Sequence[tuple[date, str, int]]:
        """(Day, audience, events) since the beginning; what came before the first span is folded into its eve."""
        if event not in self._stocks:
            bounds = {
                "event": event,
                "since": self._spans[0][0],
                "until": max(last for _, last in self._spans),
                "places": self._places,
            }
            self._stocks[event] = [
                (day, audience, int(total)) for day, audience, total in session.execute(_STOCK, bounds)
            ]
        return self._stocks[event]

    def covers(self, establishment_id: UUID) -> bool:
        """Whether this establishment is among those counted."""
        return self._places is None or establishment_id in self._places

    def once(self, key: Hashable, load: Callable[[], T]) -> T:
        """What a figure reads by itself, read once for all the spans."""
        if key not in self._once:
            self._once[key] = load()
        return cast(T, self._once[key])


_AMONG = "(cast(:places as uuid[]) is null or k.establishment_id = any (cast(:places as uuid[])))"
_TOTALS = text(
    "select width_bucket(k.day, cast(:starts as date[])), k.event, k.establishment_id = :portal, k.channel,"
    " k.audience, k.dimension, sum(k.events), sum(k.quantity)"
    f" from kpi_day k where k.day between :first and :last and {_AMONG} group by 1, 2, 3, 4, 5, 6"
)
_STOCK = text(
    "select greatest(k.day, cast(:since as date) - 1), k.audience, sum(k.events) from kpi_day k"
    f" where k.event = :event and k.day <= :until and {_AMONG} group by 1, 2"
)


@dataclass(frozen=True)
class Period:
    """Civil days, both included, at one establishment or (None) over the group.

    counts: what was read for this period and others beside it (`side_by_side`); a period alone reads at each call.
    """

    first: date
    last: date
    establishment_id: UUID | None = None
    counts: Counts | None = field(default=None, compare=False, repr=False)

    @property
    def portal(self) -> "Period":
        """The same days, for what belongs to no establishment (visits, accounts)."""
        return replace(self, establishment_id=GROUP_WIDE)

    @property
    def reading(self) -> Counts:
        places = None if self.establishment_id is None else [self.establishment_id]
        return self.counts or Counts([(self.first, self.last)], places)

    def once(self, key: Hashable, load: Callable[[], T]) -> T:
        """What a figure reads by itself: once for periods that stand side by side."""
        return self.counts.once(key, load) if self.counts else load()


def side_by_side(spans: Sequence[Span], establishment_id: UUID | None, among: Collection[UUID]) -> list[Period]:
    """Periods that are read together, at one establishment or (None) over those `among` which the reader may see."""
    counts = Counts(spans, among if establishment_id is None else [establishment_id])
    return [Period(first, last, establishment_id, counts) for first, last in spans]


def counted(
    event: str, period: Period, *, channels: Iterable[str] = (), audience: str = "", dimension: str = ""
) -> int:
    """How many such events in the period, from the roll-up."""
    kept = frozenset(channels)
    return sum(
        total.events
        for total in totals(event, period)
        if (not kept or total.channel in kept)
        and audience in ("", total.audience)
        and dimension in ("", total.dimension)
    )


def summed(event: str, period: Period) -> int:
    """The sum of the events' quantity in the period, from the roll-up."""
    return sum(total.quantity for total in totals(event, period))


def totals(event: str, period: Period) -> Iterator[Total]:
    """Such events in the period by channel, audience and dimension, from the roll-up; several may share all three."""
    for total in period.reading.totals[period.first, period.last].get(event, ()):
        if period.establishment_id is None or total.portal == (period.establishment_id == GROUP_WIDE):
            yield total


def stock(event: str, period: Period, *, audiences: Collection[str] = ()) -> int:
    """How many such events from the beginning to the period's last day."""
    return sum(
        total
        for day, audience, total in period.reading.stock(event)
        if day <= period.last and (not audiences or audience in audiences)
    )


def uniques(event: str, period: Period, *, audience: str = "") -> int:
    """Distinct pseudonyms in the month of the period's last day."""
    month = period.last.replace(day=1)
    return sum(
        total
        for (counted_month, name, whose), total in period.reading.uniques.items()
        if (counted_month, name) == (month, event) and audience in ("", whose)
    )
