"""Figures by unit that are shared tell nothing about a hidden number: every possible hospital is tried."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kpi.unit_disclosure import Line, hidden

View = tuple[object, ...]


def shown(lines: Sequence[Line], **rules: int) -> tuple[View, frozenset[int]]:
    """What everybody sees: the lines that are not hidden, and the sum of all of them."""
    kept_back = hidden(lines, **rules)
    told = tuple(None if rank in kept_back else line for rank, line in enumerate(lines))
    return (told, tuple(map(sum, zip(*lines, strict=True)))), kept_back


def split(total: int, units: int) -> Iterator[tuple[int, ...]]:
    """Every way in which so many are shared out among these units."""
    if units == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in split(total - first, units - 1))


def possible(worlds: Iterator[Sequence[Line]], **rules: int) -> None:
    """Assert that each small number of any of these worlds may be any small one for whoever sees what is shown."""
    seen: dict[View, dict[tuple[int, int], set[int]]] = defaultdict(lambda: defaultdict(set))
    least = rules["least"]
    for lines in worlds:
        view, kept_back = shown(lines, **rules)
        for rank, line in enumerate(lines):
            for part, value in enumerate(line):
                if rank in kept_back:
                    seen[view][rank, part].add(value)
                else:
                    assert not 0 < value < least
    for view, cells in seen.items():
        for values in cells.values():
            if values & set(range(1, least)):
                assert values >= set(range(1, least)), view


class TestNothingIsTold:
    @pytest.mark.parametrize(("units", "most"), [(2, 24), (3, 18), (4, 14)])
    @pytest.mark.parametrize("least", [3, 4])
    def test_each_small_count_may_be_any_other_one(self, units: int, most: int, least: int) -> None:
        for total in range(least, most):
            possible(([(each,) for each in world] for world in split(total, units)), least=least)

    @pytest.mark.parametrize(("units", "most"), [(2, 14), (3, 7)])
    def test_each_part_of_a_rate_may_be_any_other_small_one(self, units: int, most: int) -> None:
        rules = {"least": 3, "least_behind": 5}
        for first in range(3, most):
            for rest in (0, 3, 7, most):
                if first + rest >= 5:
                    worlds = (
                        list(zip(one, other, strict=True))
                        for one in split(first, units)
                        for other in split(rest, units)
                    )
                    possible(worlds, **rules)

    @settings(max_examples=150, deadline=None)
    @given(st.lists(st.one_of(st.integers(0, 15), st.integers(0, 300)), min_size=2, max_size=12), st.data())
    def test_another_hospital_gives_the_same_page(self, counts: list[int], data: st.DataObject) -> None:
        """The proof of the module, on numbers of the size of a hospital's: a small number is put anywhere from 1 to
        10, and somebody else's moves instead."""
        view, kept_back = shown([(each,) for each in counts])
        small = [rank for rank in sorted(kept_back) if 0 < counts[rank] < 11]
        if not small or sum(counts) < 11:
            return
        rank, wanted = data.draw(st.sampled_from(small)), data.draw(st.integers(1, 10))
        other = list(counts)
        for each in kept_back:
            other[each] = 1 if each in small and len(kept_back) < len(counts) else 0
        takes_up = max(kept_back - ({rank} if len(kept_back) == len(counts) else set(small)))
        other[rank] = wanted
        other[takes_up] = 0
        other[takes_up] = sum(counts) - sum(other)
        assert shown([(each,) for each in other])[0] == view


class TestWhatIsHidden:
    @pytest.mark.parametrize(
        ("counts", "expected"),
        [
            ([40, 60, 0], set()),
            ([200, 5, 60, 70], {0, 1}),
            ([12, 5, 60, 70], {0, 1, 2}),
            ([5, 0, 400, 70], {0, 1, 2}),
            ([5, 6, 7], {0, 1, 2}),
            ([0, 0, 0], set()),
        ],
    )
    def test_a_small_unit_takes_others_with_it(self, counts: list[int], expected: set[int]) -> None:
        assert hidden([(each,) for each in counts]) == expected

    def test_a_rate_of_few_cases_is_hidden_with_another_one(self) -> None:
        assert hidden([(100, 100), (12, 13), (0, 200), (40, 60)]) == {0, 1}

    @given(st.lists(st.integers(0, 400), max_size=15))
    def test_no_number_from_1_to_10_is_shown_nor_left_over(self, counts: list[int]) -> None:
        kept_back = hidden([(each,) for each in counts])
        assert not any(0 < each < 11 for rank, each in enumerate(counts) if rank not in kept_back)
        left = sum(counts[rank] for rank in kept_back)
        assert left == 0 or left >= 11 or left == sum(counts)
