"""Which free times go together. Pure arithmetic on moments."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

_LOOKED_AT = 5000
"""Tries a day: with many free times nearly every try fits, so a day that needs more has nothing to give."""


class Time(Protocol):
    """A free time of one step."""

    @property
    def at(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...


T = TypeVar("T", bound=Time)


def chains(steps: Sequence[Sequence[T]], min_gap: timedelta, max_gap: timedelta) -> Iterator[tuple[T, ...]]:
    """Ways to take one time of each step, each beginning between min_gap and max_gap after the one before it ends.

    By the start of the first step; of one start, only the way that ends first. steps: each in order of time.
    """
    tries = [_LOOKED_AT]
    for first in steps[0] if steps else ():
        found = _shortest(first, steps[1:], min_gap, max_gap, tries)
        if found is not None:
            yield (first, *found)


def _shortest(
    before: T, steps: Sequence[Sequence[T]], min_gap: timedelta, max_gap: timedelta, tries: list[int]
) -> tuple[T, ...] | None:
    if not steps:
        return ()
    best: tuple[T, ...] | None = None
    for each in steps[0]:
        tries[0] -= 1
        if each.at > before.until + max_gap or tries[0] < 0:
            break
        if each.at < before.until + min_gap:
            continue
        rest = _shortest(each, steps[1:], min_gap, max_gap, tries)
        if rest is not None and (best is None or (each, *rest)[-1].until < best[-1].until):
            best = (each, *rest)
    return best


def apart(found: Iterator[tuple[T, ...]], most: int) -> list[tuple[T, ...]]:
    """A few different ways: each begins after the one before it has begun its second step, or its only one is over."""
    kept: list[tuple[T, ...]] = []
    for way in found:
        if not kept or way[0].at >= (kept[-1][1].at if len(kept[-1]) > 1 else kept[-1][0].until):
            kept.append(way)
        if len(kept) == most:
            break
    return kept


def closest(times: Sequence[T], wanted: datetime, within: timedelta) -> T | None:
    """The time closest to the one wanted, no further than `within`; the earlier of two."""
    near = [each for each in times if abs(each.at - wanted) <= within]
    return min(near, key=lambda each: (abs(each.at - wanted), each.at), default=None)
