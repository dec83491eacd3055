"""Figures for administrators: of the hospitals they administer and of the whole portal, never of another hospital.

A page reads its indicators, the period before and the bars of its charts side by side: a few statements, however
many figures there are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import select

from admin import spans
from admin.spans import Days
from portal import db, kpi
from portal.db import session
from portal.establishments import Establishment, Unit
from portal.kpi import Definition, Figure, Period, units


@dataclass(frozen=True)
class Choice:
    """What the reader asked for: days, at one of their hospitals or (None) at all of them, compared with others.

    unit: the only one of this hospital that is looked at.
    """

    days: Days
    hospitals: Sequence[Establishment]
    hospital: Establishment | None = None
    comparison: spans.Comparison = "before"
    asked_grain: spans.Grain | None = None
    unit: Unit | None = None

    @property
    def earlier(self) -> Days:
        """The days that these are compared with."""
        return spans.compared(self.days, self.comparison)

    @property
    def among(self) -> frozenset[UUID]:
        return frozenset(hospital.id for hospital in self.hospitals)


@dataclass(frozen=True)
class Cut:
    """One bar of a chart: its days and what was counted in them."""

    days: Days
    figure: Figure


@dataclass(frozen=True)
class Reading:
    """One indicator over the chosen period, over the equal period before, and bar by bar."""

    definition: Definition
    days: Days
    figure: Figure
    earlier_days: Days
    earlier: Figure
    cuts: Sequence[Cut]
    grain: spans.Grain
    target: float | None = None

    @property
    def known(self) -> bool:
        """Whether any bar has a value: a rate of nothing has none."""
        return any(value is not None for value in self.past)

    @property
    def target_is_of_a_bar(self) -> bool:
        """Whether the target may stand beside the bars: a number to reach in the whole period is not one of a day."""
        return self.definition.unit not in ("count", "cents") or len(self.cuts) == 1

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without a target, a value, or a better side."""
        value, better = self.figure.value, self.definition.better
        if self.target is None or value is None or not better:
            return None
        return value >= self.target if better == "up" else value <= self.target

    @property
    def past(self) -> list[float | int | None]:
        """The values of the bars, oldest first."""
        return [cut.figure.value for cut in self.cuts]


def hospitals(establishment_ids: frozenset[UUID]) -> Sequence[Establishment]:
    """These hospitals, by name."""
    query = select(Establishment).where(Establishment.id.in_(establishment_ids))
    return session.scalars(query.order_by(Establishment.name)).all()


def may_look_at(finess: str) -> bool:
    """Whether the reader administers this hospital; '' stands for all of theirs."""
    if not finess:
        return True
    place = session.scalar(select(Establishment.id).where(Establishment.finess == finess))
    return place in db.current_actor().rights.get("administration", ())


def has_every_hospital(establishment_ids: Collection[UUID]) -> bool:
    """Whether these are all the hospitals of the group."""
    return session.scalar(select(Establishment.id).where(Establishment.id.not_in(establishment_ids)).limit(1)) is None


class Figures:
    """The figures of one page: every indicator asked for shares what was read for the others."""

    def __init__(self, choice: Choice, events: Collection[str] | None = None) -> None:
        """events: what the page counts, to read nothing else; None reads everything."""
        self.choice = choice
        self.grain = spans.grain(choice.days, choice.asked_grain)
        self._by_days = _Bars(choice, choice.days, choice.earlier, spans.cuts(choice.days, choice.asked_grain), events)
        months = spans.months(choice.days)
        same_month = spans.month_of(choice.earlier.last) if choice.comparison == "year" else months[-2]
        self._by_months = _Bars(choice, months[-1], same_month, months, events)

    def of(self, definition: Definition) -> Reading:
        """The indicator over the chosen days, or over their last month when it only means something by month."""
        bars = self._by_months if definition.by_month else self._by_days
        now, earlier, *cuts = [definition.compute(period) for period in bars.periods]
        shown = [Cut(days, figure) for days, figure in zip(bars.cuts, cuts, strict=True)]
        grain: spans.Grain = "month" if definition.by_month else self.grain
        return Reading(
            definition, bars.days, now, bars.earlier, earlier, shown, grain, self._targets.get(definition.code)
        )

    @cached_property
    def _targets(self) -> Mapping[str, float]:
        """Of the hospital, or of the group when all hospitals are looked at, as they stand on the last day."""
        place = self.choice.hospital.id if self.choice.hospital else None
        found = kpi.targets([each.code for each in kpi.definitions()], [place, None], self.choice.days.last)
        own = {code: value for (code, where), value in found.items() if where == place}
        of_the_portal = {each.code for each in kpi.definitions() if each.portal}
        return {code: value for (code, _where), value in found.items() if code in of_the_portal} | own

    @property
    def whole(self) -> Period:
        """The chosen days, to count something else than an indicator in them."""
        return self._by_days.periods[0]

    def periods(self) -> Sequence[tuple[Days, Period]]:
        """The bars of the chosen days."""
        return list(zip(self._by_days.cuts, self._by_days.periods[2:], strict=True))


class _Bars:
    """Days, those they are compared with, and their cuts: read side by side, at the first question."""

    def __init__(
        self, choice: Choice, days: Days, earlier: Days, cuts: Sequence[Days], events: Collection[str] | None
    ) -> None:
        self.days, self.earlier, self.cuts = days, earlier, cuts
        place = choice.hospital.id if choice.hospital else None
        spans_read = [each.span for each in (days, earlier, *cuts)]
        if choice.unit is not None:
            self.periods = units.at_unit(spans_read, choice.unit.establishment_id, choice.unit.id, events or ())
        else:
            self.periods = kpi.side_by_side(spans_read, place, choice.among, events)
