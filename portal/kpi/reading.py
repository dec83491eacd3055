"""What the roll-up says of a period: pages show a dozen figures and their past for one statement of totals."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from typing import TypeVar, cast
from uuid import UUID

from portal.kpi import spanning
from portal.kpi.models import GROUP_WIDE
from portal.kpi.spanning import Span, Total

T = TypeVar("T")


class Counts:
    """What the roll-up holds for some spans of days: one statement for all the figures of all the spans.

    establishments: those to count, besides what belongs to none; None for every one the reader may see. events: those
    that will be asked for, which are read together; another one costs a statement of its own. None: all there are.
    apart: each establishment will be asked for by itself (`at`). beginning: only what has a dimension that begins so.
    """

    def __init__(
        self,
        spans: Iterable[Span],
        establishments: Collection[UUID] | None,
        events: Collection[str] | None = None,
        *,
        apart: bool = False,
        beginning: str = "",
    ) -> None:
        self._spans = sorted(set(spans))
        self._places = None if establishments is None else frozenset({*establishments, GROUP_WIDE})
        self._read = spanning.Rows(self._spans, self._places, events, apart=apart, beginning=beginning)
        self._told_at: Collection[UUID | None] = (None, GROUP_WIDE)
        self._once: dict[Hashable, object] = {}
        self._told: dict[tuple[str, Span, bool | None], Sequence[Total]] = {}

    def at(self, establishment_id: UUID) -> "Counts":
        """What of it is of one establishment, besides what belongs to none: nothing is read twice, not even what
        figures read by themselves (`once`), which is told apart by place by whoever reads it."""
        alone = copy(self)
        alone._places = frozenset({establishment_id, GROUP_WIDE})
        alone._told_at = (establishment_id, GROUP_WIDE)
        alone._told = {}
        return alone

    def totals(self, event: str, span: Span, portal: bool | None = None) -> Sequence[Total]:
        """Such events in one of the spans; several may share all that tells them apart. portal: only what belongs to
        no establishment, or only what belongs to one. Figures ask for the same ones many times."""
        key = (event, span, portal)
        if key not in self._told:
            self._told[key] = [each for each in self._found(event, span) if portal in (None, each.portal)]
        return self._told[key]

    def _found(self, event: str, span: Span) -> Iterable[Total]:
        known = self._read.totals(event, span)
        return chain.from_iterable(known[place] for place in self._told_at if place in known)

    def uniques(self, month: date, event: str) -> Sequence[tuple[str, int]]:
        """(Audience, distinct pseudonyms) in the month of this first day."""
        return self._read.uniques.get((month, event), ())

    def stock(self, event: str, beside: str = "") -> Sequence[tuple[UUID, date, str, int]]:
        """(Place, day, audience, events) since the beginning; what came before the first span is folded into its
        eve. beside: as in `spanning.Rows`."""
        return self._read.stock(event, beside)

    def frozen(self, code: str) -> Sequence[tuple[date, str, int, int | None]]:
        """(Day, audience, numerator, denominator) of the numbers kept for the days of the spans."""
        return self._read.frozen.get(code, ())

    def covers(self, establishment_id: UUID) -> bool:
        """Whether this establishment is among those counted."""
        return self._places is None or establishment_id in self._places

    def once(self, key: Hashable, load: Callable[[], T]) -> T:
        """What a figure reads by itself, read once for all the spans and all the places: `load` reads every hospital
        that the reader may see, and the figure keeps those that it `covers`."""
        if key not in self._once:
            self._once[key] = load()
        return cast(T, self._once[key])


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


def side_by_side(
    spans: Sequence[Span],
    establishment_id: UUID | None,
    among: Collection[UUID],
    events: Collection[str] | None = None,
) -> list[Period]:
    """Periods that are read together, at one establishment or (None) over those `among` which the reader may see.

    events: those that will be asked for (`Definition.events`); None reads all there are.
    """
    counts = Counts(spans, among if establishment_id is None else [establishment_id], events)
    return [Period(first, last, establishment_id, counts) for first, last in spans]


def place_by_place(
    spans: Sequence[Span], establishment_ids: Collection[UUID], events: Collection[str] | None = None
) -> Mapping[UUID, list[Period]]:
    """The same periods at each of these establishments, for as many statements as at one of them."""
    together = Counts(spans, establishment_ids, events, apart=True)
    return {
        place: [Period(first, last, place, counts) for first, last in spans]
        for place in establishment_ids
        for counts in [together.at(place)]
    }


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


def totals(event: str, period: Period) -> Sequence[Total]:
    """Such events in the period by channel, audience and dimension, from the roll-up; several may share all three."""
    portal = None if period.establishment_id is None else period.establishment_id == GROUP_WIDE
    return period.reading.totals(event, (period.first, period.last), portal)


def stock(event: str, period: Period, *, audiences: Collection[str] = (), less: str = "") -> int:
    """How many such events from the beginning to the period's last day. less: another event, taken away from them."""
    reading = period.reading
    found = sum(
        total
        for place, day, audience, total in reading.stock(event, less)
        if day <= period.last and period.establishment_id in (None, place) and (not audiences or audience in audiences)
    )
    return found - stock(less, replace(period, counts=reading), audiences=audiences) if less else found


def uniques(event: str, period: Period, *, audience: str = "") -> int:
    """Distinct pseudonyms in the month of the period's last day."""
    found = period.reading.uniques(period.last.replace(day=1), event)
    return sum(people for whose, people in found if audience in ("", whose))
