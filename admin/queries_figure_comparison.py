"""One figure at several hospitals, side by side: ranked, with nobody to be recognised in it.

A comparison leaves the desk of those who work with the files: it is printed, shown to a board. So small numbers are
hidden (`portal.kpi.disclosure`) and its periods are those of the grid that exports keep to, whole months, quarters
and years, judged from the first day of a year on: two comparisons differ by nothing that one of them does not say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from admin import spans
from admin.spans import Days
from portal import db, kpi
from portal.catalog import PublishedService, open_on
from portal.db import session
from portal.establishments import Establishment, establishments
from portal.kpi import Definition, Figure, disclosure
from portal.kpi.disclosure import Cell, Hidden, Rate
from portal.kpi.shared import shared

MONTHS_DRAWN = 13
Span = disclosure.Span


@dataclass(frozen=True)
class Place:
    """A hospital: its figure, the one of the period before, its months, its rank among those that have one, and how
    many services it has opened out of those that any of them has."""

    hospital: Establishment
    cell: Cell
    earlier: Cell
    months: Sequence[Cell]
    rank: int | None
    target: float | None
    opened: int


@dataclass(frozen=True)
class Comparison:
    """months: the days of what each place holds by month. services: how many are open somewhere."""

    definition: Definition
    days: Days
    earlier: Days
    months: Sequence[Days]
    places: Sequence[Place]
    services: int

    @property
    def hides(self) -> bool:
        """Whether a number is hidden anywhere."""
        cells = [cell for place in self.places for cell in (place.cell, place.earlier, *place.months)]
        return any(isinstance(cell, Hidden) for cell in cells)


def definitions() -> Sequence[Definition]:
    """The figures that hospitals may be compared by. A delay or an amount of few people cannot be told from one of
    many, so those that are about people are left out."""
    return [
        each for each in kpi.definitions() if not each.portal and (each.unit in ("count", "rate") or not each.of_people)
    ]


def compare(definition: Definition, days: Days, hospitals: Sequence[Establishment]) -> Comparison:
    """The figure at these hospitals over a span of the grid, and by month up to its end."""
    months = _months(days)
    earlier = spans.span_before(days)
    shown = _shown(definition, hospitals, min(months[0], earlier), days)
    cells = {each.id: shown.get((each.finess, days.span)) for each in hospitals}
    ranks = _ranks(definition, cells)
    targets = kpi.targets([definition.code], [each.id for each in hospitals], days.last)
    opened, services = _opened([each.id for each in hospitals], days)
    places = [
        Place(
            each,
            cells[each.id],
            shown.get((each.finess, earlier.span)),
            [shown.get((each.finess, month.span)) for month in months],
            ranks.get(each.id),
            targets.get((definition.code, each.id)),
            opened.get(each.id, 0),
        )
        for each in hospitals
    ]
    ordered = sorted(places, key=lambda place: (place.rank or len(places) + 1, place.hospital.name))
    return Comparison(definition, days, earlier, months, ordered, services)


def value(cell: Cell) -> float | int | None:
    """The number that a cell shows; None when there is none, or when it is hidden."""
    if isinstance(cell, Rate):
        return cell.value
    return cell if isinstance(cell, int) else None


def _months(days: Days) -> list[Days]:
    found = [spans.month_of(days.last)]
    while len(found) < MONTHS_DRAWN:
        found.insert(0, spans.last_month(found[0].first))
    return found


def _shown(
    definition: Definition, hospitals: Sequence[Establishment], since: Days, days: Days
) -> Mapping[tuple[str, Span], Cell]:
    """(FINESS, span) → what may be shown: judged with the group, every hospital of it and the parts of the figure, as
    exports are, or a comparison and an export would tell together what each of them hides."""
    grid = disclosure.grid(disclosure.beginning(since.first), days.last)
    finess = {each.id: each.finess for each in hospitals}
    with db.transaction(db.system("figures.compare")):
        every = [each.id for each in establishments()]
        figures = shared([definition], grid, list(finess), hospitals=every)
    return {
        (finess[each.place], span): _cell(cell) for each in figures if each.place for span, cell in each.cells.items()
    }


def _cell(figure: Figure | Hidden | None) -> Cell:
    if figure is None or isinstance(figure, Hidden):
        return figure
    return figure.numerator if figure.denominator is None else Rate(figure.numerator, figure.denominator)


def _ranks(definition: Definition, cells: Mapping[UUID, Cell]) -> dict[UUID, int]:
    """1 for the best; equal values share a rank; none when neither side is better."""
    known = {place: found for place, cell in cells.items() if (found := value(cell)) is not None}
    if definition.better not in ("up", "down"):
        return {}
    best_first = definition.better == "up"
    return {
        place: 1 + sum((other > found) == best_first and other != found for other in known.values())
        for place, found in known.items()
    }


def _opened(establishment_ids: Sequence[UUID], days: Days) -> tuple[dict[UUID, int], int]:
    """Services open on the last day at each hospital, and how many are open at one of them at least."""
    rows = session.execute(
        select(PublishedService.establishment_id, func.array_agg(PublishedService.code))
        .where(PublishedService.establishment_id.in_(establishment_ids), open_on(days.last))
        .group_by(PublishedService.establishment_id)
    )
    codes = {place: set(found) for place, found in rows}
    return {place: len(found) for place, found in codes.items()}, len(set().union(*codes.values()))
