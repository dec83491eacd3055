"""The indicators: each room declares its own, with what it counts in words and how."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from portal.kpi import units
from portal.kpi.reading import Period


@dataclass(frozen=True)
class Figure:
    """What a definition gives for a period. denominator None = a plain count; value None = not fed.

    missing: the first days of the months for which hospitals have not given their totals.
    """

    numerator: int
    denominator: int | None = None
    fed: bool = True
    missing: tuple[date, ...] = ()

    @property
    def value(self) -> float | int | None:
        if not self.fed:
            return None
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, eq=False)
class Definition:
    """One indicator of the catalogue: its code, what it counts in words, and how. Each is itself: its texts, which
    change with the reader's language, do not make it another.

    title, numerator and denominator are translatable (lazy) texts. unit: count | rate | cents | hours | days | score.
    missing: what a figure that is not fed waits for. portal: it is counted for the whole portal, never by
    establishment. by_month: it has a meaning for whole months only (distinct people).
    service: the page it belongs to (`portal`, `appointments`, `preadmission`, `billing`, `documents`, `messages`,
    `referrals`, `satisfaction`, `security`). events: what it is counted from. better: whether more is better (`up`),
    less (`down`), or neither. of_people: it counts persons or stays, so that a small number of it tells of somebody.
    dimensions: beside the establishment, what it can be told apart by (`channel`, `audience`, `dimension`, `unit`).
    revision: raised when the way it is computed changes and its texts do not. part_of: the figure that it adds up to
    with others, when their codes do not say so.
    """

    code: str
    title: Any
    numerator: Any
    denominator: Any
    compute: Callable[[Period], Figure]
    unit: str = "count"
    version: int = 1
    event: str = ""
    link: str = ""
    missing: Any = ""
    portal: bool = False
    by_month: bool = False
    service: str = ""
    events: tuple[str, ...] = ()
    better: str = ""
    of_people: bool = False
    dimensions: tuple[str, ...] = ()
    revision: int = 1
    part_of: str = ""


_definitions: dict[str, Definition] = {}


def define(*definitions: Definition, by_unit: bool = False) -> None:
    """Add indicators to the catalogue; a room declares its own. by_unit: those counted from nothing but events that are
    told by unit (`units.EVENTS`) may be asked of a unit."""
    kept = [_by_unit(each) if by_unit else each for each in definitions]
    _definitions.update({definition.code: definition for definition in kept})


def _by_unit(definition: Definition) -> Definition:
    told = {*definition.events, definition.event} - {""} <= units.EVENTS
    return replace(definition, dimensions=(*definition.dimensions, units.DIMENSION)) if told else definition


def definitions() -> Sequence[Definition]:
    return sorted(_definitions.values(), key=lambda definition: definition.code)


def definition(code: str) -> Definition:
    """Raises KeyError."""
    return _definitions[code]
