"""What figures by unit may be shown outside the hospital (domain catalogue, section 5.4). Pure.

The figure of the hospital is published beside its units, so that here it is units that give way: one that is small is
never hidden alone. Hidden units are told alike, small or not.

Which other ones are hidden depends on nothing but what everybody sees: the order of the units, fixed, and the sum of
those that are hidden, which is the hospital's less what is shown. At least one more is hidden, then the next ones,
until that sum is zero or `_enough`: so much that each small number in it may still be anything from 1 to 10 while one
that is not small takes up the rest, which gives the same page. When no choice of units is enough, none is shown.

Periods are quarters that are final, and nothing else: they neither overlap nor move.
"""

from collections.abc import Sequence
from typing import TypeAlias

from portal.kpi.disclosure import LEAST, LEAST_BEHIND_RATE

Line: TypeAlias = tuple[int, ...]
"""A unit: how many, or (those that are counted, the rest of them) of a rate."""


def hidden(lines: Sequence[Line], *, least: int = LEAST, least_behind: int = LEAST_BEHIND_RATE) -> frozenset[int]:
    """The ranks of the lines that are not shown.

    lines: every unit that was ever heard of by then, those of which nothing is told included, in an order that never
    changes. least: the smallest number shown. least_behind: the smallest number of cases of a rate shown.
    """
    kept_back = {rank for rank, line in enumerate(lines) if _is_small(line, least, least_behind)}
    if not kept_back:
        return frozenset()
    enough = _enough(lines, least, least_behind)
    for rank in range(len(lines)):
        if rank not in kept_back:
            kept_back.add(rank)
            if all(part == 0 or part >= enough for part in _sums([lines[each] for each in kept_back])):
                return frozenset(kept_back)
    return frozenset(range(len(lines)))


def _is_small(line: Line, least: int, least_behind: int) -> bool:
    few = any(0 < part < least for part in line)
    return few or (len(line) > 1 and 0 < sum(line) < least_behind)


def _enough(lines: Sequence[Line], least: int, least_behind: int) -> int:
    """The small one at its most, each other small one at its least, and one that is not small."""
    is_rate = any(len(line) > 1 for line in lines)
    return (least - 1) + len(lines) + (least_behind if is_rate else least)


def _sums(lines: Sequence[Line]) -> list[int]:
    return [sum(parts) for parts in zip(*lines, strict=True)]
