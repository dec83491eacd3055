"""What is shared tells nothing about a hidden number: an attacker tries, with every figure of every export."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kpi import disclosure
from portal.kpi.disclosure import GROUP, Amount, Cell, Hidden, Rate, Span, Table, grid, protect, protect_grid

YEAR = grid(date(2025, 1, 1), date(2025, 12, 31))
FIVE_MONTHS = grid(date(2025, 1, 1), date(2025, 5, 31))
SMALL = st.integers(0, 24)
COUNTS = st.one_of(SMALL, st.integers(0, 10), st.integers(0, 400))


# ---- Somebody who can count ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Equation:
    """The sum of these unknown numbers, as it follows from what is published."""

    unknowns: frozenset[object]
    total: int


@dataclass
class Attacker:
    """Solves what is published, in whole numbers from 1 to 10, exactly: propagation, then trial."""

    equations: Sequence[Equation]

    def may_be(self, unknown: object, value: int) -> bool:
        unknowns = {each for equation in self.equations for each in equation.unknowns}
        bounds = dict.fromkeys(unknowns, (1, 10)) | {unknown: (value, value)}
        return self._feasible(bounds)

    def _feasible(self, bounds: dict[object, tuple[int, int]]) -> bool:
        if not (found := self._narrowed(bounds)):
            return False
        undecided = [each for each, (least, most) in found.items() if most > least]
        if not undecided:
            return True
        each = undecided[0]
        least, most = found[each]
        return any(self._feasible(found | {each: (value, value)}) for value in range(least, most + 1))

    def _narrowed(self, bounds: dict[object, tuple[int, int]]) -> dict[object, tuple[int, int]]:
        found, moved = dict(bounds), True
        while moved:
            moved = False
            for equation in self.equations:
                least = sum(found[each][0] for each in equation.unknowns)
                most = sum(found[each][1] for each in equation.unknowns)
                if not least <= equation.total <= most:
                    return {}
                for each in equation.unknowns:
                    low, high = found[each]
                    closer = max(low, equation.total - (most - high)), min(high, equation.total - (least - low))
                    if closer != (low, high):
                        found[each], moved = closer, True
                        least, most = least + closer[0] - low, most + closer[1] - high
        return found


def equation(total: Cell, parts: Mapping[object, Cell], truth: Mapping[object, int]) -> list[Equation]:
    """What a published total says of the hidden numbers in it, once the shown ones are taken away."""
    if not isinstance(total, int):
        return []
    known = sum(cell for cell in parts.values() if isinstance(cell, int))
    unknowns = frozenset(key for key, cell in parts.items() if isinstance(cell, Hidden))
    assert sum(truth[key] for key in parts) == total
    return [Equation(unknowns, total - known)] if unknowns else []


def assert_nothing_learnt(equations: Sequence[Equation], known: Mapping[object, int]) -> None:
    """Every unknown number may still be 1 and may still be 10; `known`: what the attacker's own hospital knows."""
    told = {
        Equation(each.unknowns - frozenset(known), each.total - sum(known[key] for key in each.unknowns & known.keys()))
        for each in equations
    }
    for alone in apart(told):
        attacker = Attacker(alone)
        for unknown in {each for found in alone for each in found.unknowns}:
            assert attacker.may_be(unknown, 1), unknown
            assert attacker.may_be(unknown, 10), unknown


def apart(equations: Iterable[Equation]) -> list[list[Equation]]:
    """The equations once each is freed of those within it, grouped by what they share: groups bear on each other in
    nothing, and are solved one by one."""
    left = sorted(equations, key=lambda each: len(each.unknowns))
    freed: list[Equation] = []
    for each in left:
        now = each
        for inner in freed:
            if inner.unknowns <= now.unknowns:
                now = Equation(now.unknowns - inner.unknowns, now.total - inner.total)
        if now.unknowns:
            freed.append(now)
        else:
            assert now.total == 0
    groups: list[list[Equation]] = []
    for each in freed:
        touched = [group for group in groups if any(each.unknowns & other.unknowns for other in group)]
        groups = [group for group in groups if group not in touched] + [
            [each, *(one for group in touched for one in group)]
        ]
    return groups


def hidden_rows(equations: Iterable[Equation], truth: Mapping[object, int]) -> list[dict[object, int]]:
    """What each row knows by heart."""
    unknowns = {each for found in equations for each in found.unknowns}
    rows = {key[0] for key in unknowns if isinstance(key, tuple)}
    return [{key: truth[key] for key in unknowns if isinstance(key, tuple) and key[0] == row} for row in sorted(rows)]


# ---- Tables --------------------------------------------------------------------------------------------------------


def table(cells: Sequence[Sequence[Cell]], **facts: object) -> Table:
    return Table(
        [str(each) for each in range(len(cells))], [str(each) for each in range(len(cells[0]))], cells, **facts
    )  # type: ignore[arg-type]  # facts of any field


def with_totals(cells: Sequence[Sequence[int]]) -> Table:
    return table(
        cells,
        row_totals=[sum(row) for row in cells],
        column_totals=[sum(column) for column in zip(*cells, strict=True)],
        grand_total=sum(map(sum, cells)),
    )


def test_a_count_of_fewer_than_eleven_is_hidden_and_a_zero_is_shown() -> None:
    shown = protect(table([[0, 1, 10, 11]]))

    assert shown.cells == [[0, Hidden.FEW, Hidden.FEW, 11]]


def test_a_zero_is_hidden_too_in_a_sensitive_unit() -> None:
    assert protect(table([[0, 11]], zeros=False)).cells == [[Hidden.FEW, 11]]


def test_what_counts_nobody_is_shown() -> None:
    shown = protect(table([[3, 5]], people=[[False, True]], row_totals=[8]))

    assert shown.cells == [[3, Hidden.FEW]]
    assert shown.row_totals == [Hidden.TOTAL]


def test_a_total_that_would_tell_the_only_hidden_cell_is_dropped() -> None:
    shown = protect(table([[50], [60], [4]], column_totals=[114]))

    assert shown.cells == [[50], [60], [Hidden.FEW]]
    assert shown.column_totals == [Hidden.TOTAL]


@pytest.mark.parametrize(
    ("cells", "is_shown"),
    [
        ((50, 60), True),  # nothing is hidden
        ((50, 4, 5), False),  # two hidden: each hospital would know the other
        ((1, 1, 1, 1), False),  # the sum of four would tell each
        ((10, 10, 10, 10), False),
        ((5, 6, 4, 7, 90), True),  # four, and the three others of any still range from 1 to 10
        ((1, 1, 9, 9), False),  # the third would know that the others are few
        ((5, 5, 6), False),
    ],
)
def test_a_total_over_hospitals_leaves_each_hidden_number_its_whole_range(
    cells: tuple[int, ...], *, is_shown: bool
) -> None:
    shown = protect(table([[each] for each in cells], column_totals=[sum(cells)]))

    assert shown.column_totals == [sum(cells) if is_shown else Hidden.TOTAL]


@given(st.lists(st.lists(COUNTS, min_size=3, max_size=3), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_the_margins_of_a_table_tell_nothing_to_strangers_nor_to_any_row(cells: list[list[int]]) -> None:
    shown = protect(with_totals(cells))
    truth = {(row, column): cells[row][column] for row in range(len(cells)) for column in range(3)}
    seen = {key: shown.cells[key[0]][key[1]] for key in truth}
    told = equation(shown.grand_total, seen, truth)
    for row, total in enumerate(shown.row_totals):
        told += equation(total, {key: cell for key, cell in seen.items() if key[0] == row}, truth)
    for column, total in enumerate(shown.column_totals):
        told += equation(total, {key: cell for key, cell in seen.items() if key[1] == column}, truth)

    for known in ({}, *hidden_rows(told, truth)):
        assert_nothing_learnt(told, known)
    assert all(1 <= truth[key] <= 10 if cell is Hidden.FEW else cell == truth[key] for key, cell in seen.items())


# ---- Rates, amounts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "is_shown"),
    [
        (Rate(20, 60), True),
        (Rate(12, 29), False),  # too few behind it
        (Rate(9, 60), False),  # nine people
        (Rate(52, 60), False),  # eight people did not
        (Rate(0, 60), True),
        (Rate(60, 60), True),
    ],
)
def test_a_rate_is_shown_when_both_parts_are_and_thirty_stand_behind_it(rate: Rate, *, is_shown: bool) -> None:
    assert protect(table([[rate]])).cells == [[rate if is_shown else Hidden.RATE]]


def test_a_rate_of_no_people_waits_for_thirty_all_the_same() -> None:
    assert protect(table([[Rate(3, 40), Rate(3, 29)]], people=[[False, False]])).cells == [[Rate(3, 40), Hidden.RATE]]


def test_the_rate_of_the_group_is_shown_when_the_hidden_ones_together_could_be() -> None:
    rates = [Rate(40, 80), Rate(5, 25), Rate(6, 28), Rate(9, 27)]

    def total(*cells: Rate) -> Cell:
        whole = Rate(sum(each.numerator for each in cells), sum(each.denominator for each in cells))
        return protect(table([[each] for each in cells], column_totals=[whole])).column_totals[0]

    assert total(*rates) == Rate(60, 160)
    assert total(*rates[:3]) is Hidden.TOTAL  # each of the two would know the other
    assert total(*rates[:2]) is Hidden.TOTAL


def test_an_amount_is_hidden_when_few_paid_it() -> None:
    shown = protect(table([[Amount(12_000, 3), Amount(90_000, 30)]], row_totals=[Amount(102_000, 33)]))

    assert shown.cells == [[Hidden.FEW, Amount(90_000, 30)]]
    assert shown.row_totals == [Hidden.TOTAL]


def test_distinct_people_are_not_a_sum_and_are_shown_beside_shown_parts_alone() -> None:
    def total(cells: Sequence[int], whole: int) -> Cell:
        return protect(table([cells], row_totals=[whole])).row_totals[0]

    assert total([40, 50], 60) == 60
    assert total([40, 50], 85) is Hidden.TOTAL  # five people would be known to come twice
    assert total([40, 5], 41) is Hidden.TOTAL
    assert total([40, 50], 95) is Hidden.TOTAL  # five people of no hospital
    assert total([0, 0], 4) is Hidden.TOTAL


def test_what_is_not_fed_stays_so() -> None:
    shown = protect(table([[None, 40]], row_totals=[None]))
    assert (shown.cells, shown.row_totals) == ([[None, 40]], [None])


def test_a_table_is_protected_from_its_numbers_and_has_one_shape() -> None:
    with pytest.raises(ValueError, match="protected once"):
        protect(table([[Hidden.FEW]]))
    with pytest.raises(ValueError, match="as many cells"):
        protect(Table(["a"], ["b", "c"], [[1]]))
    with pytest.raises(ValueError, match="one total"):
        protect(table([[1, 2]], column_totals=[1]))


# ---- Periods -------------------------------------------------------------------------------------------------------


def test_the_grid_holds_whole_months_quarters_and_years_as_they_end() -> None:
    spans = grid(date(2024, 12, 5), date(2025, 4, 30))

    assert spans == [
        (date(2025, 1, 1), date(2025, 1, 31)),
        (date(2025, 2, 1), date(2025, 2, 28)),
        (date(2025, 3, 1), date(2025, 3, 31)),
        (date(2025, 1, 1), date(2025, 3, 31)),
        (date(2025, 4, 1), date(2025, 4, 30)),
    ]
    assert len(YEAR) == 12 + 4 + 1
    assert disclosure.beginning(date(2025, 4, 30)) == date(2025, 1, 1)


def filled(body: Mapping[str, Sequence[int]], spans: Sequence[Span]) -> dict[tuple[str, Span], Cell]:
    """Every cell of the grid, from the months of each place."""
    found: dict[tuple[str, Span], Cell] = {}
    for span in spans:
        at = slice(span[0].month - 1, span[1].month)
        found |= {(place, span): sum(numbers[at]) for place, numbers in body.items()}
        found[GROUP, span] = sum(sum(numbers[at]) for numbers in body.values())
    return found


def all_that_is_told(
    shown: Mapping[tuple[str, Span], Cell], truth: Mapping[object, int], places: Sequence[str]
) -> list[Equation]:
    told: list[Equation] = []
    for (place, span), cell in shown.items():
        parts = {
            (each, month): shown[each, month]
            for each in (places if place == GROUP else [place])
            for month in disclosure.months(*span)
        }
        if len(parts) > 1:
            told += equation(cell, dict(parts), truth)
    return told


def months_of(count: int) -> st.SearchStrategy[list[list[int]]]:
    return st.lists(st.lists(COUNTS, min_size=count, max_size=count), min_size=1, max_size=5)


@given(months_of(12))
@settings(max_examples=25, deadline=None)
def test_every_export_of_a_year_together_tells_nothing(rows: list[list[int]]) -> None:
    body = {f"H{number}": row for number, row in enumerate(rows)}
    cells = filled(body, YEAR)
    truth: dict[object, int] = {key: int(str(cell)) for key, cell in cells.items()}
    shown = protect_grid(cells, list(body), YEAR)
    told = all_that_is_told(shown, truth, list(body))

    for known in ({}, *hidden_rows(told, truth)):
        assert_nothing_learnt(told, known)


@given(months_of(12), st.integers(1, 12))
@settings(max_examples=25, deadline=None)
def test_what_was_published_early_in_the_year_is_published_the_same_later(rows: list[list[int]], until: int) -> None:
    body = {f"H{number}": row for number, row in enumerate(rows)}
    early = [span for span in YEAR if span[1].month <= until]
    cells = filled(body, YEAR)

    then, later = protect_grid(cells, list(body), early), protect_grid(cells, list(body), YEAR)

    assert then == {key: cell for key, cell in later.items() if key in then}


@given(st.lists(COUNTS, min_size=12, max_size=12))
@settings(max_examples=25, deadline=None)
def test_a_figure_of_the_group_alone_has_no_way_round_either(row: list[int]) -> None:
    cells = {(GROUP, span): sum(row[span[0].month - 1 : span[1].month]) for span in YEAR}
    truth: dict[object, int] = dict(cells)
    told = all_that_is_told(protect_grid(dict(cells), ["H1", "H2"], YEAR), truth, [GROUP])

    assert_nothing_learnt(told, {})


def test_a_quarter_is_shown_where_its_months_are_too_small() -> None:
    cells = filled({"H1": [8, 7, 6, 12, 8]}, FIVE_MONTHS)

    shown = protect_grid(cells, ["H1"], FIVE_MONTHS)

    assert [shown["H1", span] for span in FIVE_MONTHS] == [Hidden.FEW, Hidden.FEW, Hidden.FEW, 21, 12, Hidden.FEW]


@given(st.lists(st.integers(0, 300), min_size=2, max_size=12))
@settings(max_examples=25, deadline=None)
def test_a_stock_never_moves_by_a_small_number(numbers: list[int]) -> None:
    spans = disclosure.months(date(2025, 1, 1), date(2025, 12, 31))[: len(numbers)]
    shown = disclosure.protect_stock(dict(zip(spans, numbers, strict=True)), spans)
    seen = sorted({0, *(cell for cell in shown.values() if isinstance(cell, int))})

    assert all(later - earlier >= 11 for earlier, later in pairwise(seen))
