"""One figure, unit by unit, at one hospital: as it is, for those who administer it; and what of it may be shown.

On screen the numbers are exact, as on the other pages of one's own hospital. What may be shown holds quarters that are
final, and hides by `portal.kpi.unit_disclosure`, which judges every unit that the hospital ever told of.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from admin.figure_services import Service
from admin.queries_figures import Choice, Reading
from portal import db
from portal.db import session
from portal.establishments import Establishment, Unit, establishments
from portal.kpi import Definition, Figure, unit_disclosure, units
from portal.kpi import definitions as every_definition
from portal.kpi.disclosure import Hidden, Span
from portal.kpi.models import KpiClosedMonth
from portal.kpi.shared import is_about_somebody, shared
from portal.kpi.unit_disclosure import Line
from portal.kpi.units import ByUnit

QUARTERS = 8
"""How many final quarters a file that may be shown holds, at the most."""


@dataclass(frozen=True)
class UnitFigures:
    """A figure over the chosen days: unit by unit, the best fed first; of no unit (None); of the whole hospital."""

    definition: Definition
    hospital: Establishment
    units: Sequence[tuple[Unit, Reading]]
    rest: Reading
    whole: Reading

    @property
    def has_rest(self) -> bool:
        """Whether anything was told of no unit, in these days or in those they are compared with."""
        return any(each.numerator or each.denominator for each in (self.rest.figure, self.rest.earlier) if each.fed)


@dataclass(frozen=True)
class SharedQuarter:
    """What may be shown of a quarter: (unit, cell), None for what was told of no unit; and of the whole hospital."""

    days: Span
    units: Sequence[tuple[Unit | None, Figure | Hidden | None]]
    whole: Figure | Hidden | None


def definitions(service: Service) -> Sequence[Definition]:
    """The figures of a page that may be asked of a unit, in the order of the catalogue."""
    return [each for each in service.definitions if has_units(each)]


def has_units(definition: Definition) -> bool:
    return units.DIMENSION in definition.dimensions


def may_be_shared(definition: Definition) -> bool:
    """A delay of few people cannot be told from one of many: those stay in the hospital."""
    is_number = definition.unit in ("count", "rate") and not is_about_somebody(definition)
    return has_units(definition) and definition.of_people and is_number


def unit(establishment_ids: Collection[UUID], unit_id: str) -> Unit | None:
    """A unit of these hospitals, closed or not; None for what names no unit."""
    try:
        wanted = UUID(unit_id)
    except ValueError:
        return None
    return session.scalar(select(Unit).where(Unit.id == wanted, Unit.establishment_id.in_(establishment_ids)))


def every_unit(establishment_id: UUID) -> Sequence[Unit]:
    """All the units that this hospital has or had, by name."""
    query = select(Unit).where(Unit.establishment_id == establishment_id)
    return session.scalars(query.order_by(Unit.name, Unit.uf)).all()


def by_unit(definition: Definition, choice: Choice, hospital: Establishment) -> UnitFigures:
    """The figure at each unit of which anything was told. Two statements."""
    days, earlier = choice.days, choice.earlier
    found = ByUnit([days.span, earlier.span], hospital.id, _events(definition))
    named = {each.id: each for each in every_unit(hospital.id)}
    told = [(named[each], _reading(definition, choice, found, each)) for each in found.units if each in named]
    whole = [definition.compute(period) for period in found.whole]
    return UnitFigures(
        definition,
        hospital,
        sorted(told, key=lambda pair: (*_rank(pair[1].figure), pair[0].name, pair[0].uf)),
        _reading(definition, choice, found, None),
        Reading(definition, days, whole[0], earlier, whole[1], (), "day"),
    )


def _events(definition: Definition) -> set[str]:
    return {*definition.events, definition.event} - {""}


def _reading(definition: Definition, choice: Choice, found: ByUnit, unit_id: UUID | None) -> Reading:
    now, before = [definition.compute(period) for period in found.of(unit_id)]
    return Reading(definition, choice.days, now, choice.earlier, before, (), "day")


def _rank(figure: Figure) -> tuple[bool, float, int]:
    """The highest value first, then those behind which most stands; those without a value last."""
    value = figure.value
    return value is None, -(value or 0), -(figure.denominator or 0)


# ---- What may be shown ---------------------------------------------------------------------------------------------


def shared_by_unit(definition: Definition, hospital: Establishment) -> Sequence[SharedQuarter]:
    """The last quarters that are final, oldest first, with what may be shown of each; none when none is."""
    quarters = _final_quarters()
    if not quarters:
        return []
    with db.transaction(db.system("figures.units")):
        every = [each.id for each in establishments()]
        (whole,) = shared([definition], quarters, [hospital.id], hospitals=every)
    linked = _linked(definition)
    found = ByUnit(quarters, hospital.id, {event for each in linked for event in _events(each)})
    heard = units.heard_of(hospital.id, [last for _first, last in quarters])
    named = {each.id: each for each in every_unit(hospital.id)}
    return [
        _quarter(definition, linked, found, rank, days, heard[days[1]], named, whole.cells[days])
        for rank, days in enumerate(quarters)
    ]


def _linked(definition: Definition) -> Sequence[Definition]:
    """Itself, and what is counted from the same events, step by step: visits missed with and without a reminder add up
    to those missed, so that a unit which is hidden in one is hidden in all."""
    linked, events = [definition], _events(definition)
    others = [each for each in every_definition() if may_be_shared(each)]
    while more := [each for each in others if each not in linked and _events(each) & events]:
        linked += more
        events = events.union(*map(_events, more))
    return linked


def _final_quarters() -> list[Span]:
    closed = set(session.scalars(select(KpiClosedMonth.month)))
    starts = sorted(month for month in closed if month.month % 3 == 1 and set(_months(month)) <= closed)
    return [(start, _end(_months(start)[-1])) for start in starts[-QUARTERS:]]


def _months(start: date) -> list[date]:
    return [date(start.year, start.month + more, 1) for more in range(3)]


def _end(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _quarter(
    definition: Definition,
    linked: Sequence[Definition],
    found: ByUnit,
    rank: int,
    days: Span,
    heard: Collection[UUID],
    named: Mapping[UUID, Unit],
    whole: Figure | Hidden | None,
) -> SharedQuarter:
    keys: list[UUID | None] = [None, *sorted(heard)]
    figures = [definition.compute(found.of(each)[rank]) for each in keys]
    kept_back: Collection[int] = range(len(keys))
    if isinstance(whole, Figure):
        judged = [_hidden([each.compute(found.of(key)[rank]) for key in keys]) for each in linked]
        kept_back = frozenset().union(*judged)
    cells = {
        key: Hidden.TOTAL if at in kept_back else figure
        for at, (key, figure) in enumerate(zip(keys, figures, strict=True))
    }
    known = (named[key] for key in cells if key is not None and key in named)
    in_order = sorted(known, key=lambda each: (each.name, each.uf))
    return SharedQuarter(days, [*((each, cells[each.id]) for each in in_order), (None, cells[None])], whole)


def _hidden(figures: Sequence[Figure]) -> Collection[int]:
    lines = [_line(each) for each in figures]
    if any(part < 0 for line in lines for part in line):
        return range(len(lines))  # not a part of a whole: nothing can be said of what one tells of the other
    return unit_disclosure.hidden(lines)


def _line(figure: Figure) -> Line:
    if figure.denominator is None:
        return (figure.numerator,)
    return figure.numerator, figure.denominator - figure.numerator
