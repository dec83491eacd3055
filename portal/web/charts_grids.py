"""The geometry of grids: hours by days of the week, and one small chart per place on a common scale. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from portal.web.charts import WIDTH, Value, writer

DAYS_ROOM, HOURS_ROOM = 64, 24
_HOURS = 24
_CELL_HEIGHT = 26
LEVELS = 5
"""How many shades a cell may have; 0 is none at all."""
SMALL_WIDTH, SMALL_HEIGHT = 240, 84
_GROUND = 4


@dataclass(frozen=True)
class Cell:
    """One hour. middle, foot: where its text stands."""

    x: float
    y: int
    middle: float
    foot: float
    level: int
    text: str


@dataclass(frozen=True)
class HeatGrid:
    """A drawing, and its figures as rows of a table: a day, then its hours. levels: the cells of each shade, from none,
    as one path."""

    cells: list[Cell]
    levels: list[str]
    days: list[tuple[float, str]]
    hours: list[tuple[float, str]]
    rows: list[list[str]]
    width: int = WIDTH
    height: int = HOURS_ROOM + 7 * _CELL_HEIGHT


@dataclass(frozen=True)
class SmallChart:
    """One place: its bars, where its target stands, and its texts. gaps: bars that are hidden or unknown."""

    name: str
    text: str
    bars: list[tuple[float, float, float, float]]
    gaps: list[tuple[float, float]]
    href: str


@dataclass(frozen=True)
class Multiples:
    """Charts on one scale, and the figures of all as rows of a table: a label, then a figure a place."""

    charts: list[SmallChart]
    top: str
    rows: list[list[str]]
    target: float | None = None
    width: int = SMALL_WIDTH
    height: int = SMALL_HEIGHT

    def headers(self, first: str) -> list[Any]:
        return [first, *({"text": chart.name, "numeric": True} for chart in self.charts)]


def heat(days: Sequence[str], counts: Sequence[Sequence[int]]) -> HeatGrid:
    """days: seven names from Monday; counts: seven lists of twenty-four."""
    highest = max((value for line in counts for value in line), default=0)
    step = (WIDTH - DAYS_ROOM) / _HOURS
    width, height = round(step - 2, 1), _CELL_HEIGHT - 2
    lefts = [round(DAYS_ROOM + hour * step + 1, 1) for hour in range(_HOURS)]
    write = writer()
    texts = [[write(value) for value in line] for line in counts]
    cells = [
        Cell(
            lefts[hour],
            HOURS_ROOM + day * _CELL_HEIGHT + 1,
            round(lefts[hour] + width / 2, 1),
            HOURS_ROOM + day * _CELL_HEIGHT + 1 + height / 2 + 4,
            ceil(value / highest * LEVELS) if highest else 0,
            texts[day][hour] if 0 < value < 1000 else "",
        )
        for day, line in enumerate(counts)
        for hour, value in enumerate(line)
    ]
    box = f"h{width}v{height}h-{width}z"
    levels = ["".join(f"M{cell.x} {cell.y}{box}" for cell in cells if cell.level == at) for at in range(LEVELS + 1)]
    named = [(HOURS_ROOM + day * _CELL_HEIGHT + 18.0, str(name)) for day, name in enumerate(days)]
    hours = [(round(DAYS_ROOM + (hour + 0.5) * step, 1), str(hour)) for hour in range(0, _HOURS, 2)]
    rows = [[str(name), *line] for name, line in zip(days, texts, strict=True)]
    return HeatGrid(cells, levels, named, hours, rows)


def multiples(
    labels: Sequence[str], places: Sequence[Mapping[str, Any]], target: Value = None, top: str = ""
) -> Multiples:
    """A small chart per place: name, values (one a label; none where hidden or unknown), displays (their texts),
    text (what is written beside the name), and href if it leads somewhere. top: the highest figure, in words."""
    known = [value for place in places for value in place["values"] if value is not None]
    highest = max([*known, target or 0], default=0) or 1
    charts = [_small(place, highest) for place in places]
    rows = [[str(label), *(place["displays"][index] for place in places)] for index, label in enumerate(labels)]
    return Multiples(charts, top, rows, None if target is None else _height(target, highest))


def _small(place: Mapping[str, Any], highest: float) -> SmallChart:
    step = SMALL_WIDTH / max(len(place["values"]), 1)
    thickness = round(step * 0.72, 1)
    bars, gaps = [], []
    for index, value in enumerate(place["values"]):
        x = round(step * (index + 0.14), 1)
        if value is None:
            gaps.append((x, thickness))
        else:
            y = _height(value, highest)
            bars.append((x, y, thickness, round(SMALL_HEIGHT - _GROUND - y, 1)))
    return SmallChart(str(place["name"]), str(place["text"]), bars, gaps, str(place.get("href") or ""))


def _height(value: float, highest: float) -> float:
    return round(SMALL_HEIGHT - _GROUND - max(value, 0) / highest * (SMALL_HEIGHT - 2 * _GROUND), 1)
