"""Figures for administrators: of the hospitals they administer and of the whole portal, never of another hospital.

A page reads its indicators, the period before and the bars of its charts side by side: a few statements, however
many figures there are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import select

from admin import spans
from admin.spans import Days
from portal import kpi
from portal.db import session
from portal.establishments import Establishment
from portal.kpi import Definition, Figure, KpiWatermark, Period

_FAMILIES = {"O": "O", "U": "O", "R": "R", "P": "P", "D1": "P", "D2": "P", "D": "M", "M": "M", "F": "F"}
"""The first letters of codes (domain catalogue, section 5.2) → the family they are shown with, in reading order."""
_ORDER = list(_FAMILIES)


@dataclass(frozen=True)
class Choice:
    """What the reader asked for: days, at one of their hospitals or (None) at all of them."""

    days: Days
    hospitals: Sequence[Establishment]
    hospital: Establishment | None = None

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

    @property
    def past(self) -> list[float | int | None]:
        """The values of the bars, oldest first."""
        return [cut.figure.value for cut in self.cuts]


def hospitals(establishment_ids: frozenset[UUID]) -> Sequence[Establishment]:
    """These hospitals, by name."""
    query = select(Establishment).where(Establishment.id.in_(establishment_ids))
    return session.scalars(query.order_by(Establishment.name)).all()


def families() -> list[tuple[str, list[Definition]]]:
    """The indicators by family: O, R, P, M, F, or '' for those that the catalogue does not know."""
    ordered = sorted(kpi.definitions(), key=lambda each: (_rank(each.code), each.code))
    return [(family, list(group)) for family, group in groupby(ordered, lambda each: _family(each.code))]


def _family(code: str) -> str:
    return _FAMILIES.get(_prefix(code), "")


def _prefix(code: str) -> str:
    return code if code in _FAMILIES else code[:1]


def _rank(code: str) -> int:
    return _ORDER.index(_prefix(code)) if _prefix(code) in _FAMILIES else len(_ORDER)


def rolled_up_at() -> datetime | None:
    """Up to when events are counted."""
    return session.scalar(select(KpiWatermark.rolled_up_at))


class Figures:
    """The figures of one page: every indicator asked for shares what was read for the others."""

    def __init__(self, choice: Choice) -> None:
        self._by_days = _Bars(choice, choice.days, spans.before(choice.days), spans.cuts(choice.days))
        months = spans.months(choice.days)
        self._by_months = _Bars(choice, months[-1], months[-2], months)
        self.grain = spans.grain(choice.days)

    def of(self, definition: Definition) -> Reading:
        """The indicator over the chosen days, or over their last month when it only means something by month."""
        bars = self._by_months if definition.by_month else self._by_days
        now, earlier, *cuts = [definition.compute(period) for period in bars.periods]
        shown = [Cut(days, figure) for days, figure in zip(bars.cuts, cuts, strict=True)]
        grain: spans.Grain = "month" if definition.by_month else self.grain
        return Reading(definition, bars.days, now, bars.earlier, earlier, shown, grain)

    def periods(self) -> Sequence[tuple[Days, Period]]:
        """The bars of the chosen days, to count something else than an indicator in them."""
        return list(zip(self._by_days.cuts, self._by_days.periods[2:], strict=True))


class _Bars:
    """Days, those before them, and their cuts: read side by side, at the first question."""

    def __init__(self, choice: Choice, days: Days, earlier: Days, cuts: Sequence[Days]) -> None:
        self.days, self.earlier, self.cuts = days, earlier, cuts
        place = choice.hospital.id if choice.hospital else None
        self.periods = kpi.side_by_side([each.span for each in (days, earlier, *cuts)], place, choice.among)
