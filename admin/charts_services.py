"""What the page of a service draws besides its figures: who came and how, what became of things, how long it took.

A drawing is a declaration: `parts` of columns (stacked, or filled to a hundred per cent), `delays`, `steps`, `ranks`,
`hours`. A drawing without anything to show is left out.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask_babel import gettext as _

from admin import figure_words
from admin.charts_figures import Chart
from admin.queries_figures import Figures
from portal import kpi
from portal.kpi import Period, delays, hours
from portal.web.charts_parts import MOST_PARTS

_MOST_RANKS = 10


@dataclass(frozen=True)
class Part:
    """Events of one kind, of these channels, audiences and dimensions if any are named.

    portal: of no establishment. summed: their quantity instead of their number. less: what is taken away from them.
    """

    name: Any
    event: str
    channels: frozenset[str] = frozenset()
    audiences: frozenset[str] = frozenset()
    dimensions: frozenset[str] = frozenset()
    portal: bool = False
    summed: bool = False
    less: Sequence["Part"] = ()

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.event}).union(*(part.events for part in self.less))

    def count(self, period: Period) -> int:
        """Never below nothing: what is taken away may have been counted later."""
        found = (each for each in kpi.totals(self.event, period.portal if self.portal else period) if self._holds(each))
        gross = sum(each.quantity if self.summed else each.events for each in found)
        return max(gross - sum(part.count(period) for part in self.less), 0)

    def _holds(self, total: kpi.Total) -> bool:
        return (
            (not self.channels or total.channel in self.channels)
            and (not self.audiences or total.audience in self.audiences)
            and (not self.dimensions or total.dimension in self.dimensions)
        )


@dataclass(frozen=True)
class Parts:
    """Columns by bar of the period. filled: each to a hundred per cent. cents: amounts, drawn in euros."""

    code: str
    title: Any
    parts: Sequence[Part]
    filled: bool = False
    cents: bool = False

    @property
    def events(self) -> frozenset[str]:
        return frozenset().union(*(part.events for part in self.parts))

    def draw(self, figures: Figures) -> Chart | None:
        bars = figures.periods()
        counted = [(part, [part.count(period) for _days, period in bars]) for part in self.parts]
        kept = [(part, values) for part, values in counted if any(values)]
        if not kept:
            return None
        divided = 100 if self.cents else 1
        series = [{"name": part.name, "values": [value / divided for value in values]} for part, values in kept]
        return Chart(
            self.code,
            "shares" if self.filled else "stacked",
            str(self.title),
            note=figure_words.grain(figures.grain),
            labels=figure_words.bars([days for days, _period in bars], figures.grain),
            series=series,
        )


@dataclass(frozen=True)
class Split:
    """Columns of one event by its channels or its dimensions. words: their names; those without one come together."""

    code: str
    title: Any
    event: str
    by: Literal["channel", "dimension"]
    words: Mapping[str, Any]

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.event})

    def draw(self, figures: Figures) -> Chart | None:
        found = {getattr(total, self.by) for total in kpi.totals(self.event, figures.whole)}
        named = [name for name in self.words if name in found][: MOST_PARTS - 1]
        parts = [self._part(self.words[name], {name}) for name in named]
        if others := found - set(named):
            parts.append(self._part(_("Other"), others))
        return Parts(self.code, self.title, parts).draw(figures)

    def _part(self, name: Any, among: Collection[str]) -> Part:
        if self.by == "channel":
            return Part(name, self.event, channels=frozenset(among))
        return Part(name, self.event, dimensions=frozenset(among))


@dataclass(frozen=True)
class Ranks:
    """Bars of one event over the whole period by its dimensions, the most frequent first."""

    code: str
    title: Any
    event: str
    words: Mapping[str, Any] = field(default_factory=dict)

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.event})

    def draw(self, figures: Figures) -> Chart | None:
        by_dimension = Counter[str]()
        for total in kpi.totals(self.event, figures.whole):
            by_dimension[total.dimension] += total.events
        counted = Counter[str]()
        for dimension, events in by_dimension.items():
            counted[str(self.words.get(dimension) or _("Other"))] += events
        ranked = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:_MOST_RANKS]
        points = [{"label": name, "value": value} for name, value in ranked]
        return Chart(self.code, "ranked", str(self.title), _("How many"), points=points) if points else None


@dataclass(frozen=True)
class Steps:
    """A funnel: what is left of what began."""

    code: str
    title: Any
    steps: Sequence[Part]

    @property
    def events(self) -> frozenset[str]:
        return frozenset().union(*(step.events for step in self.steps))

    def draw(self, figures: Figures) -> Chart | None:
        points = [{"label": str(step.name), "value": step.count(figures.whole)} for step in self.steps]
        return Chart(self.code, "funnel", str(self.title), points=points) if points[0]["value"] else None


@dataclass(frozen=True)
class Delays:
    """How long answers took, in working hours: within which half of them lie, and nine in ten."""

    code: str
    title: Any
    event: str

    @property
    def events(self) -> frozenset[str]:
        return frozenset({self.event})

    def draw(self, figures: Figures) -> Chart | None:
        bars = figures.periods()
        shares = ((_("Half of them within"), 0.5), (_("Nine in ten within"), 0.9))
        series = [
            {"name": name, "values": [_hours(self.event, period, share) for _days, period in bars]}
            for name, share in shares
        ]
        if not any(value is not None for one in series for value in one["values"]):
            return None
        labels = figure_words.bars([days for days, _period in bars], figures.grain)
        note = _("in working hours, %(grain)s", grain=figure_words.grain(figures.grain))
        return Chart(self.code, "lines", str(self.title), note=note, labels=labels, series=series)


def _hours(event: str, period: Period, share: float) -> float | None:
    found = delays.percentile(event, period, share)
    return None if found is None else round(found, 1)


@dataclass(frozen=True)
class Hours:
    """When in the week something happens: a grid of days and hours, over the whole months of the chosen days. portal:
    of no establishment."""

    code: str
    title: Any
    event: str
    portal: bool = False
    events: frozenset[str] = frozenset()
    """Not of the figures: it reads a table of its own, in one statement."""

    def draw(self, figures: Figures) -> Chart | None:
        choice = figures.choice
        here = {choice.hospital.id} if choice.hospital else choice.among
        found = hours.week(self.event, *choice.days.span, None if self.portal else here)
        if not any(map(any, found)):
            return None
        months = figure_words.months(choice.days)
        if self.portal:
            note = _("By hour in Paris, %(months)s", months=months)
        else:
            note = _("By hour of the hospital’s clock, %(months)s", months=months)
        return Chart(self.code, "heat", str(self.title), note=note, labels=figure_words.weekdays(), grid=found)


Drawing = Parts | Split | Ranks | Steps | Delays | Hours
