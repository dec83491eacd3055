"""The geometry of charts whose columns are made of parts: stacked, or each filled to a hundred per cent. Pure.

A part is told from another by its pattern as well as its colour; its `rank` (1 to 6) names both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from flask_babel import format_percent

from portal.web.charts import BOTTOM, HEIGHT, LEFT, PLOT_HEIGHT, WIDTH, Line, Number, Tick, labelled, scaled, writer

MOST_PARTS = 6
_THICKEST = 56
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True)
class Piece:
    """One part of one column."""

    x: float
    y: float
    width: float
    height: float
    rank: int


@dataclass(frozen=True)
class Part:
    """One line of the legend. path: all its pieces, as one."""

    name: str
    rank: int
    path: str


@dataclass(frozen=True)
class Columns:
    """A drawing, and its figures as rows of a table: label, a figure a part, then the total."""

    parts: list[Part]
    pieces: list[Piece]
    lines: list[Line]
    ticks: list[Tick]
    rows: list[list[str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    def headers(self, first: str, total: str) -> list[Any]:
        """The headers of the table of figures."""
        return [first, *({"text": name, "numeric": True} for name in [*(part.name for part in self.parts), total])]


def stacked(labels: Sequence[str], series: Sequence[Mapping[str, Any]]) -> Columns:
    """A column per label, its parts one upon another. series: name and values (numbers or none), six at most."""
    columns = _columns(labels, series)
    scale, lines = scaled([sum(column) for column in columns])
    rows = _rows(labels, columns)
    return _drawn(series, _pieces(columns, scale), lines, labels, rows)


def shares(labels: Sequence[str], series: Sequence[Mapping[str, Any]]) -> Columns:
    """A column per label, filled to a hundred per cent by its parts; nothing is drawn where there is nothing."""
    columns = _columns(labels, series)
    filled = [[value / (sum(column) or 1) for value in column] for column in columns]

    def height(share: Number) -> float:
        return round(HEIGHT - BOTTOM - share * PLOT_HEIGHT, 1)

    lines = [Line(height(quarter), str(format_percent(quarter))) for quarter in _QUARTERS]
    rows = _rows(labels, columns)
    return _drawn(series, _pieces(filled, height), lines, labels, rows)


def _columns(labels: Sequence[str], series: Sequence[Mapping[str, Any]]) -> list[list[Number]]:
    return [[one["values"][index] or 0 for one in series] for index in range(len(labels))]


def _drawn(
    series: Sequence[Mapping[str, Any]],
    pieces: list[Piece],
    lines: list[Line],
    labels: Sequence[str],
    rows: list[list[str]],
) -> Columns:
    paths = [""] * (len(series) + 1)
    for each in pieces:
        paths[each.rank] += f"M{each.x} {each.y}h{each.width}v{each.height}h-{each.width}z"
    parts = [Part(str(one["name"]), rank, paths[rank]) for rank, one in enumerate(series, start=1)]
    return Columns(parts, pieces, lines, _ticks(labels), rows)


def _pieces(columns: Sequence[Sequence[Number]], scale: Callable[[Number], float]) -> list[Piece]:
    step = (WIDTH - LEFT) / max(len(columns), 1)
    thickness = round(min(step * 0.72, _THICKEST), 1)
    pieces = []
    for index, column in enumerate(columns):
        x = round(LEFT + step * (index + 0.5) - thickness / 2, 1)
        feet = [0, *accumulate(column)]
        for rank, (foot, head) in enumerate(pairwise(feet), start=1):
            if head > foot:
                top = scale(head)
                pieces.append(Piece(x, top, thickness, round(scale(foot) - top, 1), rank))
    return pieces


def _ticks(labels: Sequence[str]) -> list[Tick]:
    step = (WIDTH - LEFT) / max(len(labels), 1)
    return [
        Tick(round(LEFT + step * (index + 0.5), 1), str(label), "middle")
        for index, label in enumerate(labels)
        if labelled(index, len(labels))
    ]


def _rows(labels: Sequence[str], columns: Sequence[Sequence[Number]]) -> list[list[str]]:
    write = writer()
    return [
        [str(label), *map(write, column), write(sum(column))] for label, column in zip(labels, columns, strict=True)
    ]
