"""What figures may be shown to those who do not work with the files they count (domain catalogue, section 5.4). Pure.

A count of persons or stays from 1 to 10 is hidden (PMSI rule of the CASD: no cell about fewer than eleven), a rate too
when fewer than thirty stand behind it. Nothing else of the body is hidden: what gives way is the totals. A total is
published only when it leaves every hidden cell its whole range, from 1 to 10, whatever else is published, and even to
somebody who knows one whole row by heart (the hospital that it is about).

The proof is in the shape. The hidden cells that a published total binds form a block; blocks never overlap in part: a
total that would cut one is dropped. Blocks being apart, each is judged alone, exactly, and nothing can be combined.

Periods are those of a fixed grid (`grid`): whole months, quarters and years. They are judged in the order in which they
end, so that a figure published in February is never betrayed by one published in April, and so that any two exports
are two views of one published whole: their difference tells nothing more.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum
from typing import NamedTuple, TypeAlias

LEAST = 11
"""The smallest number of persons or stays that is shown."""
LEAST_BEHIND_RATE = 30
"""The smallest denominator of a rate that is shown."""


class Hidden(Enum):
    """Why a cell is not shown: it is small; it is a total that would tell a small one; or a rate with few behind it."""

    FEW = "few"
    TOTAL = "total"
    RATE = "rate"


@dataclass(frozen=True)
class Rate:
    """A part of a whole."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Amount:
    """A sum or a delay, and how many persons, stays or payments it comes from."""

    value: int
    people: int


Number: TypeAlias = int | Rate | Amount
Cell: TypeAlias = Number | Hidden | None
"""None: not fed. A result holds `Hidden` where the number is kept back."""


@dataclass(frozen=True)
class Table:
    """Numbers in rows and columns.

    rows: one for each establishment where several stand side by side, since each knows its own.
    row_totals: one a row, over its columns; column_totals: one a column, over its rows; empty when there are none. A
    total that is not the sum of its line (distinct people) is known as such from its value.
    people: which cells count persons or stays, in the shape of cells; empty: all of them.
    zeros: whether a zero may be shown (not for sensitive units).
    """

    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[Cell]]
    row_totals: Sequence[Cell] = ()
    column_totals: Sequence[Cell] = ()
    grand_total: Cell = None
    people: Sequence[Sequence[bool]] = ()
    zeros: bool = True


class _Leaf(NamedTuple):
    """A cell of the body: who knows it, its own key, its number, whether it counts people."""

    row: Hashable
    key: Hashable
    number: Number
    people: bool


def protect(table: Table) -> Table:
    """The same table with what must not be known replaced by `Hidden`. Its totals: by column, by row, then the whole.

    Raises ValueError when the table is not rectangular, or one of its cells is hidden already.
    """
    _check(table)
    book = _Book(table.zeros)
    height, width = len(table.rows), len(table.columns)
    cells = [
        [book.show((row, column), row, table.cells[row][column], people=_of_people(table, row, column))
         for column in range(width)]
        for row in range(height)
    ]  # fmt: skip
    down = [[(row, column) for row in range(height)] for column in range(width)]
    across = [[(row, column) for column in range(width)] for row in range(height)]
    whole = [key for line in across for key in line]
    return replace(
        table,
        cells=cells,
        column_totals=[book.total(total, keys) for total, keys in zip(table.column_totals, down, strict=False)],
        row_totals=[book.total(total, keys) for total, keys in zip(table.row_totals, across, strict=False)],
        grand_total=book.total(table.grand_total, whole),
    )


def _check(table: Table) -> None:
    shapes = {len(row) for row in table.cells} | {len(row) for row in table.people}
    if len(table.cells) != len(table.rows) or shapes - {len(table.columns)}:
        raise ValueError("A table has as many cells as rows and columns say")
    if len(table.row_totals) not in (0, len(table.rows)) or len(table.column_totals) not in (0, len(table.columns)):
        raise ValueError("A table has one total for each of its lines, or none")


def _of_people(table: Table, row: int, column: int) -> bool:
    return table.people[row][column] if table.people else True


def may_be_shown(number: Number, *, people: bool = True, zeros: bool = True) -> bool:
    """Whether this number tells of nobody, by itself. people: it counts persons or stays."""
    return _reason(number, people=people, zeros=zeros) is None


def _reason(number: Number, *, people: bool, zeros: bool) -> Hidden | None:
    if isinstance(number, Rate):
        rest = number.denominator - number.numerator
        if number.denominator < LEAST_BEHIND_RATE:
            return Hidden.RATE
        # Those who are not in the numerator are people too.
        few = people and any(_is_few(part, zeros=zeros) for part in (number.numerator, rest))
        return Hidden.RATE if few else None
    counted = number.people if isinstance(number, Amount) else number
    return Hidden.FEW if people and _is_few(counted, zeros=zeros) else None


def _is_few(number: int, *, zeros: bool) -> bool:
    return (1 if zeros else 0) <= number < LEAST


# ---- What is published, and what it binds --------------------------------------------------------------------------


@dataclass
class _Book:
    """What has been published so far. zeros: a zero is shown, so that a hidden number is 1 at least."""

    zeros: bool
    leaves: dict[Hashable, _Leaf] = field(default_factory=dict)
    hidden: set[Hashable] = field(default_factory=set)
    blocks: list[frozenset[Hashable]] = field(default_factory=list)

    def show(self, key: Hashable, row: Hashable, cell: Cell, *, people: bool) -> Cell:
        """A cell of the body: itself, or why it is hidden."""
        if cell is None:
            return None
        if isinstance(cell, Hidden):
            raise ValueError("A table is protected once, from its own numbers")
        self.leaves[key] = _Leaf(row, key, cell, people)
        reason = _reason(cell, people=people, zeros=self.zeros)
        if reason is None:
            return cell
        self.hidden.add(key)
        return reason

    def total(self, total: Cell, keys: Iterable[Hashable]) -> Cell:
        """The total of these cells, unless it would tell something about a hidden one."""
        if total is None:
            return None
        if isinstance(total, Hidden):
            raise ValueError("A table is protected once, from its own numbers")
        parts = [self.leaves[key] for key in keys if key in self.leaves]
        bound = frozenset(part.key for part in parts if part.key in self.hidden)
        together = _sum([part.number for part in parts])
        if together == total:
            return total if self._binds_nothing(bound) else Hidden.TOTAL
        # Not an equation, but it bounds all the same (distinct people are no more than the sum of their parts), and
        # what it has more or less than its parts is a number of people too.
        people = not parts or any(part.people for part in parts)
        alone = may_be_shown(total, people=people, zeros=self.zeros) and not (people and _tells_apart(total, together))
        return total if alone and not bound else Hidden.TOTAL

    def _binds_nothing(self, bound: frozenset[Hashable]) -> bool:
        if any(block & bound and not block <= bound for block in self.blocks):
            return False
        rest = bound.difference(*self.blocks)
        if not rest:
            return True  # it follows from what is published
        if not self._stays_free([self.leaves[key] for key in rest]):
            return False
        self.blocks.append(rest)
        return True

    def _stays_free(self, leaves: Sequence[_Leaf]) -> bool:
        """Whether the sum of these hidden numbers leaves each its whole range, for strangers and for each row."""
        rows = {leaf.row for leaf in leaves}
        views = [leaves, *([leaf for leaf in leaves if leaf.row != row] for row in rows)]
        return all(_is_free([leaf.number for leaf in view], zeros=self.zeros) for view in views if view)


def _is_free(numbers: Sequence[Number], *, zeros: bool) -> bool:
    """Whether somebody who knows the sum of these hidden numbers still knows nothing of each."""
    if len(numbers) < 2:
        return False
    together = _sum(numbers)
    if not isinstance(together, int):
        return together is not None and may_be_shown(together, zeros=zeros)
    least, most, others = (1 if zeros else 0), LEAST - 1, len(numbers) - 1
    # Each may be the least (the others make up the sum) and each may be the most.
    return together - least <= most * others and together - most >= least * others and together >= LEAST


def _tells_apart(total: Number, together: Number | None) -> bool:
    """Whether the distance between a total and its parts put together is a small number."""
    apart = zip(_counts(total), _counts(together), strict=False) if together is not None else ()
    return any(0 < abs(one - other) < LEAST for one, other in apart)


def _counts(number: Number) -> list[int]:
    if isinstance(number, Rate):
        return [number.numerator, number.denominator, number.denominator - number.numerator]
    return [number.people if isinstance(number, Amount) else number]


def _sum(numbers: Sequence[Number]) -> Number | None:
    """Of numbers of one kind; None when there are none, or of several kinds."""
    if not numbers:
        return None
    rates = [number for number in numbers if isinstance(number, Rate)]
    amounts = [number for number in numbers if isinstance(number, Amount)]
    counts = [number for number in numbers if isinstance(number, int)]
    if len(counts) == len(numbers):
        return sum(counts)
    if len(rates) == len(numbers):
        return Rate(sum(each.numerator for each in rates), sum(each.denominator for each in rates))
    if len(amounts) == len(numbers):
        return Amount(sum(each.value for each in amounts), sum(each.people for each in amounts))
    return None


# ---- Periods, on a grid --------------------------------------------------------------------------------------------

Span: TypeAlias = tuple[date, date]
GROUP = ""
"""The place that stands for all the others together."""


def months(first: date, last: date) -> list[Span]:
    """The whole civil months within these days, oldest first."""
    found = []
    start = first if first.day == 1 else _next_month(first)
    while (end := _next_month(start) - timedelta(days=1)) <= last:
        found.append((start, end))
        start = _next_month(start)
    return found


def grid(first: date, last: date) -> list[Span]:
    """The whole months, quarters and years within these days, in the order in which they are judged: as they end, the
    shortest first."""
    every = months(first, last)
    runs = [
        (every[at][0], every[at + length - 1][1])
        for length in (1, 3, 12)
        for at in range(len(every) - length + 1)
        if (every[at][0].month - 1) % length == 0
    ]
    return sorted(runs, key=lambda span: (span[1], span[1] - span[0]))


def beginning(day: date) -> date:
    """The first day of the grid that a period belongs to: judged from there, it is judged the same in every export."""
    return day.replace(month=1, day=1)


def protect_grid(
    cells: Mapping[tuple[str, Span], Cell],
    places: Sequence[str],
    spans: Sequence[Span],
    *,
    people: bool = True,
    zeros: bool = True,
) -> dict[tuple[str, Span], Cell]:
    """One figure at all the places and at the GROUP, over the spans of `grid` from the first day of a year on.

    cells: (place, span) → number; what is absent is not fed. Give every place of the group, whichever is shown: a
    figure of the group and one of a hospital must have been judged together. A figure without any place is the
    group's own.
    """
    book = _Book(zeros)
    shown: dict[tuple[str, Span], Cell] = {}
    own = places if any(place in places and cell is not None for (place, _span), cell in cells.items()) else [GROUP]
    for span in spans:
        within = months(*span)
        for place in own:
            cell = cells.get((place, span))
            if len(within) == 1:
                shown[place, span] = book.show((place, span), place, cell, people=people)
            else:
                shown[place, span] = book.total(cell, [(place, month) for month in within])
        if own is places:
            shown[GROUP, span] = book.total(
                cells.get((GROUP, span)), [(place, month) for place in places for month in within]
            )
    return shown


def protect_stock(cells: Mapping[Span, int | None], spans: Sequence[Span], *, people: bool = True) -> dict[Span, Cell]:
    """What there is at the end of each span (accounts…), at one place: shown when neither it nor what it has more or
    less than any number shown before it is small."""
    shown: dict[Span, Cell] = {}
    seen = {0}
    for span in spans:
        cell = cells.get(span)
        if cell is None:
            shown[span] = None
            continue
        few = people and any(0 < abs(cell - each) < LEAST for each in seen)
        shown[span] = Hidden.FEW if few else cell
        if not few:
            seen.add(cell)
    return shown


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
