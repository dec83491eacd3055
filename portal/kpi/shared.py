"""Figures for those who do not work with the files they count: of whole months, quarters and years, masked together.

Whatever is asked for, each figure is judged over whole years and at every hospital of the group: what one export shows
never depends on what was left out of it, and no two exports differ by something hidden (`disclosure`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_lowercase
from typing import Final
from uuid import UUID

from portal.kpi import disclosure
from portal.kpi.catalogue import Definition, Figure, definitions
from portal.kpi.disclosure import GROUP, LEAST, Amount, Cell, Hidden, Number, Rate, Span
from portal.kpi.reading import Period, counted, place_by_place, side_by_side

STOCKS: Final = frozenset({"U1", "CO1", "U4"})
"""What there is at the end of a period: the difference of two periods tells who came in between."""
_ABOUT_SOMEBODY: Final = frozenset({"cents", "hours", "days", "score"})
_AVERAGES: Final = frozenset({"L4"})
"""Figures of the unit `count` that count nobody: minutes on average."""


@dataclass(frozen=True)
class SharedFigure:
    """One figure at one place (None: the group), span by span: a number as it was computed, why it is hidden, or None
    when it is not fed or has no meaning there."""

    definition: Definition
    place: UUID | None
    cells: Mapping[Span, Figure | Hidden | None]


_Grid = dict[tuple[str, Span], tuple[Figure, Number | None]]


def shared(
    chosen: Sequence[Definition],
    spans: Sequence[Span],
    places: Sequence[UUID | None],
    *,
    hospitals: Sequence[UUID],
    exact: bool = False,
) -> list[SharedFigure]:
    """These figures at these places (None: the whole group), over these spans of `disclosure.grid`.

    hospitals: every one of the group. exact: as they are, for those who work there. A figure of the portal is given
    once, for the group.
    """
    if not spans:
        return []
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    every = disclosure.grid(disclosure.beginning(first), last)
    # Those that add up with one of them are judged with it, shown or not.
    families = {family(each) for each in chosen}
    judged = chosen if exact else [each for each in definitions() if family(each) in families]
    counted_from = {event for each in judged for event in (*each.events, each.event) if event}
    periods = _periods(spans if exact else every, hospitals, counted_from)
    grids = {each.code: _computed(each, periods) for each in judged}
    hidden = {} if exact else _hidden(judged, grids, [str(each) for each in hospitals], every)
    return [
        _figure(each, place, spans, grids[each.code], hidden)
        for each in chosen
        for place in places
        if place is None or not each.portal
    ] + [_figure(each, None, spans, grids[each.code], hidden) for each in chosen if each.portal and None not in places]


def _figure(
    definition: Definition, place: UUID | None, spans: Sequence[Span], grid: _Grid, hidden: Mapping[object, Hidden]
) -> SharedFigure:
    at = _name(place)
    cells: dict[Span, Figure | Hidden | None] = {}
    for span in spans:
        found = grid.get((at, span))
        cells[span] = hidden.get((definition.code, at, span)) or (found[0] if found else None)
    return SharedFigure(definition, place, cells)


def family(definition: Definition) -> str:
    """The code of the figure that it adds up to with others, were there one: F1b and F1c make F1."""
    return definition.part_of or definition.code.rstrip(ascii_lowercase)


def _name(place: UUID | None) -> str:
    return GROUP if place is None else str(place)


def _periods(spans: Sequence[Span], hospitals: Sequence[UUID], events: Collection[str]) -> dict[str, list[Period]]:
    apart = {str(place): periods for place, periods in place_by_place(spans, hospitals, events).items()}
    return apart | {GROUP: side_by_side(spans, None, hospitals, events)}


def _computed(definition: Definition, periods: Mapping[str, Sequence[Period]]) -> _Grid:
    """Every number of a figure, as it is and as it is judged; absent where it is not fed or means nothing."""
    found: _Grid = {}
    for place, over in periods.items():
        if definition.portal and place != GROUP:
            continue
        for period in over:
            if definition.by_month and len(disclosure.months(period.first, period.last)) != 1:
                continue
            figure = definition.compute(period)
            if figure.fed:
                found[place, (period.first, period.last)] = figure, _number(definition, figure, period)
    return found


def _number(definition: Definition, figure: Figure, period: Period) -> Number | None:
    if is_about_somebody(definition):
        event = definition.event or next(iter(definition.events), "")
        people = figure.denominator if figure.denominator is not None else counted(event, period)
        return Amount(figure.numerator, people)
    return figure.numerator if figure.denominator is None else Rate(figure.numerator, figure.denominator)


# ---- What is hidden ------------------------------------------------------------------------------------------------


def _hidden(
    chosen: Sequence[Definition], grids: Mapping[str, _Grid], hospitals: Sequence[str], every: Sequence[Span]
) -> dict[object, Hidden]:
    """(Code, place, span) → why."""
    found: dict[object, Hidden] = {}
    for definition in chosen:
        cells = {key: number for key, (_figure, number) in grids[definition.code].items()}
        judged = (_stock if definition.code in STOCKS else _flow)(definition, cells, hospitals, every)
        found |= {(definition.code, *key): cell for key, cell in judged.items() if isinstance(cell, Hidden)}
    for whole, parts in _families(chosen, grids):
        found |= _tied(whole, parts, grids, found)
    return found


def _is_of_people(definition: Definition) -> bool:
    return definition.of_people or is_about_somebody(definition)


def is_about_somebody(definition: Definition) -> bool:
    """A sum, a delay or an average, which tells nothing of how many people it comes from."""
    return definition.unit in _ABOUT_SOMEBODY or definition.code in _AVERAGES


def _flow(
    definition: Definition, cells: Mapping[tuple[str, Span], Cell], hospitals: Sequence[str], every: Sequence[Span]
) -> Mapping[tuple[str, Span], Cell]:
    return disclosure.protect_grid(cells, hospitals, every, people=_is_of_people(definition))


def _stock(
    definition: Definition, cells: Mapping[tuple[str, Span], Cell], hospitals: Sequence[str], every: Sequence[Span]
) -> Mapping[tuple[str, Span], Cell]:
    judged: dict[tuple[str, Span], Cell] = {}
    for place in (*hospitals, GROUP):
        numbers = {span: _first(cells.get((place, span))) for span in every}
        shown = disclosure.protect_stock(numbers, every, people=_is_of_people(definition))
        judged |= {(place, span): _alone(cells.get((place, span)), cell) for span, cell in shown.items()}
    for span in every:
        if any(isinstance(judged[place, span], Hidden) for place in hospitals):
            judged[GROUP, span] = Hidden.TOTAL
    return judged


def _alone(cell: Cell, moved: Cell) -> Cell:
    """A rate of what there is must be one that may be shown, besides not moving by few."""
    few = isinstance(cell, Rate) and not disclosure.may_be_shown(cell)
    return Hidden.RATE if few else moved


def _first(cell: Cell) -> int | None:
    return cell.numerator if isinstance(cell, Rate) else cell if isinstance(cell, int) else None


def _families(
    chosen: Iterable[Definition], grids: Mapping[str, _Grid]
) -> Iterator[tuple[Definition, list[Definition]]]:
    """A figure and those that add up to it: declared, whatever their numbers show of a month that was corrected in the
    next one; or (F1b and F1c to F1) as their numbers show."""
    ordered = sorted(chosen, key=lambda each: (family(each), each.code))
    for name, group in groupby(ordered, family):
        together = list(group)
        whole = next((each for each in together if each.code == name), None)
        if whole is None:
            continue
        if declared := [each for each in together if each.part_of]:
            yield whole, declared
            continue
        parts = [each for each in together if each is not whole and each.unit == whole.unit]
        if len(parts) > 1 and _add_up(grids[whole.code], [grids[each.code] for each in parts]):
            yield whole, parts


def _add_up(whole: _Grid, parts: Sequence[_Grid]) -> bool:
    return all(
        figure.numerator == sum(part[key][0].numerator for part in parts if key in part)
        for key, (figure, _number) in whole.items()
    )


def _tied(
    whole: Definition, parts: Sequence[Definition], grids: Mapping[str, _Grid], found: Mapping[object, Hidden]
) -> dict[object, Hidden]:
    """Where a part is small, all of them are hidden, in every span that holds it and at the group; and the whole with
    them unless it leaves the small one its range."""
    tied: dict[object, Hidden] = {}
    keys = set(grids[whole.code])
    small = {
        (place, span)
        for place, span in keys
        if len(disclosure.months(*span)) == 1
        and any(found.get((part.code, place, span)) in (Hidden.FEW, Hidden.RATE) for part in parts)
    }
    for place, span in keys:
        if not any(_holds(place, span, each) for each in small):
            continue
        tied |= {(part.code, place, span): found.get((part.code, place, span), Hidden.TOTAL) for part in parts}
        if grids[whole.code][place, span][0].numerator < 2 * LEAST - 1:
            tied[whole.code, place, span] = found.get((whole.code, place, span), Hidden.TOTAL)
    return tied


def _holds(place: str, span: Span, small: tuple[str, Span]) -> bool:
    where, month = small
    return place in (GROUP, where) and span[0] <= month[0] and month[1] <= span[1]
